"""Conversations as customers type them: their turns, their parts, and this project's own."""

import json
import re
from collections import Counter

import pytest

from knowledge.models.turn_before import TurnBefore
from knowledge.segmenter import length
from tests.public import data
from tuning import customer_talks
from tuning.customer_messages import FOLDER, CustomerMessage, supports
from tuning.customer_talks import LINES, talks_of, turns_of

FIRST = {"question": "whats a card cost", "kind": "first", "doc": "card|fees", "support": ["£5.", "b"]}  # fmt: skip
AFTER = {"question": "n how long", "kind": "follow_up", "alone": "how long does a card take", "doc": "card", "support": ["3 days."]}  # fmt: skip
OTHER = {"question": "do you sell gold", "kind": "unanswerable", "expect": "decline", "alone": "do you sell gold coins"}  # fmt: skip
THANKS = {"question": "ta", "kind": "small_talk", "expect": "small_talk"}
PERSON = {"question": "get me a human", "kind": "person", "expect": "handoff"}
CHANGE = {"question": "rooms?", "kind": "change", "doc": "room", "support": ["Rooms open at noon."]}


def test_a_turn_is_what_was_typed_and_its_message_needs_no_conversation():
    first, after = turns_of([FIRST, AFTER])
    assert (first.text, first.kind, first.expect) == (FIRST["question"], "first", "answer")
    assert not first.message.is_later
    assert (after.text, after.message.question) == (AFTER["question"], AFTER["alone"])
    assert after.message == CustomerMessage(AFTER["alone"], ("card",), ("3 days.",), is_later=True)


def test_a_first_turn_has_none_before_it():
    (first,) = turns_of([FIRST])
    assert first.last is None
    assert first.cited == ()


def test_a_later_turn_knows_the_one_before_it_as_it_should_have_been_answered():
    _, after, other, change = turns_of([FIRST, AFTER, OTHER, CHANGE])
    assert after.last == TurnBefore(FIRST["question"], "£5."), "the best sentence alone"
    assert other.last == TurnBefore(AFTER["question"], "3 days.")
    assert change.last == TurnBefore(OTHER["question"], ""), "nothing answered it"


def test_the_turn_before_is_no_small_talk_and_no_wish_for_a_person():
    turns = turns_of([FIRST, THANKS, PERSON, AFTER])
    asked = TurnBefore(FIRST["question"], "£5.")
    assert [turn.last for turn in turns] == [None, asked, asked, asked]
    assert [turn.expect for turn in turns] == ["answer", "small_talk", "handoff", "answer"]


def test_the_articles_that_answered_before_are_cited_the_latest_first_and_once():
    turns = turns_of([CHANGE, FIRST, AFTER, OTHER, CHANGE, THANKS])
    assert [turn.cited for turn in turns] == [
        (),
        ("room",),
        ("card", "room"),
        ("card", "room"),
        ("card", "room"),
        ("room", "card"),
    ]


@pytest.fixture
def others(tmp_path, monkeypatch):
    """Return a function that writes so many conversations of other people with the bank."""

    def write(count):
        for name in ("en", "zh"):
            rows = [[{**FIRST, "question": f"number {n}"}] for n in range(count)]
            lines = "\n".join(json.dumps(row) for row in rows)
            (tmp_path / f"bank_talks_{name}.jsonl").write_text(lines)
        monkeypatch.setattr(customer_talks, "shared_folder", lambda: tmp_path)
        for centres in ("TRAINING_CENTRES", "DEV_CENTRES"):
            monkeypatch.setattr(customer_talks, centres, ())

    return write


def test_every_fourth_conversation_of_other_people_is_for_development(others):
    others(9)
    found = {}
    for part in ("train", "dev"):
        (bank,) = [talks for talks in talks_of(part, "zh") if not talks.own]
        assert bank.centre.name == "bank-zh"
        found[part] = [turns[0].text for turns in bank.talks]
    assert found["dev"] == ["number 3", "number 7"]
    assert found["train"] == [f"number {n}" for n in range(9) if n % len(LINES) != 3]


def test_without_public_data_all_conversations_are_this_projects(monkeypatch):
    monkeypatch.delenv("FRONTDESK_DATA", raising=False)
    assert all(talks.own for part in ("train", "dev") for talks in talks_of(part, "en"))


