"""Reliability diagrams: whether scores come true."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuning.metrics import BINS


def draw_reliability(
    axis: Any,
    scores: NDArray[Any],
    right: NDArray[Any],
    *,
    fewest: int = 1,
    label: str | None = None,
) -> None:
    """Draw the share of right predictions over the mean score, in ten equal bins.

    Args:
        axis: A matplotlib axis.
        scores: Probabilities in [0, 1], of shape (n,).
        right: 1 or true if the prediction was right, of shape (n,).
        fewest: Bins with fewer predictions are left out.
        label: The line's name in the legend.
    """
    from sklearn.calibration import calibration_curve

    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    kept = np.bincount(bins, minlength=BINS)[bins] >= fewest
    shares, means = calibration_curve(right[kept], scores[kept], n_bins=BINS)
    axis.plot(means, shares, "o-", label=label)


def draw_diagonal(axis: Any) -> None:
    """Draw where the points of perfect scores lie."""
    axis.plot([0, 1], [0, 1], "--", color="gray", linewidth=1)
