"""The messages of the chat page, without a browser."""

import pytest

from assistant.messages import Action, Citation, Reply, Support
from assistant.ui.chat import (
    earlier_messages,
    last_number,
    reply_messages,
    source_list_html,
    stream_messages,
    text_with_marks,
)
from assistant.web.tokens import Tokens
from tests.conftest import desk_of

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


def test_choices_become_buttons():
    reply = Reply("Which?", Action.CLARIFY, "clarify", "en", choices=("A", "B"))
    assert reply_messages(reply)[0]["options"][1] == {"value": "B", "label": "B"}


TOKENS = Tokens("secret", days=1)


def said(desk, text, token="none", after=0):
    """Return the last state of the messages of a reply, and the token of its conversation."""
    return list(stream_messages(desk, TOKENS, text, token, after))[-1]


def test_errors_become_messages(bank, tmp_path, caplog):
    desk = desk_of(bank, tmp_path)
    (answer,), token = said(desk, "")
    assert answer["content"].startswith("Your message was empty")
    assert token == "none", "an invalid message begins no conversation"
    assert "太长" in said(desk, "太" * 5000)[0][0]["content"]

    class Broken:
        responder = bank.responder

        def stream(self, *_):
            raise RuntimeError("secret detail")

    (answer,), token = said(desk_of(Broken(), tmp_path), "hello")
    assert "Something went wrong" in answer["content"]
    assert "secret" not in answer["content"]
    assert "a turn failed" in caplog.text
    asked, failed = earlier_messages(desk, TOKENS, token)
    assert (asked["content"], failed["content"]) == ("hello", answer["content"])


def test_the_conversation_of_a_token_goes_on_and_comes_back(bank, tmp_path):
    desk = desk_of(bank, tmp_path)
    first, token = said(desk, "I lost my card <b>")
    then, _ = said(desk, "how much is a new one?", token, last_number(first))
    assert "£5" in then[0]["content"]
    asked = [{"role": "user", "content": text} for text in FOLLOWED]
    assert earlier_messages(desk, TOKENS, token) == [asked[0], *first, asked[1], *then]
    changed, _ = said(desk, "I lost my phone", token)
    assert last_number(changed) == 6
    desk.conversations.delete(TOKENS.read(token))
    assert earlier_messages(desk, TOKENS, token) == []
    _, new = said(desk, "I lost my card", token)
    assert TOKENS.read(new) != TOKENS.read(token), "a deleted conversation does not go on"


def test_while_a_person_has_it_the_page_says_that_the_message_arrived(bank, tmp_path):
    desk = desk_of(bank, tmp_path)
    _, token = said(desk, "I want to talk to a person")
    (handoff,) = desk.handover.handoffs.all()
    desk.handover.handoffs.take(handoff.id, "ann")
    (shown,), _ = said(desk, "我想问一下", token)
    assert shown["content"].startswith("已送达")
    desk.conversations.say(TOKENS.read(token), "Hello!", "person", "ann")
    assert earlier_messages(desk, TOKENS, token)[-1]["content"] == "ann: Hello!"


FOLLOWED = ("I lost my card &lt;b&gt;", "how much is a new one?")


OF_ANOTHER_KEY = Tokens("another", 1).sign("a" * 32)


# A token holds the time: without names the two test processes would collect different tests.
@pytest.mark.parametrize(
    "token", ["", "none", "{}", OF_ANOTHER_KEY], ids=["empty", "a word", "braces", "another key"]
)
def test_a_token_that_is_not_ours_opens_nothing(bank, tmp_path, token):
    assert earlier_messages(desk_of(bank, tmp_path), TOKENS, token) == []
