"""What the evidence model is worth on questions whose answers are known; pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.config import USUAL_CAUTION
from assistant.evidence.ranked_sentences import shares_of
from tuning.evidence_model.cases import EvidenceCase

# Of what customers ask, so much is taken to be answered nowhere in the documents.
UNANSWERED_SHARE = 0.2
# The share of answered questions that may be held back where ``caught`` is told.
LOST = 0.05
FLOORS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Found:
    """The logits of a case's sentences, of shape (sentences,), and which of them are right.

    ``logit`` is of "one of them answers", ``articles`` the article of each sentence.
    """

    logits: NDArray[np.float64]
    gold: NDArray[np.bool_]
    logit: float
    articles: Sequence[str]

    @property
    def share(self) -> float:
        """How likely the likeliest article answers, in [0, 1], if any does."""
        from scipy.special import softmax

        return max(shares_of(self.articles, softmax(self.logits).tolist()).values())


def measured(cases: Sequence[EvidenceCase], found: Sequence[Found]) -> dict[str, dict[str, float]]:
    """Return what it is worth, by language.

    ``first`` and ``two`` are shares of answered questions whose likeliest sentence, or one of the
    likeliest two, is right; ``auroc`` is of "does any answer"; ``caught`` is the share of
    unanswered ones held back where ``LOST`` of the others are.
    """
    from sklearn.metrics import roc_auc_score

    told: dict[str, dict[str, float]] = {}
    for lang in sorted({case.lang for case in cases}):
        total, truth, own = _of(lang, cases, found)
        known = [f for f, answered in zip(own, truth, strict=True) if answered]
        cut = np.quantile(total[truth], LOST)
        told[lang] = {
            "answered": int(truth.sum()),
            "unanswered": int((~truth).sum()),
            "first": float(np.mean([f.gold[np.argmax(f.logits)] for f in known])),
            "two": float(np.mean([_among_two(f) for f in known])),
            "auroc": float(roc_auc_score(truth, total)),
            "caught": float((total[~truth] < cut).mean()),
        }
    return told


def calibration(cases: Sequence[EvidenceCase], found: Sequence[Found]) -> dict[str, list[float]]:
    """Return weight and bias that turn the logit of "any" into a probability (Platt 1999)."""
    from sklearn.linear_model import LogisticRegression

    fitted: dict[str, list[float]] = {}
    for lang in sorted({case.lang for case in cases}):
        total, truth, _ = _of(lang, cases, found)
        share = UNANSWERED_SHARE / (1 - UNANSWERED_SHARE)
        weights = np.where(truth, 1.0, share * truth.sum() / (~truth).sum())
        model = LogisticRegression().fit(total[:, None], truth, sample_weight=weights)
        fitted[lang] = [round(float(model.coef_[0, 0]), 4), round(float(model.intercept_[0]), 4)]
    return fitted


def floors(
    cases: Sequence[EvidenceCase], found: Sequence[Found], fitted: dict[str, list[float]]
) -> list[str]:
    """Return a table in Markdown: what is lost, and what passes, at each floor.

    What must lie above is the probability that the likeliest article answers. ``worth`` is what
    answering from there on brings a question: 1 where one of the two likeliest sentences is right,
    minus ``USUAL_CAUTION`` where none is, of questions of which ``UNANSWERED_SHARE`` are answered
    nowhere.
    """
    lines = ["| language | floor | answered below | unanswered above | worth |", "| --- " * 5 + "|"]
    for lang, (weight, bias) in fitted.items():
        total, truth, own = _of(lang, cases, found)
        right = truth & np.array([_among_two(f) for f in own])
        weights = np.where(truth, 1 - UNANSWERED_SHARE, UNANSWERED_SHARE)
        weights = weights / np.where(truth, truth.sum(), (~truth).sum())
        said = 1 / (1 + np.exp(-(weight * total + bias))) * np.array([f.share for f in own])
        for floor in FLOORS:
            lost, passed = (said[truth] < floor).mean(), (said[~truth] >= floor).mean()
            worth = (weights * (said >= floor) * np.where(right, 1.0, -USUAL_CAUTION)).sum()
            lines.append(f"| {lang} | {floor:.2f} | {lost:.3f} | {passed:.3f} | {worth:.3f} |")
    return lines


def _among_two(found: Found) -> bool:
    return bool(found.gold[np.argsort(-found.logits)[:2]].any())


def _of(
    lang: str, cases: Sequence[EvidenceCase], found: Sequence[Found]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[Found]]:
    pairs = [(c, f) for c, f in zip(cases, found, strict=True) if c.lang == lang]
    own = [f for _, f in pairs]
    return np.array([f.logit for f in own]), np.array([bool(c.article) for c, _ in pairs]), own
