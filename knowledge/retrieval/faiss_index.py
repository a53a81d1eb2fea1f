"""Nearest vectors with FAISS, in memory; the only importer of faiss.

Search is exact up to ``EXACT_UP_TO`` vectors and uses an inverted file above (Jégou et al. 2011).
``python -m benchmarks.retrieval`` measures recall and speed with these settings.
"""

from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np

from knowledge.models.embedder import Vectors
from knowledge.retrieval.vector_index import Rows

# Up to this size, comparing with every vector takes a few milliseconds and misses nothing.
EXACT_UP_TO = 50_000
# An inverted file of n vectors has SPREAD * √n cells; a search visits this share of them.
SPREAD = 4
SHARE_SEARCHED = 1 / 64
# Vectors per cell that k-means is fitted on; more only take longer.
TRAINING_VECTORS = 40


class FaissIndex:
    """A ``VectorIndex`` in memory."""

    FILE = "index.faiss"

    def __init__(self, index: faiss.Index) -> None:
        """Take a FAISS index; ``build`` and ``load`` make one."""
        self._index = index

    @classmethod
    def build(cls, vectors: Vectors) -> Self:
        """Index float32 unit vectors of shape (n, dimension).

        Raises:
            ValueError: There is no vector.
        """
        if not len(vectors):
            raise ValueError("expected at least one vector, found none")
        count, dimension = vectors.shape
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if count <= EXACT_UP_TO:
            index: faiss.Index = faiss.IndexFlatIP(dimension)
        else:
            index = _inverted_file(vectors)
        index.add(vectors)
        return cls(_with_direct_map(index))

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self._index.ntotal)

    def search(self, vector: Vectors, top_k: int, rows: range) -> Rows:
        """Return the rows of the range that are nearest to a unit vector, nearest first."""
        whole = rows.start <= 0 and rows.stop >= len(self)
        selector = None if whole else faiss.IDSelectorRange(rows.start, rows.stop)
        options: dict[str, Any] = {"sel": selector}
        if isinstance(self._index, faiss.IndexIVF):
            options["nprobe"] = max(1, round(self._index.nlist * SHARE_SEARCHED))
            parameters: faiss.SearchParameters = faiss.SearchParametersIVF(**options)
        else:
            parameters = faiss.SearchParameters(**options)
        _, (nearest,) = self._index.search(vector[None, :], top_k, params=parameters)
        return np.asarray(nearest[nearest >= 0], dtype=np.int64)  # -1 fills up a short result

    def vectors(self, rows: Rows) -> Vectors:
        """Return the stored vectors of the given rows, of shape (len(rows), dimension)."""
        stored = self._index.reconstruct_batch(np.asarray(rows, dtype=np.int64))
        return np.asarray(stored, dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write ``index.faiss``."""
        faiss.write_index(self._index, str(folder / self.FILE))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load ``index.faiss``; the caller must verify its checksum, because faiss does not."""
        return cls(_with_direct_map(faiss.read_index(str(folder / cls.FILE))))


def _inverted_file(vectors: Vectors) -> "faiss.Index":
    count, dimension = vectors.shape
    cells = int(SPREAD * count**0.5)
    quantizer = faiss.IndexFlatIP(dimension)
    # Eight bits per number need a quarter of the memory and change a cosine's third digit.
    index = faiss.IndexIVFScalarQuantizer(
        quantizer, dimension, cells, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    sample = np.random.default_rng(0).permutation(count)[: cells * TRAINING_VECTORS]
    index.train(vectors[sample])
    index.own_fields = True
    quantizer.this.disown()  # type: ignore[attr-defined]  # SWIG's handle: the index owns it now
    return index


def _with_direct_map(index: "faiss.Index") -> "faiss.Index":
    """Let an inverted file return vectors by row."""
    if isinstance(index, faiss.IndexIVF):
        index.make_direct_map()
    return index
