"""Explains a prediction: the nearest examples, and what each phrase of the message contributes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.intents.classifier import IntentClassifier, Prediction
from assistant.intents.classifier_cache import cached_vectors
from assistant.intents.known_intents import labelled
from assistant.message.courtesies import without_courtesies
from knowledge.models.embedder import Embedder, Vectors
from knowledge.segmenter import phrases

NEAREST = 5


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a message was predicted as it was.

    Attributes:
        prediction: What was predicted.
        nearest: Text, intent and cosine in [-1, 1] of the nearest examples, nearest first.
        phrases: Each phrase of the message, in order, with the drop of the score without it.
    """

    prediction: Prediction
    nearest: Sequence[tuple[str, str, float]]
    phrases: Sequence[tuple[str, float]]


class IntentExplainer:
    """Explains what a classifier predicts."""

    def __init__(self, classifier: IntentClassifier, embedder: Embedder, state: Path) -> None:
        """Take the classifier, its embedder and the folder where examples' vectors are kept."""
        self._classifier = classifier
        self._embedder = embedder
        self._state = state

    def explain(self, text: str) -> Explanation:
        """Return the prediction of a message with its reasons."""
        text = without_courtesies(text)
        parts = phrases(text)
        shortened = ["".join(parts[:at] + parts[at + 1 :]) for at in range(len(parts))]
        vectors = self._embedder.encode_queries([text, *shortened])
        prediction = self._classifier.predict(text, vectors[0])
        known = self._classifier.known()
        intents = known.of(prediction.language)
        place = known.names.index(prediction.intent)
        drops = []
        for part, rest, vector in zip(parts, shortened, vectors[1:], strict=True):
            scores = known.scores(rest, known.logits(rest, vector), intents)
            drops.append((part.strip(), prediction.score - float(scores[place])))
        return Explanation(prediction, self._nearest(vectors[0]), drops)

    def _nearest(self, vector: Vectors) -> list[tuple[str, str, float]]:
        examples = labelled(self._classifier.known().intents)
        texts = [text for text, _ in examples]
        cosines = cached_vectors(texts, self._embedder, self._state / "intents") @ vector
        best = np.argsort(-cosines)[:NEAREST]
        return [(*examples[int(row)], float(cosines[row])) for row in best]
