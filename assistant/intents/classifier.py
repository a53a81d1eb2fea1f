"""Predicts what a customer wants, with what sentiment, and whether it is in scope."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from assistant.errors import IntentsError
from assistant.intents.classifier_cache import fitted_classifier, trained_classifier
from assistant.intents.intent_files import ANY_QUESTION, read_intents
from assistant.intents.known_intents import KnownIntents, stamp_of
from assistant.intents.linear_classifier import Floats, LinearClassifier
from assistant.message.courtesies import without_courtesies
from assistant.messages import Action
from knowledge.models.embedder import Embedder, Vectors
from knowledge.segmenter import Language, language_of

SENTIMENT = Path(__file__).with_name("sentiment")
WEIGHTS = Path(__file__).parent.parent / "weights"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a message seems to want; scores are probabilities in [0, 1].

    ``articles`` gives each article the probability that it answers; it is None if the company has
    no intents of its own.
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


class IntentClassifier:
    """Predicts intent, out-of-scope score and sentiment of a message from one encoding."""

    def __init__(
        self, knowledge: Path, embedder: Embedder, state: Path, sentiment: LinearClassifier
    ) -> None:
        """Read the intents of a knowledge folder; ``open`` loads the sentiment classifier too."""
        self._knowledge = knowledge
        self._embedder = embedder
        self._state = state
        self._sentiment = sentiment
        self._known = KnownIntents.load(knowledge, embedder, state)

    @classmethod
    def open(cls, knowledge: Path, embedder: Embedder, state: Path) -> Self:
        """Load the trained weights where they fit the embedder; fit classifiers elsewhere.

        Args:
            knowledge: The folder whose intents are read, again whenever they change.
            embedder: Encodes messages and examples.
            state: The state folder, where fitted classifiers are kept.

        Raises:
            IntentsError: An intents file or the weights are wrong.
        """
        return cls(knowledge, embedder, state, _sentiment_classifier(embedder, state))

    def predict(self, text: str, vector: Vectors | None = None) -> Prediction:
        """Return what a message wants, ignoring the courtesies around it.

        Args:
            text: The message.
            vector: Its vector, of shape (dimension,), which retrieval uses too; then ``text`` must
                be as ``without_courtesies`` returns it. None encodes the message here.
        """
        if vector is None:
            text = without_courtesies(text)
            vector = self._embedder.encode_queries([text])[0]
        known = self.known()
        language = language_of(text)
        intents = known.of(language)
        logits = known.logits(text, vector)
        scores = known.scores(text, logits, intents)
        first, second = (int(row) for row in np.argsort(-scores)[:2])
        intent = intents[known.names[first]]
        sentiment = self._sentiment.scores([text], vector[None])[0]
        return Prediction(
            intent=intent.name,
            score=float(scores[first]),
            action=intent.action,
            article=intent.article,
            runner_up=known.names[second],
            runner_up_score=float(scores[second]),
            out_of_scope=known.out_of_scope(logits, scores, vector),
            language=language,
            articles=_by_article(known, language, scores),
            sentiment=self._sentiment.labels[int(sentiment.argmax())],
            sentiment_score=float(sentiment.max()),
        )

    def known(self) -> KnownIntents:
        """Return the current intents, read again if one of their files has changed."""
        stamp = stamp_of(self._knowledge)
        if stamp != self._known.stamp:
            try:
                self._known = KnownIntents.load(self._knowledge, self._embedder, self._state)
            except IntentsError as error:
                logger.warning("The intents stay as they were: %s", error)
                self._known = replace(self._known, stamp=stamp)
        return self._known


def _by_article(known: KnownIntents, lang: str, scores: Floats) -> dict[str, float] | None:
    intents = known.of(lang)
    if ANY_QUESTION in intents:
        return None
    total: dict[str, float] = {}
    for name, score in zip(known.names, scores, strict=True):
        article = intents[name].article if name in intents else None
        if article:
            total[article] = total.get(article, 0.0) + float(score)
    return total


def _sentiment_classifier(embedder: Embedder, state: Path) -> LinearClassifier:
    trained = trained_classifier(WEIGHTS / "sentiment", embedder.query_name)
    if trained:
        return trained[0]
    examples = [
        (text, sentiment.name)
        for lang in ("en", "zh")
        for sentiment in read_intents(SENTIMENT / f"{lang}.yml")
        for text in sentiment.examples
    ]
    return fitted_classifier(examples, embedder, state / "sentiment")
