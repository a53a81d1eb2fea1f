"""Earlier turns, picks and unhelpful replies."""

import pytest

from assistant.message.context import (
    TURNS,
    Asked,
    EarlierTurn,
    asks_back,
    failures_in_a_row,
    turns_before,
    what_is_asked,
)
from assistant.messages import Action, Citation, Message


def cited(*articles):
    return tuple(
        Citation(n, name, "en", name, f"{name}!", 0, 1) for n, name in enumerate(articles, 1)
    )


ANSWERED = [
    Message("user", "is there a fee"),
    Message("assistant", "Yes, £5.", Action.ANSWER, "answer", citations=cited("fees", "cards")),
    Message("user", "and the limit?"),
    Message("assistant", "£300.", Action.ANSWER, "answer", citations=cited("limits")),
]
THANKED = [
    *ANSWERED,
    Message("user", "cheers"),
    Message("assistant", "You're welcome.", Action.SMALL_TALK, "thanks"),
]


def test_the_last_turns_say_what_a_message_may_be_about():
    last, before = turns_before(ANSWERED)
    assert (last.question, last.answer) == ("and the limit?", "limits!")
    assert [c.article for c in before.citations] == ["fees", "cards"]


def test_small_talk_and_bare_handoffs_are_no_subject():
    person = [*ANSWERED, Message("user", "a person!"), Message("assistant", "-", Action.HANDOFF)]
    assert turns_before(THANKED) == turns_before(person) == turns_before(ANSWERED)


def test_a_declined_question_is_a_subject_without_an_answer():
    declined = [Message("user", "pets?"), Message("assistant", "-", Action.DECLINE, "not_found")]
    assert turns_before(declined) == [EarlierTurn("pets?")]


@pytest.mark.parametrize(
    "history",
    [
        [],
        [Message("assistant", "Hello, how can I help you today?")],
        [Message("user", "  "), Message("assistant", "?")],
    ],
)
def test_without_an_earlier_question_there_is_no_turn(history):
    assert turns_before(history) == []


def test_histories_of_other_clients_may_have_any_order():
    twice = [Message("user", "a"), Message("user", "b"), Message("assistant", "x")]
    assert [turn.question for turn in turns_before(twice)] == ["b", "a"]
    assert len(turns_before(twice * 100)) == TURNS


def test_a_clarifying_question_is_seen_until_the_next_reply():
    assert asks_back(ASKED)
    assert not asks_back([*ASKED, Message("user", "1"), Message("assistant", "£500.")])
    assert not asks_back([])


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
        ("cards", "Cards & cash"),
        ("the first one", "Cards & cash"),
        ("2nd please", "Transfers."),
        ("the last one", "Transfers."),
        ("第二个", "Transfers."),
    ],
)
def test_a_pick_asks_the_earlier_question(text, picked):
    assert what_is_asked(text, ASKED) == Asked("and the limit?", ASKED[:2], picked)


@pytest.mark.parametrize("text", ["4", "how about transfers", "0", "the third one", "第四个"])
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
    assert failures_in_a_row([user, declined, user, out_of_scope]) == 2
