"""Follow-ups, picks and unhelpful replies."""

import pytest

from assistant.message.context import (
    Asked,
    antecedent,
    failures_in_a_row,
    is_followup,
    what_is_asked,
)
from assistant.messages import Action, Message

HISTORY = [
    Message("user", "I left my card on the bus this morning"),
    Message("assistant", "Freeze it."),
    Message("user", "and then?"),
    Message("assistant", "Report it."),
]


@pytest.mark.parametrize(
    "text",
    [
        "how much is a new one?",
        "and abroad?",
        "what about weekends",
        "why?",
        "那补卡要多少钱？",
        "它多久到",
    ],
)
def test_followups(text):
    assert is_followup(text)
    assert antecedent(text, HISTORY) == "I left my card on the bus this morning"


@pytest.mark.parametrize(
    "text", ["How do I change the address on my account?", "取现金要手续费吗，国外也要吗"]
)
def test_other_questions_stand_alone(text):
    assert antecedent(text, HISTORY) is None


def test_without_an_earlier_question_nothing_is_followed():
    assert antecedent("and abroad?", []) is None
    assert (
        antecedent("and abroad?", [Message("assistant", "Hello, how can I help you today?")])
        is None
    )


CHOICES = ("Cards & cash", "Transfers.", "None of these")
ASKED = [
    Message("user", "is there a fee"),
    Message("assistant", "Yes, £5.", Action.ANSWER, "answer"),
    Message("user", "and the limit?"),
    Message("assistant", "Which one?", Action.CLARIFY, "clarify", CHOICES),
]


@pytest.mark.parametrize(
    ("text", "picked"),
    [
        ("Cards & cash", "Cards & cash"),
        ("cards & cash.", "Cards & cash"),
        ("transfers", "Transfers."),
        ("2", "Transfers."),
        ("2.", "Transfers."),
        ("none of these", "None of these"),
    ],
)
def test_a_pick_asks_the_earlier_question(text, picked):
    assert what_is_asked(text, ASKED) == Asked("and the limit?", ASKED[:2], picked)


@pytest.mark.parametrize("text", ["4", "cards", "how about transfers", "0"])
def test_any_other_message_is_no_pick(text):
    assert what_is_asked(text, ASKED) == Asked(text, ASKED)


def test_further_picks_are_possible_until_another_question():
    more = [*ASKED, Message("user", "1"), Message("assistant", "£500 a day.")]
    assert what_is_asked("2", more).question == "and the limit?"
    after = [*more, Message("user", "thanks, and abroad?"), Message("assistant", "£300.")]
    assert what_is_asked("2", after) == Asked("2", after)


def test_only_a_clarifying_question_with_a_question_before_it_offers_choices():
    steps = [Message("user", "steps?"), Message("assistant", "Do this:\n1. Open it.\n2. Close it.")]
    assert what_is_asked("2", steps) == Asked("2", steps)
    alone = [Message("assistant", "Which?", Action.CLARIFY, "clarify", CHOICES)]
    assert what_is_asked("1", alone).picked is None


def test_unhelpful_replies_are_counted_from_the_end():
    user, declined = Message("user", "?"), Message("assistant", "-", Action.DECLINE, "not_found")
    assert failures_in_a_row([user, declined, user, ASKED[-1], user]) == 2
    assert failures_in_a_row([user, declined, user, ASKED[1], user, declined]) == 1
    out_of_scope = Message("assistant", "-", Action.DECLINE, "out_of_scope")
    assert failures_in_a_row([user, declined, user, out_of_scope]) == 0
