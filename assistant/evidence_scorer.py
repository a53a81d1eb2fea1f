"""The fitted weights of what speaks for a sentence, and for any answer at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np

from assistant.errors import AssistantError
from assistant.evidence_features import QUESTION_FEATURES, SENTENCE_FEATURES, Table

SHIPPED = Path(__file__).with_name("weights") / "evidence" / "evidence.json"
BIAS = "bias"


class EvidenceScorer:
    """Two linear models: a softmax over sentences, a logistic one over the whole (Platt 1999)."""

    def __init__(self, sentence: Mapping[str, float], question: Mapping[str, float]) -> None:
        """Take what ``python -m tuning.evidence`` fits.

        Args:
            sentence: The weight of each of ``SENTENCE_FEATURES``.
            question: The weight of each of ``QUESTION_FEATURES``, and a ``bias``.

        Raises:
            AssistantError: The weights are of other features.
        """
        expected = [*SENTENCE_FEATURES], [*QUESTION_FEATURES, BIAS]
        if (sorted(sentence), sorted(question)) != tuple(sorted(names) for names in expected):
            raise AssistantError(
                f"Expected weights of the features of this version, found others in {SHIPPED}. "
                f"Fit them again: python -m tuning.evidence"
            )
        self._sentence = np.array([sentence[name] for name in SENTENCE_FEATURES])
        self._question = np.array([question[name] for name in QUESTION_FEATURES])
        self._bias = question[BIAS]

    @classmethod
    def load(cls, embedder: str, file: Path = SHIPPED) -> Self | None:
        """Read the weights; None where there are none for this embedder."""
        if not file.is_file():
            return None
        data = json.loads(file.read_text(encoding="utf-8"))
        return cls(data["sentence"], data["question"]) if data["embedder"] == embedder else None

    def sentences(self, table: Table) -> Table:
        """Return logits of shape (sentences,) for features of shape (sentences, features)."""
        return np.asarray(table @ self._sentence)

    def answerable(self, row: Table) -> float:
        """Return the probability that a sentence answers, for features of shape (features,)."""
        return float(1 / (1 + np.exp(-(row @ self._question + self._bias))))
