"""Vectors on disk; the only importer of faiss.

An index is a folder with ``index.faiss``, ``passages.jsonl`` and ``manifest.json``. The manifest
names the embedder, the articles' hashes and the SHA-256 of both files; ``load`` refuses whatever
does not match, since faiss itself loads some damaged files without a word.
"""

import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Passage
from knowledge.embedder import Vectors
from knowledge.errors import IndexMismatchError

REPAIR = "Build it again with `python -m knowledge.build_index FOLDER`."
FORMAT = 1


class FaissIndex:
    """Exact search by cosine over passages. Exact is fastest below about 5,000 passages."""

    def __init__(self, vectors: Vectors, passages: Sequence[Passage], embedder: str) -> None:
        """Hold the vectors of the passages.

        Args:
            vectors: float32 of shape (len(passages), dimension), rows of length 1, so that the
                inner product is the cosine.
            passages: In the order of the rows; at least one.
            embedder: The name of what made the vectors.
        """
        if len(vectors) != len(passages) or not len(passages):
            raise ValueError(
                f"expected one vector a passage and at least one, found {len(vectors)} vectors "
                f"for {len(passages)} passages"
            )
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(np.ascontiguousarray(vectors))
        self.passages = list(passages)
        self.embedder = embedder

    def search(self, vector: Vectors, top_k: int, among: Sequence[int]) -> list[int]:
        """Return the rows nearest to a vector of shape (dimension,), best first.

        Args:
            vector: A unit vector.
            top_k: How many rows at most.
            among: The rows to choose from, for example those of one language.
        """
        selector = faiss.IDSelectorBatch(np.asarray(among, dtype=np.int64))
        parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # its stub forgets it
        _, rows = self._index.search(vector[None, :], top_k, params=parameters)
        return [int(row) for row in rows[0] if row >= 0]

    def cosines(self, vector: Vectors, rows: Sequence[int]) -> NDArray[np.float32]:
        """Return the cosine in [-1, 1] of a unit vector with each of the rows."""
        stored = self._index.reconstruct_batch(np.asarray(rows, dtype=np.int64))
        return np.asarray(stored @ vector, dtype=np.float32)

    def save(self, folder: Path, articles: dict[str, str]) -> None:
        """Write the index as a whole or not at all.

        Args:
            folder: Where; an index that stands there is replaced.
            articles: The path of each article with the SHA-256 of its text.
        """
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
        try:
            self._write(staging, articles)
            if folder.exists():
                shutil.rmtree(folder)
            os.replace(staging, folder)
        except OSError:
            # Another process may have finished the same index in the meantime.
            if not (folder / "manifest.json").exists():
                raise
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _write(self, staging: Path, articles: dict[str, str]) -> None:
        faiss.write_index(self._index, str(staging / "index.faiss"))
        lines = (json.dumps(dataclasses.asdict(p), ensure_ascii=False) for p in self.passages)
        (staging / "passages.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        manifest = {
            "format": FORMAT,
            "embedder": self.embedder,
            "dimension": self._index.d,
            "metric": "cosine",
            "passages": len(self.passages),
            "articles": articles,
            "sha256": {n: sha256(staging / n) for n in ("index.faiss", "passages.jsonl")},
        }
        (staging / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, embedder: str) -> Self:
        """Read an index that ``save`` wrote.

        Raises:
            IndexMismatchError: A file is missing or damaged, or another embedder made the vectors.
        """
        manifest = _manifest(folder)
        if manifest["embedder"] != embedder:
            raise IndexMismatchError(
                f"The index in {folder} was built with {manifest['embedder']}, but the assistant "
                f"is configured with {embedder}. {REPAIR}"
            )
        for name, expected in manifest["sha256"].items():
            if not (folder / name).is_file() or sha256(folder / name) != expected:
                raise IndexMismatchError(
                    f"{folder / name} is damaged: its SHA-256 is not the one of the manifest. "
                    f"{REPAIR}"
                )
        stored = faiss.read_index(str(folder / "index.faiss"))
        with (folder / "passages.jsonl").open(encoding="utf-8") as lines:
            passages = [Passage(**json.loads(line)) for line in lines]
        return cls(stored.reconstruct_n(0, stored.ntotal), passages, embedder)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise IndexMismatchError(
            f"Expected an index with a manifest.json in {folder}, found none that can be read "
            f"({type(error).__name__}). {REPAIR}"
        ) from None
    if manifest.get("format") != FORMAT:
        raise IndexMismatchError(
            f"Expected an index of format {FORMAT} in {folder}, found {manifest.get('format')}. "
            f"{REPAIR}"
        )
    return manifest


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
