"""Tells what the customer wants, in what mood, and whether it is any of ours: one encoding."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from assistant.errors import IntentsError
from assistant.intents.classifier_cache import cached_vectors, fitted_classifier, trained_classifier
from assistant.intents.intent_files import (
    ANY_QUESTION,
    OUT_OF_SCOPE,
    Intent,
    intents_files,
    load_all_intents,
    read_intents,
)
from assistant.intents.linear_classifier import Floats, LinearClassifier, probabilities
from assistant.intents.prototypes import Prototypes
from assistant.message.courtesies import without_courtesies
from assistant.messages import Action
from knowledge.models.embedder import Embedder, Vectors
from knowledge.segmenter import Language, language_of, phrases

SENTIMENT = Path(__file__).with_name("sentiment")
WEIGHTS = Path(__file__).parent.parent / "weights"
NEAREST = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a message seems to want; scores are probabilities in [0, 1].

    ``articles`` gives each article the probability that it answers; it is None where the company
    has no intents of its own.
    """

    intent: str
    score: float
    action: Action
    article: str | None
    runner_up: str
    runner_up_score: float
    out_of_scope: float
    language: Language
    articles: Mapping[str, float] | None
    sentiment: str = "neutral"
    sentiment_score: float = 1.0

    def blended_with(self, before: "Prediction") -> "Prediction":
        """Return this prediction with the mean of both messages' articles."""
        if self.articles is None or before.articles is None:
            return self
        names = {**self.articles, **before.articles}
        mean = {
            name: (self.articles.get(name, 0.0) + before.articles.get(name, 0.0)) / 2
            for name in names
        }
        return replace(self, articles=mean)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a message was predicted as it was.

    Attributes:
        prediction: What was predicted.
        nearest: The nearest examples: text, intent and cosine in [-1, 1], nearest first.
        phrases: Each phrase of the message, in order, with what its absence takes from the score.
    """

    prediction: Prediction
    nearest: Sequence[tuple[str, str, float]]
    phrases: Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class _Known:
    """All that was read and fitted at one time; replaced as a whole."""

    intents: Mapping[str, Mapping[str, Intent]]
    head: LinearClassifier
    neighbours: Prototypes | None
    newcomers: Mapping[str, Vectors]
    stamp: tuple[float, ...]


class IntentClassifier:
    """Predicts intent, out-of-scope score and sentiment of a message."""

    def __init__(self, knowledge: Path, embedder: Embedder, state: Path) -> None:
        """Load the classifier of a knowledge folder; ``open`` says how."""
        self._knowledge = knowledge
        self._embedder = embedder
        self._state = state
        self._known = self._read()
        self._sentiment = _sentiment_head(embedder, state)
        self._examples: tuple[_Known, list[tuple[str, str]], Vectors] | None = None

    @classmethod
    def open(cls, knowledge: Path, embedder: Embedder, state: Path) -> Self:
        """Load the trained weights in ``weights/intents`` where they fit the embedder.

        Without them a head is fitted on the examples, once, in seconds. Intents that the weights do
        not know are told by nearness to their examples.

        Raises:
            IntentsError: An intents file or the weights are wrong.
        """
        return cls(knowledge, embedder, state)

    def predict(self, text: str, vector: Vectors | None = None) -> Prediction:
        """Return what a message wants, whatever courtesies stand around it.

        Args:
            text: The message.
            vector: Its vector, of shape (dimension,), as retrieval uses it too; made here if None.
                Then ``text`` is expected as ``without_courtesies`` returns it.
        """
        if vector is None:
            text = without_courtesies(text)
            vector = self._embedder.encode_queries([text])[0]
        known = self._current()
        language = language_of(text)
        intents = known.intents.get(language, known.intents["en"])
        names, logits = _logits(known, text, vector)
        scores = _scores(known, text, names, logits, intents)
        first, second = (int(row) for row in np.argsort(-scores)[:2])
        intent = intents[names[first]]
        moods = self._sentiment.scores([text], vector[None])[0]
        return Prediction(
            intent=intent.name,
            score=float(scores[first]),
            action=intent.action,
            article=intent.article,
            runner_up=names[second],
            runner_up_score=float(scores[second]),
            out_of_scope=_out_of_scope(known, names, logits, scores, vector),
            language=language,
            articles=_by_article(intents, names, scores),
            sentiment=self._sentiment.labels[int(moods.argmax())],
            sentiment_score=float(moods.max()),
        )

    def explain(self, text: str) -> Explanation:
        """Return the nearest examples of a message and what each of its phrases did."""
        text = without_courtesies(text)
        parts = phrases(text)
        without = ["".join(parts[:at] + parts[at + 1 :]) for at in range(len(parts))]
        vectors = self._embedder.encode_queries([text, *without])
        prediction = self.predict(text, vectors[0])
        known = self._current()
        intents = known.intents.get(prediction.language, known.intents["en"])
        place = [*known.head.labels, *known.newcomers].index(prediction.intent)
        changes = []
        for part, rest, vector in zip(parts, without, vectors[1:], strict=True):
            scores = _scores(known, rest, *_logits(known, rest, vector), intents)
            changes.append((part.strip(), prediction.score - float(scores[place])))
        return Explanation(prediction, self._nearest(vectors[0]), changes)

    def _nearest(self, vector: Vectors) -> list[tuple[str, str, float]]:
        known = self._current()
        if self._examples is None or self._examples[0] is not known:
            listed = _labelled(known.intents)
            texts = [text for text, _ in listed]
            encoded = cached_vectors(texts, self._embedder, self._state / "intents")
            self._examples = (known, listed, encoded)
        _, listed, encoded = self._examples
        cosines = encoded @ vector
        best = np.argsort(-cosines)[:NEAREST]
        return [(*listed[int(row)], float(cosines[row])) for row in best]

    def _current(self) -> _Known:
        """Return what is known, read again if an intents file has changed since."""
        if _stamp(self._knowledge) != self._known.stamp:
            try:
                self._known = self._read()
            except IntentsError as error:
                logger.warning("The intents stay as they were: %s", error)
                self._known = replace(self._known, stamp=_stamp(self._knowledge))
        return self._known

    def _read(self) -> _Known:
        stamp = _stamp(self._knowledge)
        intents = load_all_intents(self._knowledge)
        trained = trained_classifier(
            self._knowledge / "weights" / "intents", self._embedder.query_name
        )
        if trained is None:
            head = fitted_classifier(_labelled(intents), self._embedder, self._state / "intents")
            return _Known(intents, head, None, {}, stamp)
        head, neighbours = trained
        # Without neighbours nothing can be said of a new intent until the head has learned it.
        new = {} if neighbours is None else self._newcomers(intents, head)
        return _Known(intents, head, neighbours, new, stamp)

    def _newcomers(
        self, intents: Mapping[str, Mapping[str, Intent]], head: LinearClassifier
    ) -> dict[str, Vectors]:
        examples: dict[str, list[str]] = {}
        for text, name in _labelled(intents):
            if name not in head.labels:
                examples.setdefault(name, []).append(text)
        return {name: self._embedder.encode_queries(texts) for name, texts in examples.items()}


def _logits(known: _Known, text: str, vector: Vectors) -> tuple[list[str], Floats]:
    """Return the names of the head's and of new intents, and the logit of each."""
    logits = known.head.logits([text], vector[None])[0]
    if known.neighbours is None:
        return known.head.labels, logits
    new = [known.neighbours.new_intent_logit(vector, shown) for shown in known.newcomers.values()]
    names = [*known.head.labels, *known.newcomers]
    return names, np.concatenate([logits, np.array(new, dtype=np.float32)])


