"""What every vector index offers: nearest vectors by cosine, within a range of rows."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.models.embedder import Vectors

Rows = NDArray[np.int64]


class VectorIndex(Protocol):
    """Unit vectors in rows 0 … n - 1, searched by cosine within a range of rows."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def search(self, vector: Vectors, top_k: int, rows: range) -> Rows:
        """Return int64 of at most ``top_k`` rows of the range, those nearest to a vector first.

        Args:
            vector: A unit vector of shape (dimension,).
            top_k: How many rows at most.
            rows: The rows to choose from, for example those of one language.
        """

    def vectors(self, rows: Rows) -> Vectors:
        """Return the stored vectors of some rows, of shape (len(rows), dimension)."""

    def save(self, folder: Path) -> None:
        """Write what ``load`` needs into a folder."""
