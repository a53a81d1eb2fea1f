"""Later turns as the evidence model reads them: from conversations, and made by rule."""

import dataclasses
import re

import pytest

from knowledge.documents import Article
from knowledge.models.turn_before import TurnBefore
from tests.fakes import HashEmbedder
from tuning.companies import Company, Pair
from tuning.customer_messages import HelpCentre
from tuning.customer_talks import Talks, turns_of
from tuning.evidence_model.cases import CasePassage, read_cases, write_cases
from tuning.evidence_model.later_cases import (
    OPENINGS,
    made_cases,
    talk_cases,
    without_shared_words,
)

EMBEDDER = HashEmbedder()


@pytest.mark.parametrize(
    ("question", "known", "rest"),
    [
        ("How long does a new card take to arrive?", "What does a new card cost? Cards", "How long a new take to arrive?"),
        ("Delivery costs how much on Sundays?", "delivery", "costs how much on Sundays?"),
        ("Does delivery cost anything on Sundays?", "DELIVERY cost", "Does anything on Sundays?"),
        ("Can I return shoes that I have worn?", "Rooms", "Can I return shoes that I have worn?"),
        ("How do I pay for it by cheque?", "how do I pay", "How do I pay for it by cheque?"),
        ("Where is it?", "Where is the parcel?", "Where is it?"),
        ("Where is my parcel?", "Is the parcel late? Where is it?", "Where is my parcel?"),
        ("Which cardboard boxes can I send?", "card", "Which cardboard boxes can I send?"),
    ],
)  # fmt: skip
def test_what_was_said_before_is_left_out_of_an_english_question(question, known, rest):
    """Whole words of four letters or more; too little that remains is asked in full."""
    assert without_shared_words(question, known, "en") == rest


@pytest.mark.parametrize(
    ("question", "known", "rest"),
    [
        ("运费多久能退回来？", "运费谁出", "多久能退回来？"),
        ("寄到上海的运费，什么时候交？", "运费 上海", "寄到的，什么时候交？"),
        ("可以退鞋子吗？", "房间几点开门", "可以退鞋子吗？"),
        ("运费几块？", "运费谁出", "运费几块？"),
        ("补办银行卡要多久才能寄到？", "补办银行卡多少钱", "要多久才能寄到？"),
        ("卡要多久才能寄到？", "卡 丢了", "卡要多久才能寄到？"),
    ],
)
def test_what_was_said_before_is_left_out_of_a_chinese_question(question, known, rest):
    """Two characters or more that stand together; less than four that remain are too little."""
    assert without_shared_words(question, known, "zh") == rest


SHOP = Company(
    "shop",
    "The Shop",
    "shop",
    "en",
    [
        Article("cards", "Gift cards", "en", "A gift card costs £5. It is valid for 2 years.", "p"),
        Article("rooms", "Rooms", "en", "Rooms open at noon. A room costs £80 a night.", "p"),
        Article("parking", "Parking", "en", "Cars wait in the yard behind our house.", "p"),
    ],
    [
        Pair("How much does a gift card cost me?", "A gift card costs £5.", "cards"),
        Pair("What will a gift card set me back?", "A gift card costs £5.", "cards"),
        Pair("For how many years is a gift card valid?", "It is valid for 2 years.", "cards"),
        Pair("When can I get into my room?", "Rooms open at noon.", "rooms"),
        Pair("What is the price of a room per night?", "A room costs £80 a night.", "rooms"),
        Pair("Do you sell gold coins?", "", ""),
        Pair("Can I bring my own horse?", "", ""),
    ],
)
PAIRS = {pair.question: pair for pair in SHOP.pairs}


def right_of(case):
    """Return the sentences that answer a case."""
    return {
        span.of(passage.text)
        for passage in case.passages
        for span, right in zip(passage.sentences, passage.gold, strict=True)
        if right
    }


@pytest.fixture(scope="module")
def many():
    """Return what twenty seeds make of the shop's questions."""
    return [case for seed in range(20) for case in made_cases(SHOP, EMBEDDER, seed)]


def pair_of(case):
    """Return what a case asks, in full."""
    found = [pair for pair in SHOP.pairs if case.question.endswith(pair.question)]
    shortened = (
        pair
        for pair in SHOP.pairs
        if case.question == without_shared_words(pair.question, known(case), "en")
    )
    return found[0] if found else next(shortened)


