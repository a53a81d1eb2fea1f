"""The vectors of passages: stored ones are reused, only new texts are encoded."""

from collections.abc import Mapping, Sequence

import numpy as np
from tqdm import tqdm

from knowledge.models.embedder import Embedder, Vectors
from knowledge.retrieval.vector_index import VectorIndex

BATCH = 64


def encode_new(
    texts: Sequence[str],
    embedder: Embedder,
    index: VectorIndex | None,
    stored: Mapping[str, int],
    *,
    progress: bool,
) -> tuple[Vectors, int]:
    """Return the vectors of all texts, and how many texts had to be encoded.

    Args:
        texts: What the embedder reads of each passage; at least one.
        embedder: Encodes the texts that the index does not hold.
        index: The previous index, of the same embedder; None before the first build.
        stored: The rows of that index by text; empty before the first build.
        progress: Whether to show a progress bar.

    Returns:
        float32 of shape (len(texts), dimension), in the order of the texts, and a count.
    """
    new = [row for row, text in enumerate(texts) if text not in stored]
    kept = [row for row, text in enumerate(texts) if text in stored]
    parts = []
    if index is not None and kept:
        parts.append(index.vectors(np.array([stored[texts[row]] for row in kept])))
    with tqdm(total=len(new), desc="Embedding", unit="passage", disable=not progress) as bar:
        for start in range(0, len(new), BATCH):
            batch = [texts[row] for row in new[start : start + BATCH]]
            parts.append(embedder.encode_passages(batch))
            bar.update(len(batch))
    vectors = np.concatenate(parts)
    vectors[kept + new] = vectors.copy()
    return vectors, len(new)
