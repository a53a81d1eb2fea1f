"""The messages of the chat page, without a browser."""

import pytest

from assistant.messages import Action, Citation, Message, Reply, Support
from assistant.ui.chat import (
    conversation,
    reply_messages,
    source_list_html,
    stream_messages,
    text_with_marks,
)

CITATION = Citation(1, "fees", "en", "Fees & more", "It costs <5> & no more.", 3, 26)
REPLY = Reply(
    text="It costs <5> & no more. Hello.",
    action=Action.ANSWER,
    reason="answer",
    language="en",
    citations=(CITATION,),
    support=(Support("It costs <5> & no more.", 1), Support("Hello.", None)),
)


def test_each_supported_sentence_has_its_number_and_html_is_escaped():
    assert text_with_marks(REPLY) == "It costs &lt;5&gt; &amp; no more.¹ Hello."


def test_sources_show_the_exact_words_and_link_to_them():
    text = source_list_html(REPLY)
    assert "<q>It costs &lt;5&gt; &amp; no more.</q>" in text
    assert 'href="/articles/en/fees?start=3&amp;end=26#quote"' in text


def test_an_article_is_one_source_with_all_its_quotes():
    """In the list, in the marks of the text, and in the object that clients get."""
    cited = (
        CITATION,
        Citation(2, "limits", "en", "Limits", "Up to <9>.", 0, 10),
        Citation(3, "fees", "en", "Fees & more", "Hello.", 30, 36),
    )
    said = (Support("It costs.", 1), Support("Hello.", 3), Support("Up to <9>.", 2))
    reply = Reply(
        "It costs. Hello. Up to <9>.", Action.ANSWER, "answer", "en", citations=cited, support=said
    )
    assert text_with_marks(reply) == "It costs. Hello.¹ Up to &lt;9&gt;.²"
    shown = source_list_html(reply)
    assert shown.count("<b>") == 2
    assert shown.index("Hello.") < shown.index("Limits")
    assert [(s["article"], s["citations"]) for s in reply.to_dict()["sources"]] == [
        ("fees", (1, 3)), ("limits", (2,)),
    ]  # fmt: skip
    assert "Sources (2)" in str(reply_messages(reply))


def test_a_conversation_is_read_back_from_the_page():
    """With decisions, and without marks, lists of sources and escapes."""
    history = [
        {"role": "user", "content": [{"type": "text", "text": "fee?"}]},
        *(
            {**message, "content": [{"type": "text", "text": message["content"]}]}
            for message in reply_messages(REPLY)
        ),
    ]
    assert conversation(history) == [Message("user", "fee?"), REPLY.message()]


@pytest.mark.parametrize("metadata_id", ["", "{", "{}", '{"action": "pay"}', 7])
def test_an_unreadable_decision_is_ignored(metadata_id):
    entry = {"role": "assistant", "content": "Hello.", "metadata": {"id": metadata_id}}
    assert conversation([entry]) == [Message("assistant", "Hello.")]


def test_choices_become_buttons():
    reply = Reply("Which?", Action.CLARIFY, "clarify", "en", choices=("A", "B"))
    assert reply_messages(reply)[0]["options"][1] == {"value": "B", "label": "B"}


def test_errors_become_messages(bank, caplog):
    assert list(stream_messages(bank, "", []))[-1][0]["content"].startswith(
        "Your message was empty"
    )
    assert "太长" in list(stream_messages(bank, "太" * 5000, []))[-1][0]["content"]

    class Broken:
        responder = bank.responder

        def stream(self, *_):
            raise RuntimeError("secret detail")

    (answer,) = list(stream_messages(Broken(), "hello", []))[-1]
    assert "Something went wrong" in answer["content"]
    assert "secret" not in answer["content"]
    assert "a turn failed" in caplog.text
