"""Encodes many texts, and keeps their vectors for the next training."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder

BATCH = 256


def encode_cached(
    embedder: "Embedder", texts: Sequence[str], state: Path, name: str
) -> NDArray[np.float32]:
    """Return the vectors of texts, of shape (len(texts), dimension), with a progress bar.

    Only texts that the last training of the same configuration did not have are encoded.

    Args:
        embedder: Encodes the texts as queries.
        texts: The texts.
        state: The state folder, in which the vectors are kept.
        name: The configuration's name.
    """
    key = hashlib.sha256(f"{name} {embedder.query_name}".encode()).hexdigest()[:12]
    file = state / "classifier" / f"{key}.npz"
    vectors = _load(file)
    keys = [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts]
    new = {key: text for key, text in zip(keys, texts, strict=True) if key not in vectors}
    # Texts of similar length share a batch, which needs little padding.
    order = sorted(new, key=lambda key: len(new[key]))
    for at in tqdm(range(0, len(order), BATCH), desc="Encoding", unit="batch"):
        part = order[at : at + BATCH]
        vectors |= zip(part, embedder.encode_queries([new[key] for key in part]), strict=True)
    stacked = np.stack([vectors[key] for key in keys])
    _save(file, keys, stacked)
    return stacked


def _load(file: Path) -> dict[str, NDArray[np.float32]]:
    if not file.is_file():
        return {}
    with np.load(file, allow_pickle=False) as arrays:
        return dict(zip(arrays["texts"].tolist(), arrays["vectors"], strict=True))


def _save(file: Path, keys: Sequence[str], vectors: NDArray[np.float32]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".part")
    with partial.open("wb") as stream:
        np.savez(stream, texts=np.array(keys), vectors=vectors)
    os.replace(partial, file)
