"""Measures the evidence model on questions with known answers; pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuning.evidence_model.cases import EvidenceCase

# The share of answered questions below the threshold at which ``caught`` is measured.
LOST = 0.05


@dataclass(frozen=True, slots=True)
class ScoredCase:
    """A case with the network's logits.

    ``logits`` has one entry per sentence, ``gold`` whether the sentence holds the answer. ``logit``
    belongs to "one of the sentences answers".
    """

    logits: NDArray[np.float64]
    gold: NDArray[np.bool_]
    logit: float

    @property
    def right_among_two(self) -> bool:
        """Whether one of the two most likely sentences is right."""
        return bool(self.gold[np.argsort(-self.logits)[:2]].any())


def measure(
    cases: Sequence[EvidenceCase], scored: Sequence[ScoredCase]
) -> dict[str, dict[str, float]]:
    """Return the measures by language.

    ``first`` and ``two`` are the shares of answered questions whose most likely sentence, or one of
    the two most likely, is right. ``auroc`` is the area under the ROC curve of "does any sentence
    answer". ``caught`` is the share of unanswered questions below the logit that ``LOST`` of the
    answered ones do not reach.
    """
    from sklearn.metrics import roc_auc_score

    measures: dict[str, dict[str, float]] = {}
    for lang in sorted({case.lang for case in cases}):
        logits, answered, rows = _of_language(lang, cases, scored)
        known = [row for row, is_known in zip(rows, answered, strict=True) if is_known]
        threshold = np.quantile(logits[answered], LOST)
        measures[lang] = {
            "answered": int(answered.sum()),
            "unanswered": int((~answered).sum()),
            "first": float(np.mean([row.gold[np.argmax(row.logits)] for row in known])),
            "two": float(np.mean([row.right_among_two for row in known])),
            "auroc": float(roc_auc_score(answered, logits)),
            "caught": float((logits[~answered] < threshold).mean()),
        }
    return measures


def _of_language(
    lang: str, cases: Sequence[EvidenceCase], scored: Sequence[ScoredCase]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[ScoredCase]]:
    """Return the logits of "any answers", whether any does, and the scored cases."""
    pairs = [(case, row) for case, row in zip(cases, scored, strict=True) if case.lang == lang]
    rows = [row for _, row in pairs]
    answered = np.array([bool(case.article) for case, _ in pairs])
    return np.array([row.logit for row in rows]), answered, rows
