"""Says which figures of a text no article supports, for people who write to customers.

A generated sentence passes only with a support. What a person writes is never held back, so this
looks at figures alone, and at the words of the clause that each stands in.
"""

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from assistant.grounding.claims import Clause, Value, clauses, subject_words
from assistant.grounding.figures import Figure, figures_of
from knowledge.documents import Article
from knowledge.segmenter import language_of, sentences

# The share of a clause's words that a sentence with its figure must have.
MIN_SHARED = 0.6
# Kinds of figures that say little without their words; a plain number is compared by itself.
WORDED = ("money", "share", "duration", "clock", "date")


class Articles(Protocol):
    """What has the articles of a company."""

    def versions(self) -> dict[str, str]:
        """Return versions, with that of the articles as ``index``."""

    def valid_articles(self) -> Sequence[Article]:
        """Return the articles that are valid now."""


@dataclass(frozen=True, slots=True)
class Place:
    """A sentence of an article that has a figure, and its words without figures."""

    article: str
    lang: str
    title: str
    sentence: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A figure that no article supports where it stands.

    Attributes:
        figure: The figure.
        nearest: The sentence with the same figure that is nearest; None if no article has it.
    """

    figure: Figure
    nearest: Place | None


class KnownFigures:
    """The figures of all articles, read once for each generation of the index."""

    def __init__(self, articles: Articles) -> None:
        """Take what has the articles; nothing is read before the first text."""
        self._articles = articles
        self._generation = ""
        self._places: dict[Value, list[Place]] = {}
        self._lock = threading.Lock()

    def doubts(self, text: str) -> list[Doubt]:
        """Return the figures of a text that no article supports, in their order, each once.

        A figure is supported by a sentence that has it and most words of its clause. Plain numbers,
        and what only articles in the other language have, need no words. This finds slips, and
        proves nothing.

        Args:
            text: What somebody is about to send.
        """
        places, lang = self._current(), language_of(text)
        said = [clause for span in sentences(text, lang) for clause in clauses(span.of(text))]
        found: dict[Value, Doubt] = {}
        for clause in said:
            for figure in figures_of(clause.text):
                doubt = _doubt(figure, clause, places.get(_key(figure.value), []), lang)
                if doubt:
                    found.setdefault(figure.value, doubt)
        return list(found.values())

    def _current(self) -> dict[Value, list[Place]]:
        generation = self._articles.versions()["index"]
        with self._lock:
            if self._generation != generation:
                self._places = _places(self._articles.valid_articles())
                self._generation = generation
            return self._places


def _places(articles: Sequence[Article]) -> dict[Value, list[Place]]:
    found: dict[Value, list[Place]] = defaultdict(list)
    for article in articles:
        for span in sentences(article.text, article.lang):
            said = span.of(article.text)
            if figures := figures_of(said):
                words = frozenset(subject_words(said))
                row = said.strip("|- ").replace(" | ", ": ")  # of a table or a list
                place = Place(article.id, article.lang, article.title, row, words)
                for value in {_key(figure.value) for figure in figures}:
                    found[value].append(place)
    return dict(found)


def _key(value: Value) -> Value:
    """Return a value as it is looked up: numbers without their noun, dates without their year."""
    return (*value[:2], "") if value[0] in ("count", "date") else value


def _doubt(figure: Figure, clause: Clause, known: Sequence[Place], lang: str) -> Doubt | None:
    """Return the doubt about a figure of a clause; None if one of the places supports it."""
    if not known:
        return Doubt(figure, None)
    words = _named(clause)
    # "… and comes within 5 days" is about what was said before.
    wider = words | _named(clause.previous) if clause.previous else words
    own = [place for place in known if place.lang == lang]
    if figure.value[0] not in WORDED or not wider or not own:
        return None
    if any(_shared(some, place) >= MIN_SHARED for place in own for some in (words, wider) if some):
        return None
    return Doubt(figure, max(own, key=lambda place: _shared(wider, place)))


def _named(clause: Clause) -> set[str]:
    return {word for word in clause.subject if not word[0].isdigit()}


def _shared(words: set[str], place: Place) -> float:
    return len(words & place.words) / len(words)
