"""Which sentences answer: their features by hand, the choice among them, and the real weights."""

import dataclasses
import json

import numpy as np
import pytest

from assistant.errors import AssistantError
from assistant.evidence import Evidence, EvidenceSelector, Ranking, as_hits, runs_of
from assistant.evidence_features import (
    QUESTION_FEATURES,
    SENTENCE_FEATURES,
    question_features,
    sentence_features,
)
from assistant.evidence_scorer import BIAS, SHIPPED, EvidenceScorer
from knowledge.documents import Hit, Passage
from knowledge.lexical import LexicalIndex
from knowledge.segmenter import Span, sentences
from tests.fakes import HashEmbedder
from tuning import evidence as training
from tuning.companies import load_companies


def passage(article, text, lang="en"):
    return Passage(article, lang, article.title(), "", text, 0, len(text))


CARD = passage("cards", "A new card costs £5. It comes within 3 days. Call us if it does not.")
ROOM = passage("rooms", "A room is £80 a night.")


def features(question, *hits):
    """Return the features of all sentences as dictionaries; cosines are all 0.5."""
    lexical = LexicalIndex([hit.passage.text for hit in hits])
    listed = [
        (hit, place, span.of(hit.passage.text))
        for hit in hits
        for place, span in enumerate(sentences(hit.passage.text, hit.passage.lang))
    ]
    near, places, texts = zip(*listed, strict=True)
    nearness = np.full((len(texts), 2), 0.5)
    table = sentence_features(question, texts, places, near, nearness, lexical)
    return [dict(zip(SENTENCE_FEATURES, row, strict=True)) for row in table], table, near, lexical


def test_what_is_asked_for_meets_what_a_sentence_holds():
    cost, delay, call = features("how much is a new card", Hit(CARD, 0.9))[0]
    assert (cost["price"], delay["price"], call["price"]) == (1, 0, 0)
    assert cost["words"] > delay["words"]
    assert [row["opening"] for row in (cost, delay, call)] == [1, 0, 0]
    assert [row["place"] for row in (cost, delay, call)] == [0, 1, 2]
    assert features("how long does it take", Hit(CARD, 0.9))[0][1]["long"] == 1
    assert features("how do i get one", Hit(CARD, 0.9))[0][2]["how"] == 1


def test_chinese_questions_ask_alike():
    card = passage("补卡", "补办一张卡收费5英镑。三天之内寄到。", "zh")
    cost, delay = features("补卡多少钱", Hit(card, 0.9))[0]
    assert (cost["price"], delay["price"]) == (1, 0)
    assert features("多久能寄到", Hit(card, 0.9))[0][1]["long"] == 1


def test_words_that_stand_nowhere_count_against_an_answer():
    def unknown(question):
        _, table, near, lexical = features(question, Hit(CARD, 0.9), Hit(ROOM, 0.1))
        row = question_features(question, table, table[:, 0], near, lexical)
        return dict(zip(QUESTION_FEATURES, row, strict=True))

    assert unknown("a new card")["unknown_words"] == 0
    assert 0 < unknown("a new card for nurses")["unknown_words"] < 1
    assert unknown("nurses")["unknown_words"] == 1
    assert unknown("a new card")["hit"] == pytest.approx(np.log(0.901 / 0.101))


def ranked(*scores):
    """Return a ranking of the card's sentences and the room's with these scores, best first."""
    spans = [(CARD, span) for span in sentences(CARD.text, "en")]
    spans += [(ROOM, span) for span in sentences(ROOM.text, "en")]
    found = [Evidence(p, span, score) for (p, span), score in zip(spans, scores, strict=True)]
    return Ranking(sorted(found, key=lambda e: -e.score), 0.9)


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ((0.1, 0.0, 0.8, 0.1), ["Call us if it does not."]),
        ((0.3, 0.1, 0.5, 0.1), ["A new card costs £5.", "It comes within 3 days.", "Call us if it does not."]),  # the second leans on the first
        ((0.1, 0.1, 0.5, 0.2), ["Call us if it does not."]),
        ((0.0, 0.0, 0.6, 0.4), ["Call us if it does not.", "A room is £80 a night."]),
    ],
)  # fmt: skip
def test_what_is_likely_enough_is_said_in_the_order_of_the_article(scores, said):
    selected = EvidenceSelector(HashEmbedder()).select(ranked(*scores), "en")
    assert [e.text for e in selected] == said


STEPS = passage(
    "reset",
    "Your PIN is blocked. Then follow these steps:\n1. Open the app. Log in.\n2. Tap Cards.\n\n"
    "Call us.\n\n1. Another list.\n2. Of two.",
)


def chosen_of(steps, *likely):
    """Return what is selected where these sentences are as likely as can be, the others not."""
    spans = sentences(steps.text, steps.lang)
    found = [Evidence(steps, s, 0.5 if n in likely else 0.001) for n, s in enumerate(spans)]
    ranking = Ranking(sorted(found, key=lambda e: -e.score), 0.9)
    return EvidenceSelector(HashEmbedder()).select(ranking, steps.lang)


@pytest.mark.parametrize("likely", [1, 2, 3, 4])
def test_steps_come_all_together_or_not_at_all(likely):
    first = ["Open the app.", "Log in.", "Tap Cards."]
    said = [e.text for e in chosen_of(STEPS, likely)]
    assert said[-3:] == first
    assert "Another list." not in said


