"""Which sentences are said: the choice among them, their order, and what nearness alone finds."""

import numpy as np
import pytest

from assistant.evidence.ranked_sentences import (
    Evidence,
    RankedSentences,
    as_hits,
    is_of_another,
    runs_of,
)
from assistant.evidence.ranker import SentenceRanker
from assistant.evidence.selection import select
from knowledge.documents import Hit, Passage
from knowledge.segmenter import Span, sentences
from tests.fakes import HashEmbedder


def passage(article, text, lang="en"):
    return Passage(article, lang, article.title(), "", text, 0, len(text))


CARD = passage("cards", "A new card costs £5. It comes within 3 days. Call us if it does not.")
ROOM = passage("rooms", "A room is £80 a night.")


def ranked(*scores):
    """Return a ranking of the card's sentences and the room's with these scores, best first."""
    spans = [(CARD, span) for span in sentences(CARD.text, "en")]
    spans += [(ROOM, span) for span in sentences(ROOM.text, "en")]
    found = [Evidence(p, span, score) for (p, span), score in zip(spans, scores, strict=True)]
    return RankedSentences(sorted(found, key=lambda e: -e.score), 0.9)


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
    selected = select(ranked(*scores), "en")
    assert [e.text for e in selected] == said


def test_the_likeliest_article_is_as_sure_as_it_is_ahead_of_the_others():
    ranking = ranked(0.3, 0.2, 0.1, 0.4)
    assert list(ranking.articles) == ["cards", "rooms"]
    assert ranking.articles["rooms"] == 0.4
    assert ranking.best_article == pytest.approx(0.9 * 0.6)
    assert RankedSentences((), 0.0).best_article == 0.0


PRICES = passage(
    "prices", "A local card is free. A foreign card costs 1.5 %. It is blue. We like it."
)


def test_two_prices_of_one_article_are_said_together_sooner():
    """A customer who reads both sees which applies; any other sentence as unlikely is left out."""
    spans = sentences(PRICES.text, "en")
    scores = (0.7, 0.18, 0.01, 0.11)
    found = [Evidence(PRICES, s, score) for s, score in zip(spans, scores, strict=True)]
    ranking = RankedSentences(sorted(found, key=lambda e: -e.score), 0.9)
    selected = select(ranking, "en")
    assert [e.text for e in selected][:2] == [
        "A local card is free.",
        "A foreign card costs 1.5 %.",
    ]
    assert "We like it." not in [e.text for e in selected]


PLANS = passage("plans", "Basic has one seat. Team has five seats. Sales has ten seats.")


@pytest.mark.parametrize(
    ("shape", "count"), [("figure", 1), ("trouble", 2), ("other", 2), ("choice", 3)]
)
def test_how_much_is_said_depends_on_the_form_of_the_question(shape, count):
    """One figure is soon complete; a comparison needs both sides."""
    spans = sentences(PLANS.text, "en")
    found = [Evidence(PLANS, s, n) for s, n in zip(spans, (0.6, 0.3, 0.1), strict=True)]
    assert len(select(RankedSentences(found, 0.9), "en", shape)) == count


def selected(*pages, lang="en"):
    """Return what is selected of sentences that are all as likely, in the order of the pages."""
    rows = [(page, span) for page in pages for span in sentences(page.text, page.lang)]
    found = [Evidence(page, span, 1 / len(rows)) for page, span in rows]
    return [e.text for e in select(RankedSentences(found, 0.9), lang)]


@pytest.mark.parametrize(
    ("lang", "first", "second", "other"),
    [
        ("en", "A new card costs £5.", "**A new card** costs £5!", "Call us any time."),
        ("en", "A new card costs £5.", "In short: a new card costs £5.", "Call us any time."),
        ("zh", "新卡收费 5 英镑。", "**新卡**收费 5 英镑！", "请随时致电。"),
        ("zh", "新卡收费 5 英镑。", "简而言之，新卡收费 5 英镑。", "请随时致电。"),
    ],
)
def test_nothing_is_said_twice(lang, first, second, other):
    """A summary repeats its page, and one page another; the reader needs either."""
    pages = passage("cards", first, lang), passage("prices", second, lang)
    contact = passage("contact", other, lang)
    assert selected(*pages, contact, lang=lang) == [first, other]
    assert selected(*pages[::-1], contact, lang=lang) == [second, other]
    one = passage("cards", f"{first}\n\n{second}\n\n{other}", lang)
    assert selected(one, lang=lang) == [first, other]


def test_what_a_repetition_leaves_free_is_used_for_another_sentence():
    """At most three sentences are said, and those that repeat do not count."""
    again = passage("again", "Cards are blue. All cards are blue! We like blue. Call us.")
    assert selected(again) == ["Cards are blue.", "We like blue.", "Call us."]


