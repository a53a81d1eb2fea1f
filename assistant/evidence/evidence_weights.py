"""How reading, retrieval and the span embedder add up to what a sentence is worth.

``python -m tuning.evidence_weights`` fits the weights on development questions.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from scipy.special import expit

WEIGHTS_FILE = Path(__file__).parent.parent / "weights" / "evidence.json"


@dataclass(frozen=True, slots=True)
class EvidenceWeights:
    """The weights for one language, with or without a span embedder, of first or later turns.

    A sentence's logit is the weighted sum of its own reading, of the logarithm of its hit's score,
    and of the span embedder's score, less that of the logarithm of how many articles repeat it.
    "Any sentence answers" has a logistic function of its own (Platt 1999) over the reading, the
    best hit's log-odds and the best span score.

    Attributes:
        reading: Weight of a sentence's logit by the network that reads.
        hit: Weight of the logarithm of its hit's score.
        span: Weight of its span score.
        repeated: Weight of the logarithm of how many articles hold it.
        any_reading: Weight of the reading's logit of "any sentence answers".
        any_hit: Weight of the best hit's log-odds.
        any_span: Weight of the best span score.
        bias: The constant of the same function.
        best_reading: In the logistic function of "what is quoted answers", the weight of the
            reading's logit of "any sentence answers".
        best_hit: In it, the weight of the best hit's log-odds.
        best_share: In it, the weight of the log-odds of the quoted sentences' share among all.
        best_bias: Its constant.
        cited: Of a later turn, what a sentence gains whose article the last reply cited first.
        said: Of a later turn, what a sentence loses that the last reply quoted.
    """

    reading: float = 1.0
    hit: float = 0.2
    span: float = 0.0
    repeated: float = 0.0
    any_reading: float = 1.0
    any_hit: float = 0.0
    any_span: float = 0.0
    bias: float = 0.0
    best_reading: float = 1.0
    best_hit: float = 0.0
    best_share: float = 1.0
    best_bias: float = 0.0
    cited: float = 0.0
    said: float = 0.0

    def answerable(self, reading: float, hit: float, span: float) -> float:
        """Return the probability, in [0, 1], that at least one sentence answers.

        Args:
            reading: The reading's logit of "any sentence answers".
            hit: The best hit's log-odds.
            span: The best span score; 0 without a span embedder.
        """
        logit = self.any_reading * reading + self.any_hit * hit + self.any_span * span
        return float(expit(logit + self.bias))

    def best(self, reading: float, hit: float, share: float) -> float:
        """Return the probability, in [0, 1], that one of the quoted sentences answers.

        Args:
            reading: The reading's logit of "any sentence answers".
            hit: The best hit's log-odds.
            share: The log-odds of the quoted sentences' share among all sentences.
        """
        logit = self.best_reading * reading + self.best_hit * hit + self.best_share * share
        return float(expit(logit + self.best_bias))


class EvidenceWeightTable:
    """The weights by language, with and without a span embedder, of first and later turns.

    Those of questions to articles in the other language have neither distinction.
    """

    def __init__(self, weights: Mapping[str, EvidenceWeights]) -> None:
        """Take the weights by ``key``; what is missing has the defaults."""
        self._weights = weights

    @classmethod
    def load(cls, file: Path = WEIGHTS_FILE) -> Self:
        """Load what ``tuning.evidence_weights`` wrote."""
        data = json.loads(file.read_text(encoding="utf-8"))
        return cls({name: EvidenceWeights(**values) for name, values in data.items()})

    def of(
        self, lang: str, *, spans: bool, later: bool = False, across: bool = False
    ) -> EvidenceWeights:
        """Return the weights of a language; English weights for other languages.

        Args:
            lang: The language of the question.
            spans: Whether a span embedder has read.
            later: Whether the question is read with the turn before it.
            across: Whether all that was found is in another language.
        """
        if across and (own := self._weights.get(across_key(lang))):
            return own
        turns = dict.fromkeys([later, False])
        names = [key(of, spans=spans, later=turn) for turn in turns for of in (lang, "en")]
        known = (self._weights[name] for name in names if name in self._weights)
        return next(known, EvidenceWeights())


def key(lang: str, *, spans: bool, later: bool = False) -> str:
    """Return the name of a language's weights, such as "en, spans, later"."""
    return ", ".join([lang, *(["spans"] if spans else []), *(["later"] if later else [])])


def across_key(lang: str) -> str:
    """Return the name of the weights for questions to articles in another language."""
    return f"{lang}, across"
