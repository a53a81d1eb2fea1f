"""Lets a cross-encoder that the settings name read each question and passage together."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from knowledge.documents import Hit
from knowledge.errors import ModelNotFoundError

# How many of the best passages are read; each costs as much as encoding it would.
READ = 10


class Reranker:
    """Orders the best hits anew; how likely it is that one of them answers at all stays."""

    def __init__(self, model: Any) -> None:
        """Take a cross-encoder of sentence-transformers with one output."""
        self._model = model

    def rerank(self, query: str, hits: Sequence[Hit]) -> list[Hit]:
        """Return the hits, the best first.

        The first ``READ`` hits share their probability out anew: the article's odds are multiplied
        by those of the cross-encoder for its best passage.

        Args:
            query: What the customer asks, self-contained.
            hits: Best first, with calibrated scores.
        """
        from torch.nn import Identity

        read, rest = hits[:READ], list(hits[READ:])
        if not read:
            return rest
        pairs = [(query, f"{hit.passage.name}\n{hit.passage.text}") for hit in read]
        found = self._model.predict(pairs, activation_fn=Identity(), show_progress_bar=False)
        logits = np.asarray(found, dtype=np.float64).reshape(len(read))
        scores = _shared_out(read, logits)
        ordered = [
            dataclasses.replace(hit, score=float(score), rerank=float(logit))
            for hit, score, logit in zip(read, scores, logits, strict=True)
        ]
        return sorted(ordered, key=lambda hit: -hit.score) + rest


def _shared_out(hits: Sequence[Hit], logits: np.ndarray) -> np.ndarray:
    odds = np.array([hit.score for hit in hits]) * np.exp(logits - logits.max())
    before: dict[str, float] = {}
    after: dict[str, float] = {}
    for hit, odd in zip(hits, odds, strict=True):
        name = hit.passage.article
        before[name] = max(before.get(name, 0.0), hit.score)
        after[name] = max(after.get(name, 0.0), float(odd))
    return np.asarray(odds * sum(before.values()) / max(sum(after.values()), 1e-300))


def open_reranker(model: str | None) -> Reranker | None:
    """Load the cross-encoder that the settings name; None where they name none.

    Args:
        model: A folder or a hub name. None ships: docs/knowledge.md tells what was tried.

    Raises:
        ModelNotFoundError: The weights are nowhere to be found, or score otherwise than by one
            number.
    """
    if not model:
        return None
    from sentence_transformers import CrossEncoder

    try:
        found = CrossEncoder(model, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ModelNotFoundError(
            f"No cross-encoder could be loaded from {model} ({str(error).splitlines()[0]}). "
            f"Expected a folder, or a name on a hub that this machine reaches."
        ) from None
    if found.num_labels != 1:
        raise ModelNotFoundError(
            f"Expected a cross-encoder with one output in {model}, found {found.num_labels}."
        )
    return Reranker(found)