@pytest.mark.parametrize(
    "other", ["A new card costs £50 abroad.", "A new card costs £5.50 abroad."]
)
def test_another_price_is_no_repetition(other):
    """Though its figures begin with the same ones."""
    first = "A new card costs £5."
    assert selected(passage("cards", f"{first}\n\n{other}")) == [first, other]


def test_a_sentence_that_leans_on_a_chosen_one_is_not_said_twice_either():
    page = passage("cards", "A new card costs £5. It comes within 3 days.")
    other = passage("post", "It comes within 3 days.")
    first, leaning = sentences(page.text, "en")
    likely = [
        Evidence(page, first, 0.5),
        Evidence(other, sentences(other.text, "en")[0], 0.4),
        Evidence(page, leaning, 0.1),
    ]
    said = [e.text for e in select(RankedSentences(likely, 0.9), "en")]
    assert len(said) == len(set(said))


STEPS = passage(
    "reset",
    "Your PIN is blocked. Then follow these steps:\n1. Open the app. Log in.\n2. Tap Cards.\n\n"
    "Call us.\n\n1. Another list.\n2. Of two.",
)


def chosen_of(steps, *likely):
    """Return what is selected where these sentences are as likely as can be, the others not."""
    spans = sentences(steps.text, steps.lang)
    found = [Evidence(steps, s, 0.5 if n in likely else 0.001) for n, s in enumerate(spans)]
    ranking = RankedSentences(sorted(found, key=lambda e: -e.score), 0.9)
    return select(ranking, steps.lang)


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
    ranker = SentenceRanker(HashEmbedder())
    empty = ranker.rank("a card", [], np.zeros(64, np.float32))
    assert empty == RankedSentences((), 0.0)
    assert select(empty, "en") == []


def test_an_embedder_without_weights_goes_by_nearness_and_the_hit():
    embedder = HashEmbedder()
    vector = embedder.encode_queries(["call us"])[0]
    found = SentenceRanker.open(embedder).rank("Call us", [Hit(CARD, 0.7)], vector)
    assert found.sentences[0].text == "Call us if it does not."
    assert found.answerable == 0.7
    both = SentenceRanker.open(embedder).rank("Call us", [Hit(CARD, 0.7), Hit(ROOM, 0.6)], vector)
    assert both.best_article == 0.7, "the hit's score is the article's"
    assert sum(e.score for e in found.sentences) == pytest.approx(1)


def test_beside_such_an_embedder_another_one_reads(embedder):
    """Its scores say nothing here; what is read tells that the sentence answers."""
    poor = HashEmbedder()
    question, hits = "how much is a new card", [Hit(CARD, 0.05)]
    vector = poor.encode_queries([question])[0]
    found = SentenceRanker.open(poor, reading=embedder).rank(question, hits, vector)
    assert found.sentences[0].text == "A new card costs £5."
    assert found.best_article > 0.9
    assert SentenceRanker.open(poor).rank(question, hits, vector).best_article == 0.05


def test_sentences_of_an_unlikely_article_are_not_read():
    embedder = HashEmbedder()
    vector = embedder.encode_queries(["a room"])[0]

    def read(score, *share):
        hits = [Hit(CARD, 0.9), Hit(ROOM, score)]
        found = SentenceRanker.open(embedder).rank("a room", hits, vector, *share)
        return {e.passage.article for e in found.sentences}

    assert read(0.1) == {"cards"}
    assert read(0.5) == {"cards", "rooms"}
    assert read(0.5, 0.8) == {"cards"}, "scores fitted on own questions know better"
    assert read(0.8, 0.8) == {"cards", "rooms"}


def test_spans_are_those_of_the_passage():
    found = ranked(0.4, 0.3, 0.2, 0.1).sentences
    assert all(e.passage.text[e.span.start : e.span.end] == e.text for e in found)
    assert isinstance(found[0].span, Span)


@pytest.mark.parametrize(
    ("name", "question", "is_other"),
    [
        ("Zone 4", "what does delivery to zone 237 cost", True),
        ("Zone 4", "zone 4 please", False),
        ("Zone 4", "zone 4 or zone 5", False),
        ("Zone 4", "what does delivery cost", False),
        ("第 4 区", "寄到第 9 区多少钱", False),
        ("区 4", "寄到区9多少钱", True),
        ("Cash up to £200", "cash up to £300", False),
    ],
)
def test_a_row_of_another_number_answers_nothing(name, question, is_other):
    text = f"| {name} | £5 |"
    evidence = Evidence(passage("rates", text), Span(0, len(text)), 1.0)
    assert is_of_another(evidence, question) == is_other
