"""Judges replies by key facts, without a model, and computes shares with their intervals."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.grounding.grounder import figures
from assistant.messages import Action, Reply

BINS = 10
CONFIDENCE = 0.95
RESAMPLES = 10_000
# Words in a row that are a copy; fewer occur in any two texts about the same.
RUN = 3
# The number of a step is no claim.
_STEP = re.compile(r"^\d+\. ", re.MULTILINE)
# Words and figures, and single Chinese characters.
_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+(?:[.,:]\d+)*")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is true of one reply to one question of a question set."""

    answered: bool
    right_article: bool
    facts: bool
    unsupported_figures: frozenset[str]

    @property
    def right(self) -> bool:
        """Whether the reply holds every key fact and cites the right article."""
        return self.facts and self.right_article


def judge_reply(row: dict[str, Any], reply: Reply) -> Verdict:
    """Compare a reply with a row of a question set.

    Args:
        row: ``article`` and each of ``facts`` and ``forbidden`` may list variants as "a|b";
            ``article`` is None if no document answers the question.
        reply: The assistant's reply.
    """
    text = _plain(reply.text)
    articles = (row["article"] or "").split("|")
    has_facts = all(_contains(text, fact) for fact in row["facts"])
    has_forbidden = any(_contains(text, fact) for fact in row.get("forbidden", ()))
    return Verdict(
        answered=reply.action is Action.ANSWER,
        right_article=any(c.article in articles for c in reply.citations),
        facts=has_facts and not has_forbidden,
        unsupported_figures=frozenset(unsupported_figures(reply)),
    )


def unsupported_figures(reply: Reply) -> set[str]:
    """Return the figures of an answer that occur in none of its quotes and cited titles."""
    if reply.action is not Action.ANSWER:
        return set()
    cited: set[str] = set()
    for citation in reply.citations:
        cited |= figures(citation.quote) | figures(citation.title)
    return figures(_STEP.sub("", reply.text)) - cited


def _contains(text: str, fact: str) -> bool:
    return any(_plain(variant) in text for variant in fact.split("|"))


def _plain(text: str) -> str:
    # Marks of emphasis would stand in the middle of a fact.
    return " ".join(text.lower().replace("\u00a0", " ").replace("**", "").split())


def share(flags: Sequence[bool]) -> float:
    """Return the share of true values, in [0, 1]; 0 if there are none."""
    return sum(flags) / len(flags) if flags else 0.0


def share_interval(flags: Sequence[bool]) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927); the whole range if there are no values.

    Unlike a bootstrap, it has a width even if all values are the same.
    """
    from scipy.stats import binomtest

    if not flags:
        return 0.0, 1.0
    test = binomtest(sum(flags), len(flags))
    interval = test.proportion_ci(confidence_level=CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def gain_interval(gains: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of a mean gain by the paired bootstrap (Efron 1979).

    Args:
        gains: For each question, one system's score minus the other's; at least one.
        seed: Of the resampling.
    """
    drawn = np.random.default_rng(seed).choice(np.asarray(gains, float), (RESAMPLES, len(gains)))
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(drawn.mean(axis=1), [tail, 100 - tail])
    return float(low), float(high)


def calibration_error(scores: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Return the expected calibration error over ten equal bins (Guo et al. 2017).

    Args:
        scores: Probabilities in [0, 1], of shape (n,).
        right: 1 if the prediction was right, else 0, of shape (n,).
    """
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = [
        (bins == n).mean() * abs(scores[bins == n].mean() - right[bins == n].mean())
        for n in range(BINS)
        if (bins == n).any()
    ]
    return float(sum(gaps))


def copied_share(text: str, quotes: Sequence[str]) -> float:
    """Return the share of a text's words, in [0, 1], that quotes have in the same order.

    Args:
        text: A reply.
        quotes: What it quotes; runs of fewer than ``RUN`` words do not count.
    """
    from difflib import SequenceMatcher

    mine = _TOKEN.findall(text.lower())
    if not mine:
        return 1.0
    copied = [False] * len(mine)
    for quote in quotes:
        matcher = SequenceMatcher(None, mine, _TOKEN.findall(quote.lower()), autojunk=False)
        for block in matcher.get_matching_blocks():
            if block.size >= RUN:
                copied[block.a : block.a + block.size] = [True] * block.size
    return sum(copied) / len(mine)