def known(case):
    titles = {article.id: article.title for article in SHOP.articles}
    return f"{case.asked} {titles.get(case.article, '')}"


def test_every_case_follows_another_question_that_was_answered(many):
    for case in many:
        before = PAIRS[case.asked]
        assert case.answered == before.answer != ""
        assert before is not pair_of(case)
        assert case.last == TurnBefore(before.question, before.answer)
        assert (case.company, case.lang) == ("shop", "en")


def test_a_question_about_the_same_article_leaves_out_what_was_said(many):
    shortened = [case for case in many if not case.question.endswith(tuple(PAIRS))]
    assert {case.article for case in shortened} == {"cards", "rooms"}
    for case in shortened:
        pair, before = pair_of(case), PAIRS[case.asked]
        assert pair.article == before.article == case.article
        assert pair.answer != before.answer
        assert not {"gift", "card", "room", "rooms"} & set(re.findall("[a-z]+", case.question))


def test_no_question_about_the_same_article_is_announced_as_another_subject(many):
    openings = tuple(opening for opening in OPENINGS["en"] if opening)
    announced = [case for case in many if case.question.startswith(openings)]
    assert announced
    assert all(PAIRS[case.asked].article != pair_of(case).article for case in announced)


def test_some_questions_change_the_subject_and_some_say_so(many):
    changed = [
        case for case in many if case.article and PAIRS[case.asked].article != pair_of(case).article
    ]
    assert {PAIRS[case.asked].article for case in changed} == {"cards", "rooms"}
    begun = {case.question.removesuffix(pair_of(case).question) for case in changed}
    assert "" in begun
    assert len(begun) > 1
    assert begun <= set(OPENINGS["en"])


def test_some_questions_are_answered_by_nothing(many):
    unanswered = [case for case in many if not case.article]
    assert {pair_of(case).question for case in unanswered} == {
        "Do you sell gold coins?", "Can I bring my own horse?",
    }  # fmt: skip
    assert 0 < len(unanswered) < len(many) / 4, "few"
    assert not any(any(p.gold) for case in unanswered for p in case.passages)


def test_the_sentences_that_answer_are_told_and_the_article_before_is_read(many):
    for case in many:
        assert right_of(case) == ({pair_of(case).answer} if case.article else set())
        articles = [p.article for p in case.passages]
        assert len(articles) == len(set(articles))
        assert {PAIRS[case.asked].article, case.article} - {""} <= set(articles)


def test_an_article_that_is_not_found_is_read_nevertheless(monkeypatch):
    """Where a company's question has other words than its article."""
    monkeypatch.setattr("tuning.evidence_model.later_cases.FOUND", 1)
    asked = "Gift card gift card?"
    hidden = Pair(asked, "Cars wait in the yard behind our house.", "parking")
    shop = dataclasses.replace(SHOP, pairs=[*SHOP.pairs[:2], hidden])
    cases = [case for case in made_cases(shop, EMBEDDER, 0) if case.question.endswith(asked)]
    assert [right_of(case) for case in cases] == [{hidden.answer}]


