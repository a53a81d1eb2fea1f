"""Turns text into vectors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Text to unit vectors; two texts that mean the same lie close together."""

    @property
    def name(self) -> str:
        """What an index records, so that it is never searched with another embedder."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages in which the vectors mean something."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), dimension), each row of length 1."""


class SentenceTransformerEmbedder:
    """Any sentence-transformers model from a folder or a hub name."""

    def __init__(self, model: str | Path, name: str, languages: frozenset[str]) -> None:
        """Load the weights; no code of the model's repository is run.

        Args:
            model: A folder, or a name on the hub.
            name: What to record in an index.
            languages: The languages that the model was trained on.
        """
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(model), trust_remote_code=False)
        self._name = name
        self._languages = languages

    @property
    def name(self) -> str:
        """The name that indexes record."""
        return self._name

    @property
    def languages(self) -> frozenset[str]:
        """The languages in which the vectors mean something."""
        return self._languages

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), dimension), each row of length 1."""
        vectors = self._model.encode(
            list(texts), batch_size=32, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)
