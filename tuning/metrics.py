"""Judges a reply by what a customer must learn from it; no model judges."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.grounding.grounder import figures
from assistant.messages import Action, Reply

BINS = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is true of one reply to one question of a question set."""

    answered: bool
    right_article: bool
    facts: bool
    unsupported_figures: frozenset[str]

    @property
    def right(self) -> bool:
        """Every key fact, with the right article cited."""
        return self.facts and self.right_article


def judge(row: dict[str, Any], reply: Reply) -> Verdict:
    """Compare a reply with a row of a question set.

    Args:
        row: ``article`` and each of ``facts`` and ``forbidden`` may list variants as "a|b";
            ``article`` is None where the documents do not answer.
        reply: What the assistant said.
    """
    text = _plain(reply.text)
    articles = (row["article"] or "").split("|")
    held = all(_holds(text, fact) for fact in row["facts"])
    slipped = any(_holds(text, fact) for fact in row.get("forbidden", ()))
    return Verdict(
        answered=reply.action is Action.ANSWER,
        right_article=any(c.article in articles for c in reply.citations),
        facts=held and not slipped,
        unsupported_figures=frozenset(unsupported_figures(reply)),
    )


def unsupported_figures(reply: Reply) -> set[str]:
    """Return the figures of the answer that stand neither in the words it cites nor in a title."""
    if reply.action is not Action.ANSWER:
        return set()
    cited: set[str] = set()
    for citation in reply.citations:
        cited |= figures(citation.quote) | figures(citation.title)
    return figures(reply.text) - cited


def _holds(text: str, fact: str) -> bool:
    return any(_plain(variant) in text for variant in fact.split("|"))


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("\u00a0", " ").split())


def share(flags: Sequence[bool]) -> float:
    """Return the share of true values, in [0, 1]; 0 for none."""
    return sum(flags) / len(flags) if flags else 0.0


def calibration_error(scores: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Return the expected calibration error over ten equal bins (Guo et al. 2017).

    Args:
        scores: Probabilities in [0, 1], of shape (n,).
        right: 1 where the prediction was right, else 0, of shape (n,).
    """
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = [
        (bins == n).mean() * abs(scores[bins == n].mean() - right[bins == n].mean())
        for n in range(BINS)
        if (bins == n).any()
    ]
    return float(sum(gaps))


DRAWS = 2000


def interval(right: Sequence[bool], seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of a share by the bootstrap (Efron 1979)."""
    if not right:
        return 0.0, 0.0
    drawn = np.random.default_rng(seed).choice(np.array(right, dtype=float), (DRAWS, len(right)))
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
