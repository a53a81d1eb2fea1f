"""What the chat page makes of a reply, without a browser."""

import pytest

from assistant.messages import Action, Citation, Message, Reply, Support
from assistant.ui.chat import conversation, finished, marked, sources, stream_messages

CITATION = Citation(1, "fees", "en", "Fees & more", "It costs <5> & no more.", 3, 26)
REPLY = Reply(
    text="It costs <5> & no more. Hello.",
    action=Action.ANSWER,
    reason="answer",
    language="en",
    citations=(CITATION,),
    support=(Support("It costs <5> & no more.", 1), Support("Hello.", None)),
)


def test_each_backed_sentence_carries_its_number_and_no_html_passes():
    assert marked(REPLY) == "It costs &lt;5&gt; &amp; no more.¹ Hello."


def test_sources_show_the_exact_words_and_link_to_them():
    text = sources(REPLY)
    assert "<q>It costs &lt;5&gt; &amp; no more.</q>" in text
    assert 'href="/articles/en/fees?start=3&amp;end=26#quote"' in text


def test_history_comes_back_as_it_was_said():
    """With what was decided; without marks, without the lists of sources, and without escapes."""
    history = [
        {"role": "user", "content": [{"type": "text", "text": "fee?"}]},
        *({**m, "content": [{"type": "text", "text": m["content"]}]} for m in finished(REPLY)),
    ]
    assert conversation(history) == [Message("user", "fee?"), REPLY.message()]


@pytest.mark.parametrize("kept", ["", "{", "{}", '{"action": "pay"}', 7])
def test_a_message_that_lost_its_decision_is_read_by_its_text(kept):
    entry = {"role": "assistant", "content": "Hello.", "metadata": {"id": kept}}
    assert conversation([entry]) == [Message("assistant", "Hello.")]


def test_choices_can_be_clicked():
    reply = Reply("Which?", Action.CLARIFY, "clarify", "en", choices=("A", "B"))
    assert finished(reply)[0]["options"][1] == {"value": "B", "label": "B"}


def test_problems_become_sentences(bank, caplog):
    assert list(stream_messages(bank, "", []))[-1][0]["content"].startswith(
        "Your message was empty"
    )
    assert "太长" in list(stream_messages(bank, "太" * 5000, []))[-1][0]["content"]

    class Broken:
        saying = bank.saying

        def stream(self, *_):
            raise RuntimeError("secret detail")

    (answer,) = list(stream_messages(Broken(), "hello", []))[-1]
    assert "Something went wrong" in answer["content"]
    assert "secret" not in answer["content"]
    assert "a turn failed" in caplog.text
