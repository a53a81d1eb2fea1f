"""How many articles repeat a sentence."""

from knowledge.documents import Passage
from knowledge.retrieval.repetitions import repetitions


def passage(text, article, lang="en"):
    return Passage(article, lang, "T", "", text, 0, len(text))


def test_a_sentence_counts_once_for_each_article_that_holds_it():
    found = repetitions(
        [
            passage("Was this helpful?  Cards cost £5. Was this helpful?", "cards"),
            passage("WAS THIS  HELPFUL?", "fees"),
            passage("Was this helpful? Yes.", "cards"),
        ]
    )
    assert found == [(2, 1, 2), (2,), (2, 1)]


def test_languages_are_counted_apart_and_no_passages_give_nothing():
    assert repetitions([passage("Hello.", "a"), passage("Hello.", "b", "zh")]) == [(1,), (1,)]
    assert repetitions([]) == []
