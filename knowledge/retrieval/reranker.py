"""Reranks the best hits with a cross-encoder, which reads each question and passage together."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import softmax

from knowledge.documents import Hit
from knowledge.errors import ModelNotFoundError

# How many of the best hits are reranked; each costs one pass through the cross-encoder.
RERANKED = 10


class Reranker:
    """Reorders the best hits; the probability that any of them answers stays the same."""

    def __init__(self, model: Any) -> None:
        """Take a sentence-transformers cross-encoder with one output."""
        self._model = model

    def rerank(self, query: str, hits: Sequence[Hit]) -> list[Hit]:
        """Return the hits, best first.

        The first ``RERANKED`` hits redistribute their probability: an article's odds are multiplied
        by the cross-encoder's odds for its best passage.

        Args:
            query: A self-contained question.
            hits: Hits with calibrated scores, best first.
        """
        from torch.nn import Identity

        best, rest = hits[:RERANKED], list(hits[RERANKED:])
        if not best:
            return rest
        pairs = [(query, f"{hit.passage.name}\n{hit.passage.text}") for hit in best]
        outputs = self._model.predict(pairs, activation_fn=Identity(), show_progress_bar=False)
        logits = np.asarray(outputs, dtype=np.float64).reshape(len(best))
        reranked = [
            dataclasses.replace(hit, score=float(score), rerank=float(logit))
            for hit, score, logit in zip(best, _shared(best, logits), logits, strict=True)
        ]
        return sorted(reranked, key=lambda hit: -hit.score) + rest


def _shared(hits: Sequence[Hit], logits: np.ndarray) -> np.ndarray:
    """Return new scores of the hits; their articles' best scores add up to what they did before."""
    scores = np.array([hit.score for hit in hits])
    odds = scores * softmax(logits)
    return np.asarray(odds * _total(hits, scores) / max(_total(hits, odds), 1e-300))


def _total(hits: Sequence[Hit], values: np.ndarray) -> float:
    """Return the sum over the articles of each one's largest value."""
    largest: dict[str, float] = {}
    for hit, value in zip(hits, values, strict=True):
        article = hit.passage.article
        largest[article] = max(largest.get(article, 0.0), float(value))
    return sum(largest.values())


def open_reranker(model: str | None) -> Reranker | None:
    """Load the cross-encoder that the settings name; None if they name none.

    Args:
        model: A folder or a hub name. No cross-encoder ships: docs/knowledge.md says why.

    Raises:
        ModelNotFoundError: The weights cannot be found, or the model has more than one output.
    """
    if not model:
        return None
    from sentence_transformers import CrossEncoder

    try:
        encoder = CrossEncoder(model, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ModelNotFoundError(
            f"No cross-encoder could be loaded from {model} ({str(error).splitlines()[0]}). "
            f"Expected a folder, or a name on a hub that this machine can reach."
        ) from None
    if encoder.num_labels != 1:
        raise ModelNotFoundError(
            f"Expected a cross-encoder with one output in {model}, found {encoder.num_labels}."
        )
    return Reranker(encoder)
