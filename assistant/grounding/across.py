"""Decides whether a sentence in one language says what a sentence in the other language says.

``python -m tuning.across`` fits the weights.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from assistant.grounding.claims import are_among, is_negated, values
from assistant.grounding.grounder import SupportingSpan
from knowledge.documents import Hit
from knowledge.segmenter import length, sentences

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder

WEIGHTS_FILE = Path(__file__).parent.parent / "weights" / "across.json"
# Names in Latin letters stay as they are in Chinese.
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9&.-]+")
_NAME = re.compile(r"(?<!^)(?<![.!?:]\s)\b[A-Z][\w&.-]*")


class AcrossWeights(BaseModel):
    """The weights of a logistic function of a claim and a sentence.

    Attributes:
        embedder: The name of the embedder whose vectors they are for.
        cosine: Weight of the cosine of both.
        margin: Weight of the cosine less the highest of the claim with another sentence.
        length: Weight of the logarithm of how many times longer the longer one is.
        negation: Weight of 1 where one is negated and the other is not.
        bias: The constant.
        least: From this probability on, the sentence supports the claim.
    """

    model_config = ConfigDict(extra="forbid")

    embedder: str
    cosine: float
    margin: float
    length: float
    negation: float
    bias: float
    least: float


class AcrossGrounder:
    """Finds the sentence in the other language that says what a claim says."""

    def __init__(self, embedder: "Embedder", weights: AcrossWeights) -> None:
        """Take an embedder of both languages, and the weights for its vectors."""
        self._embedder, self._weights = embedder, weights

    @classmethod
    def open(cls, embedder: "Embedder", file: Path = WEIGHTS_FILE) -> Self | None:
        """Return a grounder; None if the weights are for another embedder, or there are none."""
        if not file.is_file():
            return None
        weights = AcrossWeights(**json.loads(file.read_text(encoding="utf-8")))
        return cls(embedder, weights) if weights.embedder == embedder.name else None

    def check(self, claim: str, hits: Sequence[Hit]) -> SupportingSpan | None:
        """Return the sentence that supports a claim, or None if none does.

        It must hold the claim's values and its names in Latin letters; a trained probability that
        it says the same decides.

        Args:
            claim: A sentence.
            hits: Passages in the other language.
        """
        spans = [(h.passage, s) for h in hits for s in sentences(h.passage.text, h.passage.lang)]
        texts = [span.of(passage.text) for passage, span in spans]
        possible = [n for n, text in enumerate(texts) if holds(text, claim)]
        if not possible:
            return None
        scores = self.scores(claim, texts)
        best = max(possible, key=lambda n: float(scores[n]))
        if scores[best] < self._weights.least:
            return None
        passage, span = spans[best]
        return SupportingSpan(passage, span)

    def scores(self, claim: str, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability, in [0, 1], that each text says what the claim says."""
        from scipy.special import expit

        weights = self._weights
        vector = np.array([weights.cosine, weights.margin, weights.length, weights.negation])
        found = features(claim, texts, self._embedder) @ vector + weights.bias
        return np.asarray(expit(found), dtype=np.float64)


def holds(text: str, claim: str) -> bool:
    """Return whether a text has the values of a claim, and its names in Latin letters."""
    # "一张卡" is "a card": one is no value across languages.
    claimed = {value for value in values(claim) if value[:2] != ("count", "1")}
    if not are_among(claimed, values(text)):
        return False
    is_chinese = bool(re.search(r"[\u3400-\u9fff]", claim))
    names = (_LATIN if is_chinese else _NAME).findall(claim)
    # A name in Latin letters has no counterpart in a text that has none of them.
    lowered = text.lower()
    return all(name.lower().rstrip(".") in lowered for name in names)


def features(claim: str, texts: Sequence[str], embedder: "Embedder") -> NDArray[np.float64]:
    """Return the features of each text, shape (len(texts), 4), in the order of the weights."""
    vectors = embedder.encode_passages([claim, *texts]).astype(np.float64)
    cosines = vectors[1:] @ vectors[0]
    rows = []
    for number, text in enumerate(texts):
        others = np.delete(cosines, number)
        margin = cosines[number] - (others.max() if len(others) else cosines[number])
        longer = abs(np.log((length(claim) + 1) / (length(text) + 1)))
        is_other = float(is_negated(claim) != is_negated(text))
        rows.append([cosines[number], margin, longer, is_other])
    return np.array(rows, dtype=np.float64)
