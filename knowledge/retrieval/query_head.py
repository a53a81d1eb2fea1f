"""The query head: one matrix, fitted in a minute on a company's questions, corrects queries."""

from pathlib import Path
from typing import Self

import numpy as np

from knowledge.errors import IndexMismatchError
from knowledge.models.embedder import Vectors

FILE = "query-head.safetensors"
WEIGHTS = "weights"


class QueryHead:
    """Moves query vectors towards the company's articles; passage vectors stay unchanged."""

    def __init__(self, matrix: Vectors, bias: Vectors, embedder: str) -> None:
        """Take the weights that ``python -m tuning.query_head`` fits.

        Args:
            matrix: float32 of shape (dimension, dimension), added to the identity.
            bias: float32 of shape (dimension,).
            embedder: The query name of the embedder whose vectors it corrects.
        """
        self._matrix = matrix
        self._bias = bias
        self.embedder = embedder

    def apply(self, vector: Vectors) -> Vectors:
        """Return the corrected unit vector of a query vector of shape (dimension,)."""
        moved = vector + self._matrix @ vector + self._bias
        return np.asarray(moved / np.linalg.norm(moved), dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write the query head into the ``weights`` folder of a knowledge folder, in float16."""
        from safetensors.numpy import save_file

        (folder / WEIGHTS).mkdir(parents=True, exist_ok=True)
        arrays = {
            "matrix": np.ascontiguousarray(self._matrix, dtype=np.float16),
            "bias": np.ascontiguousarray(self._bias, dtype=np.float16),
        }
        save_file(arrays, folder / WEIGHTS / FILE, metadata={"embedder": self.embedder})

    @classmethod
    def find(cls, folder: Path, embedder: str) -> Self | None:
        """Return a knowledge folder's query head; None if it has none for this embedder.

        Args:
            folder: The knowledge folder.
            embedder: The query name of the embedder.

        Raises:
            IndexMismatchError: The file is damaged.
        """
        from safetensors import SafetensorError, safe_open

        path = folder / WEIGHTS / FILE
        if not path.is_file():
            return None
        try:
            with safe_open(str(path), framework="numpy") as file:
                fitted_for = (file.metadata() or {}).get("embedder", "")
                arrays = {name: file.get_tensor(name) for name in ("matrix", "bias")}
        except (SafetensorError, KeyError) as error:
            raise IndexMismatchError(
                f"{path} is damaged ({error}). Refit it with `python -m tuning.query_head`, or "
                f"delete it."
            ) from None
        if fitted_for != embedder:
            return None
        matrix, bias = (arrays[name].astype(np.float32) for name in ("matrix", "bias"))
        return cls(matrix, bias, fitted_for)
