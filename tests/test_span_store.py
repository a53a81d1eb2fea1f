"""The vectors of span embedders on disk: each passage is read once, and damage costs time alone."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from knowledge.documents import Article, Passage
from knowledge.retrieval.calibration import Calibration
from knowledge.retrieval.faiss_index import FaissIndex
from knowledge.retrieval.snapshot import Snapshot
from knowledge.retrieval.span_store import open_span_indexes
from tests.fakes import CountingSpanEmbedder

CARD, FEE = "A card costs £5. It comes within 3 days.", "The fee is gone."


def cards(*questions, lang="en", **changed):
    """Return the article of the passages, with messages that it answers."""
    return Article("cards", "Cards", lang, CARD, "cards.md", questions=questions, **changed)


def passage(text, lang="en", title="Cards"):
    return Passage("cards", lang, title, "", text, 0, len(text))


def snapshot(*passages, articles=()):
    return Snapshot(
        articles=tuple(articles),
        passages=passages,
        index=FaissIndex.build(np.eye(max(2, len(passages)), dtype=np.float32)),
        calibration=Calibration("hash", {}),
        embedder="hash",
        files={},
        day=dt.date(2026, 1, 1),
    )


@pytest.fixture
def reader():
    return CountingSpanEmbedder()


def scores(indexes, question="the fee", lang="en"):
    """Return what a question finds: each passage's score and its sentences'."""
    found = indexes[lang].search(question)
    rows = indexes[lang].rows
    return found.scores(np.array(rows)).tolist(), [found.sentences(row) for row in rows]


def test_only_new_passages_are_read_again(reader, tmp_path):
    first = open_span_indexes(snapshot(passage(CARD)), [reader], tmp_path)
    assert reader.read == [CARD]
    both = open_span_indexes(snapshot(passage(FEE), passage(CARD)), [reader], tmp_path)
    assert reader.read == [CARD, FEE]
    again = open_span_indexes(snapshot(passage(FEE), passage(CARD)), [reader], tmp_path)
    assert reader.read == [CARD, FEE]
    # Stored vectors are still those of their own passages.
    assert scores(again) == scores(both)
    assert scores(both)[1][1] == scores(first)[1][0]


def test_a_new_title_is_read_too(reader, tmp_path):
    """It is part of what the encoder sees."""
    open_span_indexes(snapshot(passage(CARD)), [reader], tmp_path)
    open_span_indexes(snapshot(passage(CARD, title="Prices")), [reader], tmp_path)
    assert reader.read == [CARD, CARD]


def test_what_was_removed_is_forgotten_when_something_new_is_stored(reader, tmp_path):
    open_span_indexes(snapshot(passage(CARD)), [reader], tmp_path)
    open_span_indexes(snapshot(passage(FEE)), [reader], tmp_path)
    open_span_indexes(snapshot(passage(CARD)), [reader], tmp_path)
    assert reader.read == [CARD, FEE, CARD]


@pytest.mark.parametrize("content", [b"", b"no vectors", None])
def test_a_damaged_file_is_read_over(reader, tmp_path, caplog, content):
    whole = open_span_indexes(snapshot(passage(CARD)), [reader], tmp_path)
    (file,) = tmp_path.iterdir()
    before = file.read_bytes()
    file.write_bytes(before[: len(before) // 2] if content is None else content)
    again = open_span_indexes(snapshot(passage(CARD)), [reader], tmp_path)
    assert "is damaged" in caplog.text
    assert reader.read == [CARD, CARD]
    assert scores(again) == scores(whole)
    assert file.read_bytes() == before, "it is repaired, and nothing partial is left"
    assert list(tmp_path.iterdir()) == [file]


def test_a_passage_without_a_sentence_keeps_its_own_vector(reader, tmp_path):
    for _ in range(2):
        empty = open_span_indexes(snapshot(passage(""), passage(FEE)), [reader], tmp_path)
        found, sentences = scores(empty)
        assert found[0] == 0.0
        assert sentences[0] == ()
        assert len(sentences[1]) == 1
    assert reader.read == ["", FEE]


def test_the_first_embedder_that_covers_a_language_serves_it(tmp_path):
    english, both = CountingSpanEmbedder("en"), CountingSpanEmbedder("en", "zh")
    mixed = snapshot(passage(CARD), passage("费用。", "zh"), passage("x", "other"))
    indexes = open_span_indexes(mixed, [english, both], tmp_path)
    assert {lang: index.rows for lang, index in indexes.items()} == {
        "en": range(1),
        "zh": range(1, 2),
    }
    assert (english.read, both.read) == ([CARD], ["费用。"])
    assert open_span_indexes(mixed, [], tmp_path) == {}


def test_other_weights_read_all_passages_themselves(reader, tmp_path):
    """The name of an embedder holds the checksum of its weights."""
    open_span_indexes(snapshot(passage(CARD)), [reader], tmp_path)
    other = CountingSpanEmbedder()
    other.name = "other-weights"
    open_span_indexes(snapshot(passage(CARD)), [other], tmp_path)
    assert other.read == [CARD]


def test_passages_of_each_language_stand_together():
    mixed = snapshot(passage("a"), passage("b"), passage("c", "zh"))
    assert mixed.rows_by_language() == {"en": range(2), "zh": range(2, 3)}
    assert dataclasses.replace(mixed, passages=()).rows_by_language() == {}


def test_messages_are_read_once_and_kept(reader, tmp_path):
    """In the same file as the passages; a message of two articles is read once too."""
    fees = Article("fees", "Fees", "en", FEE, "fees.md", questions=("a fee", "gone"))
    both = [passage(CARD), dataclasses.replace(passage(FEE), article="fees")]
    known = snapshot(*both, articles=[cards("where is it", "gone"), fees])
    first = open_span_indexes(known, [reader], tmp_path)
    assert reader.asked == ["where is it", "gone", "a fee"]
    again = open_span_indexes(known, [reader], tmp_path)
    assert len(reader.asked) == 3
    assert len(list(tmp_path.iterdir())) == 1
    for indexes in (first, again):
        found = indexes["en"].search("a fee")
        assert found.best_asked(2) == ["fees", "cards"]
        nearer, farther = found.asked(["fees", "cards"])
        assert nearer == -farther > 0
    assert scores(again) == scores(first)


def test_only_a_new_message_is_read(reader, tmp_path):
    open_span_indexes(snapshot(passage(CARD), articles=[cards("lost")]), [reader], tmp_path)
    for _ in range(2):
        changed = snapshot(passage(CARD), articles=[cards("lost", "stolen")])
        indexes = open_span_indexes(changed, [reader], tmp_path)
    assert (reader.read, reader.asked) == ([CARD], ["lost", "stolen"])
    assert indexes["en"].search("stolen").best_asked(1) == ["cards"]


def test_messages_that_were_removed_find_nothing(reader, tmp_path):
    open_span_indexes(snapshot(passage(CARD), articles=[cards("lost")]), [reader], tmp_path)
    none = open_span_indexes(snapshot(passage(CARD), articles=[cards()]), [reader], tmp_path)
    assert none["en"].search("lost").best_asked(1) == []


def test_messages_serve_the_language_of_their_article(reader, tmp_path):
    """And none of an article that has no passage."""
    mixed = snapshot(
        passage(CARD),
        passage("费用。", "zh"),
        articles=[
            cards("lost"),
            cards("丢了", lang="zh"),
            dataclasses.replace(cards("elsewhere"), id="gone"),
        ],
    )
    indexes = open_span_indexes(mixed, [reader], tmp_path)
    assert sorted(reader.asked) == ["lost", "丢了"]
    for lang in ("en", "zh"):
        assert indexes[lang].search("?").best_asked(9) == ["cards"]


def test_messages_are_those_of_todays_version(reader, tmp_path):
    """A snapshot holds the other versions too, with the same id."""
    today, tomorrow = dt.date(2026, 1, 1), dt.date(2026, 1, 2)
    versions = [cards("now", valid_to=today), cards("later", valid_from=tomorrow)]
    known = snapshot(passage(CARD), articles=versions)
    assert known.day == today
    open_span_indexes(known, [reader], tmp_path)
    assert reader.asked == ["now"]