def test_other_help_centres_talk_in_one_part_and_one_language_alone():
    data()
    names = {
        (part, lang): {t.centre.name for t in talks_of(part, lang) if not t.own} - {f"bank-{lang}"}
        for part in ("train", "dev")
        for lang in ("en", "zh")
    }
    assert all(names.values())
    assert sum(map(len, names.values())) == len(set.union(*names.values()))


@pytest.fixture(scope="module")
def own():
    """Return this project's own conversations by part and language."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("FRONTDESK_DATA", raising=False)
        return {(p, lang): talks_of(p, lang) for p in ("train", "dev") for lang in ("en", "zh")}


def turns(*listed):
    return [turn for talks in listed for talk in talks.talks for turn in talk]


def test_there_are_enough_conversations(own):
    training = [talk for lang in ("en", "zh") for t in own["train", lang] for talk in t.talks]
    assert len(training) >= 200
    for lang in ("en", "zh"):
        later = [turn for turn in turns(*own["dev", lang]) if turn.last]
        assert len(later) >= 200, lang


def test_they_are_held_with_a_help_centre_in_their_own_language(own):
    for (part, lang), listed in own.items():
        assert {talks.centre.lang for talks in listed} == {lang}
        banks = [talks for talks in listed if talks.centre.name == f"bank-{lang}"]
        assert len(banks) == 1, part


def test_no_help_centre_but_the_bank_is_in_both_parts(own):
    names = {
        part: {t.centre.name for (of, _), listed in own.items() if of == part for t in listed}
        for part in ("train", "dev")
    }
    assert names["train"] & names["dev"] == {"bank-en", "bank-zh"}


def test_every_sentence_of_support_stands_in_its_article(own):
    for listed in own.values():
        for talks in listed:
            for turn in turns(talks):
                for sentence in turn.message.support:
                    one = CustomerMessage("", turn.message.articles, (sentence,))
                    found = any(supports(one, talks.centre.articles))
                    assert found, (talks.centre.name, turn.text, sentence)


def bared(text):
    """Return a text without spaces, the marks of Markdown and capitals."""
    return re.sub(r"[\s*`]", "", text).lower()


def test_every_fact_stands_in_the_sentences_of_support(own):
    for listed in own.values():
        for turn in turns(*listed):
            said = bared("".join(turn.message.support))
            for fact in turn.message.facts:
                assert any(bared(way) in said for way in fact.split("|")), (turn.text, fact)


def test_what_is_answered_has_support_and_what_is_not_has_none(own):
    """An unanswerable turn alone is declined."""
    for listed in own.values():
        for turn in turns(*listed):
            assert bool(turn.message.support) == (turn.expect == "answer"), turn
            assert bool(turn.message.articles) == (turn.expect == "answer"), turn
            assert (turn.expect == "decline") == (turn.kind == "unanswerable"), turn
            assert (turn.expect == "handoff") == (turn.kind == "person"), turn


def test_the_first_turn_alone_is_of_the_kind_first(own):
    for listed in own.values():
        for talk in (talk for talks in listed for talk in talks.talks):
            assert [number for number, turn in enumerate(talk) if turn.kind == "first"] == [0]
            assert len(talk) > 1


def test_later_turns_are_of_many_kinds_in_both_parts_and_languages(own):
    for key, listed in own.items():
        kinds = Counter(turn.kind for turn in turns(*listed))
        for kind in (
            "follow_up", "change", "return", "correction", "confirm", "pushback", "unanswerable",
            "small_talk", "person",
        ):  # fmt: skip
            assert kinds[kind] >= 5, (key, kind)


def test_no_message_of_some_words_is_typed_in_both_parts(own):
    """Of this project's own; short ones ("thanks") are typed by many."""
    typed = {
        part: {
            "".join(turn.text.lower().split())
            for lang in ("en", "zh")
            for turn in turns(*own[part, lang])
            if length(turn.text) >= 4
        }
        for part in ("train", "dev")
    }
    assert len(typed["train"]) > 1000
    assert not typed["train"] & typed["dev"]


def test_no_conversation_stands_in_the_files_twice():
    lines = [
        line
        for file in sorted(FOLDER.glob("talks*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    asked = [tuple(turn["question"] for turn in json.loads(line)) for line in lines]
    assert len(lines) == len(set(asked)) == 644
