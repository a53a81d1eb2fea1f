"""Passages and sentences compared with a question, by vectors that can be checked by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from knowledge.models.span_embedder import PassageVectors
from knowledge.retrieval.span_index import SpanIndex


def vectors(whole, *sentences):
    """Return a passage's vectors of two numbers each."""
    stacked = np.array(sentences, np.float32).reshape(len(sentences), 2)
    return PassageVectors(np.array(whole, np.float32), stacked)


# A question is (1, 0), so that the first number of a vector is its cosine.
EMBEDDER = SimpleNamespace(
    temperature=0.5,
    encode_questions=lambda texts: np.array([[1, 0]] * len(texts), dtype=np.float32),
)
PASSAGES = [
    vectors([0.5, 0], [0.25, 0], [0.75, 0]),
    vectors([1.0, 0], [-0.5, 0]),
    vectors([0.0, 1]),
]


@pytest.fixture
def search():
    """Search the rows 10, 11 and 12 of a snapshot."""
    return SpanIndex(EMBEDDER, range(10, 13), PASSAGES).search("?")


def test_a_passage_counts_as_the_mean_of_itself_and_its_best_sentence(search):
    """In cosines divided by the temperature."""
    assert search.scores(np.array([10, 11])).tolist() == [(1.0 + 1.5) / 2, (2.0 - 1.0) / 2]


def test_each_sentence_has_its_own_score(search):
    assert search.sentences(10) == (0.5, 1.5)
    assert search.sentences(11) == (-1.0,)


def test_a_passage_without_a_sentence_counts_by_itself(search):
    assert search.sentences(12) == ()
    assert search.scores(np.array([12])).tolist() == [0.0]
    lonely = SpanIndex(EMBEDDER, range(1), [vectors([0.5, 0])]).search("?")
    assert lonely.scores(np.array([0])).tolist() == [1.0]


def test_the_best_rows_are_those_of_the_snapshot(search):
    assert search.best(2) == [10, 11]
    assert search.best(9) == [10, 11, 12]


def test_rows_of_another_language_neither_win_nor_lose(search):
    """Other vectors, other cosines: such rows have no sentences and the mean of this language."""
    mean = (1.25 + 0.5 + 0.0) / 3
    assert search.scores(np.array([3, 11, 13])) == pytest.approx([mean, 0.5, mean])
    assert search.sentences(3) == search.sentences(13) == ()


def test_scores_have_an_entry_for_each_row_asked_for(search):
    found = search.scores(np.array([12, 10, 12]))
    assert found.dtype == np.float32
    assert found.tolist() == [0.0, 1.25, 0.0]


def asked(**by_article):
    """Search with the messages of some articles."""
    known = {name: np.array(of, np.float32) for name, of in by_article.items()}
    return SpanIndex(EMBEDDER, range(10, 13), PASSAGES, known).search("?")


def test_an_article_is_as_near_as_its_nearest_message(search):
    """Relative to the mean article: that one is at 1.0 of 2.0 and 0.0."""
    found = asked(cards=[[0.5, 0], [1.0, 0]], fees=[[0.0, 1]])
    scores = found.asked(["cards", "fees", "cards"])
    assert scores.dtype == np.float32
    assert scores.tolist() == [1.0, -1.0, 1.0]
    # Messages say nothing of a passage's own words.
    assert found.scores(np.array([10, 11, 12])).tolist() == [1.25, 0.5, 0.0]
    assert found.best(9) == search.best(9)


def test_an_article_without_messages_neither_wins_nor_loses(search):
    found = asked(cards=[[1.0, 0]], fees=[[0.0, 1]])
    assert found.asked(["rooms", "cards"]).tolist() == [0.0, 1.0]
    assert search.asked(["cards", "fees"]).tolist() == [0.0, 0.0], "nobody has messages"
    assert asked(cards=[[1.0, 0]]).asked(["cards"]).tolist() == [0.0], "alone it is the mean"


def test_the_articles_with_the_nearest_messages_come_first(search):
    found = asked(fees=[[0.0, 1]], cards=[[1.0, 0]], rooms=[[0.5, 0], [-1.0, 0]])
    assert found.best_asked(2) == ["cards", "rooms"]
    assert found.best_asked(9) == ["cards", "rooms", "fees"]
    assert search.best_asked(9) == []


class GivenVectors:
    """Encodes the text "n" as the n-th of some vectors."""

    temperature = 0.1

    def __init__(self, vectors):
        self._vectors = vectors

    def encode_questions(self, texts):
        return self._vectors[[int(text) for text in texts]]


@pytest.mark.parametrize(
    "counts",
    [[2, 1, 3], [0, 2, 1], [2, 0, 0, 1], [1, 2, 0], [0, 0], [0], [1], [0, 1, 0, 4, 0, 0]],
    ids=str,
)
def test_many_questions_get_the_scores_that_each_gets_alone(counts):
    """Whichever passages have no sentence, and though some cosines are negative."""
    chance = np.random.default_rng(len(counts))
    questions = chance.normal(size=(4, 8)).astype(np.float32)
    passages = [
        PassageVectors(
            chance.normal(size=8).astype(np.float32),
            chance.normal(size=(count, 8)).astype(np.float32),
        )
        for count in counts
    ]
    rows = range(5, 5 + len(counts))
    index = SpanIndex(GivenVectors(questions), rows, passages)
    found = index.scores(questions)
    assert found.dtype == np.float32
    assert found.shape == (4, len(counts))
    alone = [index.search(str(n)).scores(np.array(rows)) for n in range(4)]
    np.testing.assert_allclose(found, alone, rtol=1e-5, atol=1e-5)


def test_no_question_has_no_scores():
    index = SpanIndex(EMBEDDER, range(3), PASSAGES)
    assert index.scores(np.zeros((0, 2), np.float32)).shape == (0, 3)


def test_scores_of_questions_are_those_of_passages_not_of_messages():
    known = {"cards": np.array([[0, 1]], np.float32)}
    asking = np.array([[1, 0], [0, 1]], np.float32)
    index = SpanIndex(EMBEDDER, range(3), PASSAGES, known)
    assert index.scores(asking).tolist() == [[1.25, 0.5, 0.0], [0.0, 0.0, 2.0]]