def _scores(
    known: _Known, text: str, names: Sequence[str], logits: Floats, intents: Mapping[str, Intent]
) -> Floats:
    """Return the probability of each name, 0 for those that are no intents of the language."""
    allowed = np.array([name in intents for name in names])
    return probabilities(np.where(allowed, logits / known.head.temperature_of(text), -1e9))


def _out_of_scope(
    known: _Known, names: list[str], logits: Floats, scores: Floats, vector: Vectors
) -> float:
    reject = names.index(OUT_OF_SCOPE)
    if known.neighbours is None:
        return float(scores[reject])
    new = np.vstack(list(known.newcomers.values())) if known.newcomers else None
    return known.neighbours.out_of_scope(logits, vector, reject, new)


def _by_article(
    intents: Mapping[str, Intent], names: Sequence[str], scores: Floats
) -> dict[str, float] | None:
    if ANY_QUESTION in intents:
        return None
    total: dict[str, float] = {}
    for name, score in zip(names, scores, strict=True):
        article = intents[name].article if name in intents else None
        if article:
            total[article] = total.get(article, 0.0) + float(score)
    return total


def _labelled(intents: Mapping[str, Mapping[str, Intent]]) -> list[tuple[str, str]]:
    """Return (example, intent) of all languages, each once."""
    listed = [
        (text, intent.name)
        for by_name in intents.values()
        for intent in by_name.values()
        for text in intent.examples
    ]
    return list(dict.fromkeys(listed))


def _stamp(knowledge: Path) -> tuple[float, ...]:
    """Return when each intents file was last written; 0 where there is none."""
    files = intents_files(knowledge)
    return tuple(file.stat().st_mtime if file.is_file() else 0.0 for file in files)


def _sentiment_head(embedder: Embedder, state: Path) -> LinearClassifier:
    trained = trained_classifier(WEIGHTS / "sentiment", embedder.query_name)
    if trained:
        return trained[0]
    listed = [
        (text, mood.name)
        for lang in ("en", "zh")
        for mood in read_intents(SENTIMENT / f"{lang}.yml")
        for text in mood.examples
    ]
    return fitted_classifier(listed, embedder, state / "sentiment")
