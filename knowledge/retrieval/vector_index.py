"""The interface of every vector index: nearest vectors by cosine, within a range of rows."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.models.embedder import Vectors

Rows = NDArray[np.int64]


class VectorIndex(Protocol):
    """Unit vectors in rows 0 to n - 1, searched by cosine within a range of rows."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def search(self, vector: Vectors, top_k: int, rows: range) -> Rows:
        """Return the rows that are nearest to a vector, nearest first.

        Args:
            vector: A unit vector of shape (dimension,).
            top_k: The largest number of rows to return, at least 1.
            rows: The rows to search, for example those of one language.

        Returns:
            int64 of shape (at most top_k,).
        """

    def vectors(self, rows: Rows) -> Vectors:
        """Return the stored vectors of the given rows, of shape (len(rows), dimension)."""

    def save(self, folder: Path) -> None:
        """Write the files from which the index is loaded."""
