"""Measures the evidence model on questions with known answers; pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from assistant.config import USUAL_CAUTION
from assistant.evidence.ranked_sentences import shares_of
from tuning.evidence_model.cases import EvidenceCase

# The assumed share of customers' questions that the documents do not answer.
UNANSWERED_SHARE = 0.2
# The share of answered questions below the threshold at which ``caught`` is measured.
LOST = 0.05
FLOORS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class ScoredCase:
    """A case with the network's logits.

    ``logits`` has one entry per sentence, ``gold`` whether the sentence holds the answer, and
    ``articles`` its article. ``logit`` belongs to "one of the sentences answers".
    """

    logits: NDArray[np.float64]
    gold: NDArray[np.bool_]
    logit: float
    articles: Sequence[str]

    @property
    def share(self) -> float:
        """The probability of the most likely article, in [0, 1], given that one answers."""
        return max(shares_of(self.articles, softmax(self.logits).tolist()).values())

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


def fit_calibration(
    cases: Sequence[EvidenceCase], scored: Sequence[ScoredCase]
) -> dict[str, list[float]]:
    """Return weight and bias that make "any sentence answers" a probability (Platt 1999)."""
    from sklearn.linear_model import LogisticRegression

    calibration: dict[str, list[float]] = {}
    for lang in sorted({case.lang for case in cases}):
        logits, answered, _ = _of_language(lang, cases, scored)
        share = UNANSWERED_SHARE / (1 - UNANSWERED_SHARE)
        weights = np.where(answered, 1.0, share * answered.sum() / (~answered).sum())
        model = LogisticRegression().fit(logits[:, None], answered, sample_weight=weights)
        weight, bias = model.coef_[0, 0], model.intercept_[0]
        calibration[lang] = [round(float(weight), 4), round(float(bias), 4)]
    return calibration


def floor_table(
    cases: Sequence[EvidenceCase],
    scored: Sequence[ScoredCase],
    calibration: dict[str, list[float]],
) -> list[str]:
    """Return a Markdown table of what each floor of the answer's probability costs and catches.

    The probability is that of the most likely article to answer. ``gain`` is the mean gain per
    question if the assistant answers from the floor upwards: 1 if one of the two most likely
    sentences is right, minus ``USUAL_CAUTION`` if none is, with ``UNANSWERED_SHARE`` of the
    questions unanswered.
    """
    lines = ["| language | floor | answered below | unanswered above | gain |", "| --- " * 5 + "|"]
    for lang, (weight, bias) in calibration.items():
        logits, answered, rows = _of_language(lang, cases, scored)
        right = answered & np.array([row.right_among_two for row in rows])
        weights = np.where(answered, 1 - UNANSWERED_SHARE, UNANSWERED_SHARE)
        weights = weights / np.where(answered, answered.sum(), (~answered).sum())
        sure = expit(weight * logits + bias) * np.array([row.share for row in rows])
        for floor in FLOORS:
            lost, passed = (sure[answered] < floor).mean(), (sure[~answered] >= floor).mean()
            gain = (weights * (sure >= floor) * np.where(right, 1.0, -USUAL_CAUTION)).sum()
            lines.append(f"| {lang} | {floor:.2f} | {lost:.3f} | {passed:.3f} | {gain:.3f} |")
    return lines


def _of_language(
    lang: str, cases: Sequence[EvidenceCase], scored: Sequence[ScoredCase]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[ScoredCase]]:
    """Return the logits of "any answers", whether any does, and the scored cases."""
    pairs = [(case, row) for case, row in zip(cases, scored, strict=True) if case.lang == lang]
    rows = [row for _, row in pairs]
    answered = np.array([bool(case.article) for case, _ in pairs])
    return np.array([row.logit for row in rows]), answered, rows
