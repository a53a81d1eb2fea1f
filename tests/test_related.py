"""What is suggested next: near, not read yet, and nothing for whoever is unhappy."""

import numpy as np
import pytest

from assistant.messages import Action
from knowledge.documents import Passage
from knowledge.retrieval.related import FEWEST, RelatedArticles


class Rows:
    """An index of given vectors."""

    def __init__(self, vectors):
        self._vectors = np.array(vectors, dtype=np.float32)

    def vectors(self, rows):
        return self._vectors[rows]


def related(count=FEWEST, lang="en"):
    """Articles a0, a1, …: each points to its own side, but a1 nearly to that of a0."""
    vectors = np.eye(count) + 5.0  # what they have in common
    vectors[1] = vectors[0] + 0.2 * np.eye(count)[1]
    passages = [
        Passage(
            article=f"a{n}", lang=lang, title=f"Title {n}", heading="", text="x", start=0, end=1
        )
        for n in range(count)
    ]
    return RelatedArticles(passages, Rows(vectors))


def test_the_nearest_come_and_what_is_known_does_not():
    assert related().titles(["a0"], "en", {"a0"}, 3) == ["Title 1"]
    assert related().titles(["a0"], "en", {"a0", "a1"}, 3) == []
    assert related().titles(["a5"], "en", {"a5"}, 3) == [], "the trade alone is not near"


def test_few_articles_and_other_languages_suggest_nothing():
    assert related(FEWEST - 1).titles(["a0"], "en", set(), 3) == []
    assert related().titles(["a0"], "zh", set(), 3) == []
    assert related().titles(["new"], "en", set(), 3) == []


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("how much is a replacement card?", "Lost, stolen or copied card"),
        ("卡丢了怎么办？", "手机遗失或被盗"),
    ],
)
def test_the_bank_suggests_what_it_can_answer(bank, question, expected):
    reply = bank.reply(question)
    assert reply.action is Action.ANSWER
    assert expected in reply.suggestions
    assert len(reply.suggestions) <= 3
    assert not {source.title for source in reply.sources} & set(reply.suggestions)
    again = bank.reply(reply.suggestions[0], [reply.message()])
    assert reply.suggestions[0] in {source.title for source in again.sources}
    assert not {s.title for s in reply.sources} & set(again.suggestions)


@pytest.mark.parametrize(
    "question",
    ["this is the third time my card is declined, you are useless", "do you sell boats?", "hello"],
)
def test_nothing_is_suggested_to_the_unhappy_or_unanswered(bank, question):
    assert bank.reply(question).suggestions == ()
