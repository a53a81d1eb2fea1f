"""Earlier messages with their decisions: sent back by a client, or recovered from the text."""

import pytest
from pydantic import ValidationError

from assistant.message.history import (
    DECIDED,
    SentDecision,
    choice_lines,
    earlier_message,
    recover_decision,
    with_citations,
)
from assistant.messages import Action, Citation, Message, Reply
from knowledge.documents import Passage
from knowledge.retrieval.quotations import Quotations

SAYINGS = {
    **{name: (f"{name}!",) for name in DECIDED},
    "clarify": ("I'm not sure which:", "我不确定："),
    "not_found": ("I don't know.", "我不知道。"),
}


def recover(message):
    return recover_decision(message, SAYINGS)


def test_choices_are_recovered_from_the_text():
    text = "\n".join(
        ["I'm not sure which:", *choice_lines(["Cards & cash", "Transfers.", "None of these"])]
    )
    message = recover(Message("assistant", text))
    assert (message.action, message.reason) == (Action.CLARIFY, "clarify")
    assert message.choices == ("Cards & cash", "Transfers.", "None of these")


def test_a_decline_is_recovered_from_the_text():
    message = recover(Message("assistant", "我不知道。请换一种说法。"))
    assert (message.action, message.reason) == (Action.DECLINE, "not_found")


@pytest.mark.parametrize(("name", "action"), DECIDED.items())
def test_every_fixed_reply_is_recovered_from_its_text(name, action):
    message = recover(Message("assistant", SAYINGS[name][0]))
    assert (message.action, message.reason) == (action, name)


CARDS = Passage("cards", "en", "Cards", "", "A new card costs £5.\nIt takes a day.", 10, 46)


def test_what_a_reply_quotes_is_recovered_from_its_text():
    said = Message("assistant", "A new card costs £5.")
    recovered = with_citations(said, Quotations([CARDS]))
    assert recovered.action is Action.ANSWER
    (citation,) = recovered.citations
    assert (citation.article, citation.quote, citation.start) == ("cards", said.text, 10)


@pytest.mark.parametrize(
    "message",
    [
        Message("user", "A new card costs £5."),
        Message("assistant", "A new card costs £9."),
        Message("assistant", "A new card costs £5.", Action.CLARIFY, "clarify"),
    ],
)
def test_nothing_else_has_citations(message):
    assert with_citations(message, Quotations([CARDS])) == message


@pytest.mark.parametrize(
    "message",
    [
        Message("user", "I'm not sure which:\n1. Open it."),
        Message("assistant", "Do this:\n1. Open it.\n2. Close it."),
        Message("assistant", "I don't know.", Action.ANSWER, "answer"),
    ],
)
def test_other_messages_are_returned_unchanged(message):
    """A customer's message, a text without a decision, and a message with a decision."""
    assert recover(message) == message


def test_a_decision_comes_back_as_it_was_sent():
    citation = Citation(1, "fees", "en", "Fees", "£5", 3, 5)
    reply = Reply(
        "Which?", Action.CLARIFY, "clarify", "en", citations=(citation,), choices=("A", "B")
    )
    sent = SentDecision.of(reply).model_dump_json()
    back = earlier_message("assistant", "Which?", SentDecision.model_validate_json(sent))
    assert back == reply.message()


def test_a_customers_message_has_no_decision():
    decision = SentDecision(action=Action.CLARIFY, choices=["A"])
    assert earlier_message("user", "hi", decision) == Message("user", "hi")


def test_unreadable_characters_are_removed():
    """Tokenizers refuse lone surrogates."""
    text = "bro\x00ken \ud800😢\n卡"
    assert earlier_message("user", text) == Message("user", "broken 😢\n卡")


def test_an_unknown_action_is_an_error():
    with pytest.raises(ValidationError, match="action"):
        SentDecision.model_validate({"action": "transfer_money"})