def test_the_seed_alone_decides():
    one, same, other = (list(made_cases(SHOP, EMBEDDER, seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


CHINESE = Company(
    "dian",
    "小店",
    "shop",
    "zh",
    [
        Article("yunfei", "运费", "zh", "寄一件 5 元。两天内退回。", "p"),
        Article("menpiao", "门票", "zh", "成人票八十块。", "p"),
    ],
    [
        Pair("运费一件要多少钱？", "寄一件 5 元。", "yunfei"),
        Pair("运费几天之内退回？", "两天内退回。", "yunfei"),
        Pair("进去玩一次贵吗？", "成人票八十块。", "menpiao"),
    ],
)


def test_chinese_cases_are_made_too():
    cases = [case for seed in range(20) for case in made_cases(CHINESE, EMBEDDER, seed)]
    asked = {case.question for case in cases}
    assert {"一件要多少钱？", "几天之内退回？"} <= asked
    begun = {q.removesuffix(p.question) for q in asked for p in CHINESE.pairs if p.question in q}
    assert begun - {""}
    assert begun <= set(OPENINGS["zh"])


FIRST = {"question": "gift card price", "kind": "first", "doc": "cards", "support": ["A gift card costs £5."]}  # fmt: skip
AFTER = {"question": "n how long is it good for", "kind": "follow_up", "alone": "how long is a card valid", "doc": "cards", "support": ["It is valid for 2 years."]}  # fmt: skip
CHANGE = {"question": "zzz", "kind": "change", "doc": "rooms|cards", "support": ["Rooms open at noon."]}  # fmt: skip
THANKS = {"question": "ta", "kind": "small_talk", "expect": "small_talk"}
GOLD = {"question": "gold coins?", "kind": "unanswerable", "expect": "decline"}
LOST = {"question": "and now", "kind": "follow_up", "doc": "rooms", "support": ["Not in the text."]}
CENTRE = HelpCentre("shop", "en", SHOP.articles, ())


def cases_of(*rows):
    return list(talk_cases(Talks(CENTRE, [turns_of(rows)]), EMBEDDER, ()))


def test_each_later_turn_that_is_answered_or_declined_is_a_case():
    after, gold, change = cases_of(FIRST, THANKS, AFTER, GOLD, CHANGE)
    assert (after.question, after.article) == (AFTER["question"], "cards"), "as it was typed"
    assert after.last == TurnBefore(FIRST["question"], "A gift card costs £5.")
    assert (gold.question, gold.article) == (GOLD["question"], "")
    assert gold.last == TurnBefore(AFTER["question"], "It is valid for 2 years.")
    assert (change.article, change.answered) == ("rooms", "")


def test_a_sentence_that_supports_a_turn_is_right_and_nothing_else():
    cases = cases_of(FIRST, AFTER, CHANGE, GOLD)
    assert [right_of(case) for case in cases] == [
        {"It is valid for 2 years."}, {"Rooms open at noon."}, set(),
    ]  # fmt: skip


def test_what_supports_a_turn_and_what_answered_before_is_read_though_it_is_not_found(monkeypatch):
    monkeypatch.setattr("tuning.evidence_model.later_cases.FOUND", 1)
    (change,) = cases_of(FIRST, {**CHANGE, "question": "gift card gift card"})
    assert {p.article for p in change.passages} == {"cards", "rooms"}
    assert right_of(change) == {"Rooms open at noon."}
    (far,) = cases_of(FIRST, {**GOLD, "question": "cars in the yard behind our house"})
    assert {p.article for p in far.passages} == {"parking", "cards"}


def test_a_turn_whose_support_stands_nowhere_is_no_case():
    assert cases_of(FIRST, LOST) == []
    assert cases_of(FIRST, THANKS) == []


def test_cases_of_later_turns_are_read_as_they_were_written(tmp_path):
    cases = cases_of(FIRST, AFTER, GOLD)
    write_cases(tmp_path / "talks.jsonl", cases)
    assert read_cases(tmp_path / "talks.jsonl") == cases


def test_a_passage_without_its_answer_keeps_all_other_sentences():
    text = "- One is free.\n- It costs £5.\n- Call us. It is late."
    spans = [[2, 14], [17, 29], [32, 40], [41, 52]]
    passage = CasePassage("fees", "Fees", text, spans, [False, True, False, True], 0.5)
    rest = passage.without_answer()
    assert [span.of(rest.text) for span in rest.sentences] == ["One is free.", "Call us."]
    assert rest.text.splitlines() == ["One is free.", "Call us."], "each on a line of its own"
    assert "£5" not in rest.text
    assert "late" not in rest.text
    assert rest.gold == [False, False]
    assert (rest.article, rest.name, rest.score) == ("fees", "Fees", 0.5)


def test_a_passage_that_is_all_answer_is_empty_without_it():
    passage = CasePassage("fees", "Fees", "It is free.", [[0, 11]], [True], 0.5)
    rest = passage.without_answer()
    assert (rest.text, rest.spans, rest.gold) == ("", [], [])
    untouched = CasePassage("fees", "Fees", "It is free.", [[0, 11]], [False], 0.5)
    assert [span.of(untouched.text) for span in untouched.sentences] == ["It is free."]
    assert untouched.without_answer().spans == untouched.spans