def test_a_sentence_that_announces_no_steps_comes_alone():
    assert [e.text for e in chosen_of(STEPS, 5)] == ["Call us."]
    assert [e.text for e in chosen_of(STEPS, 6)] == ["Another list.", "Of two."]


def test_chinese_steps_too():
    steps = passage("重置", "请按以下步骤操作。\n1. 打开应用。\n2. 点击卡片。", "zh")
    assert [(e.step, e.text) for e in chosen_of(steps, 0)] == [
        ("", "请按以下步骤操作。"),
        ("1.", "打开应用。"),
        ("2.", "点击卡片。"),
    ]


def test_a_generator_reads_the_likeliest_first_and_steps_in_their_order():
    read = as_hits(runs_of(ranked(0.1, 0.2, 0.6, 0.1).sentences[::-1]))
    assert read[0].passage.text == "Call us if it does not."
    (steps,) = as_hits(runs_of(chosen_of(STEPS, 3)))
    assert steps.passage.text == "1. Open the app. Log in. 2. Tap Cards."


def test_without_sentences_nothing_is_selected():
    selector = EvidenceSelector(HashEmbedder())
    empty = selector.rank("a card", [], LexicalIndex(["x"]), np.zeros(64, np.float32))
    assert empty == Ranking((), 0.0)
    assert selector.select(empty, "en") == []


def test_an_embedder_without_weights_goes_by_nearness_and_the_hit():
    embedder, lexical = HashEmbedder(), LexicalIndex([CARD.text])
    vector = embedder.encode_queries(["call us"])[0]
    found = EvidenceSelector(embedder).rank("Call us", [Hit(CARD, 0.7)], lexical, vector)
    assert found.sentences[0].text == "Call us if it does not."
    assert found.answerable == 0.7
    assert sum(e.score for e in found.sentences) == pytest.approx(1)


def test_sentences_of_an_unlikely_article_are_not_read():
    embedder, lexical = HashEmbedder(), LexicalIndex([CARD.text, ROOM.text])
    vector = embedder.encode_queries(["a room"])[0]

    def read(score, **options):
        hits = [Hit(CARD, 0.9), Hit(ROOM, score)]
        found = EvidenceSelector(embedder).rank("a room", hits, lexical, vector, **options)
        return {e.passage.article for e in found.sentences}

    assert read(0.1) == {"cards"}
    assert read(0.5) == {"cards", "rooms"}
    assert read(0.5, own=True) == {"cards"}, "scores fitted on own questions know better"
    assert read(0.8, own=True) == {"cards", "rooms"}


def test_weights_of_other_features_are_refused(tmp_path):
    weights = json.loads(SHIPPED.read_text())
    scorer = EvidenceScorer(weights["sentence"], weights["question"])
    assert 0 < scorer.answerable(np.zeros(len(QUESTION_FEATURES))) < 1
    assert EvidenceScorer.load("another embedder") is None
    assert EvidenceScorer.load("any", tmp_path / "nowhere.json") is None
    del weights["sentence"]["nearness"]
    with pytest.raises(AssistantError, match=r"Fit them again: python -m tuning\.evidence"):
        EvidenceScorer(weights["sentence"], weights["question"])


def test_the_fit_finds_what_decides():
    """The right sentence has the longer "words"; the answerable question the surer best one."""
    draw = np.random.default_rng(0)
    selector, lexical = EvidenceSelector(HashEmbedder()), LexicalIndex([CARD.text])
    read = selector.read(
        "card", [Hit(CARD, 0.5)], lexical, HashEmbedder().encode_queries(["card"])[0]
    )
    made = []
    for number in range(60):
        table = draw.normal(size=read.table.shape)
        gold = table[:, 5] == table[:, 5].max()
        answerable = number % 3 > 0
        case = training.Case(
            f"c{number % 10}", "en", "card", answerable,
            dataclasses.replace(read, table=table), gold & answerable, lexical,
        )  # fmt: skip
        made.append(case)
    weights = training.fit_sentences(made)
    assert SENTENCE_FEATURES[int(np.argmax(weights))] == "words"
    assert weights.max() > 3 * np.delete(weights, 5).max()
    table = draw.normal(size=(200, len(QUESTION_FEATURES)))
    weights, bias = training.fit_questions(table, table[:, 0] > 0)
    assert int(np.argmax(weights)) == 0
    assert bias == pytest.approx(np.log(4), abs=1.5), "one in five is taken to be unanswered"
    whole = training.fit(made, "hash")
    assert set(whole["question"]) == {*QUESTION_FEATURES, BIAS}


@pytest.mark.parametrize("name", ["willow-dental", "heyuan-wuye"])
def test_the_right_sentence_comes_first_for_a_company_never_seen(embedder, name):
    company = next(c for c in load_companies("dev") if c.id == name)
    known = [c for c in training.cases([company], embedder) if c.answerable]
    scorer = EvidenceScorer.load(embedder.query_name)
    first = [c.gold[np.argmax(scorer.sentences(c.read.table))] for c in known]
    nearest = [c.gold[np.argmax(c.read.table[:, 0])] for c in known]
    assert np.mean(first) >= 0.65
    assert np.mean(first) > np.mean(nearest)


def test_spans_are_those_of_the_passage():
    found = ranked(0.4, 0.3, 0.2, 0.1).sentences
    assert all(e.passage.text[e.span.start : e.span.end] == e.text for e in found)
    assert isinstance(found[0].span, Span)
