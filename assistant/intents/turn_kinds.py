"""Tells what a later message does, whatever it is about.

``python -m tuning.turn_kinds`` trains the weights.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from assistant.intents.classifier_cache import trained_classifier
from assistant.intents.linear_classifier import LinearClassifier
from knowledge.models.embedder import Embedder, Vectors

WEIGHTS = Path(__file__).parent.parent / "weights" / "turn-kinds"
# Wants an answer; thanks, chats or ends; wants a person; says that the last reply missed; puts
# right what the customer said; wants to hear that something is so.
KINDS = ("asks", "closing", "person", "pushback", "correction", "confirm")
# A message of which nothing is known asks.
ASKS: Mapping[str, float] = {kind: float(kind == "asks") for kind in KINDS}


class TurnKinds:
    """Predicts the kind of a later message from its vector and its words."""

    def __init__(self, classifier: LinearClassifier) -> None:
        """Take a classifier of the ``KINDS``; ``open`` loads what ships."""
        self._classifier = classifier

    @classmethod
    def open(cls, embedder: Embedder) -> Self | None:
        """Load the weights; None where they were trained for another embedder.

        Raises:
            IntentsError: The weights are damaged.
        """
        trained = trained_classifier(WEIGHTS, embedder.query_name)
        return cls(trained[0]) if trained else None

    def predict(self, text: str, vector: Vectors) -> dict[str, float]:
        """Return the probability of each kind.

        Args:
            text: The message.
            vector: Its vector, of shape (dimension,), as a query.
        """
        (scores,) = self._classifier.scores([text], vector[None])
        return dict(zip(self._classifier.labels, map(float, scores), strict=True))
