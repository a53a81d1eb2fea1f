"""Calibrates logits with a temperature for each language (Guo et al. 2017, arXiv 1706.04599)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from knowledge.segmenter import language_of

# The texts that a language needs for a temperature of its own.
MIN_TEXTS = 100
# The key of the temperature for languages without their own.
ANY = "any"


def temperatures(
    texts: Sequence[str], logits: NDArray[Any], right: NDArray[np.int64]
) -> dict[str, float]:
    """Return the temperature of each language with enough texts, and of all texts as ``ANY``.

    Args:
        texts: Texts that the classifier was not fitted on.
        logits: Their logits, of shape (texts, classes).
        right: The row of the right class of each text.
    """
    by_language = {ANY: temperature(logits, right)}
    languages = np.array([language_of(text) for text in texts])
    for lang in sorted(set(languages)):
        in_language = languages == lang
        if in_language.sum() >= MIN_TEXTS:
            by_language[str(lang)] = temperature(logits[in_language], right[in_language])
    return by_language


def temperature_for(text: str, by_language: Mapping[str, float]) -> float:
    """Return the temperature of a text's language, otherwise that of all texts, otherwise 1."""
    return float(by_language.get(language_of(text), by_language.get(ANY, 1.0)))


def temperature(logits: NDArray[Any], right: NDArray[np.int64]) -> float:
    """Return the divisor of the logits that minimises the cross-entropy of the right classes.

    Args:
        logits: Of shape (texts, classes), for texts that the classifier was not fitted on.
        right: The row of the right class of each text.
    """
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        log_probabilities = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(log_probabilities[np.arange(len(right)), right].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 3), method="bounded").x))
