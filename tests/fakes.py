"""Small stand-ins for tests of logic alone; behaviour is tested on the real models."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from knowledge.models.embedder import Vectors


class HashEmbedder:
    """Bags of words hashed into 64 numbers: the same words give the same vector."""

    name = query_name = "hash"
    languages = frozenset({"en", "zh"})

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self.encode_queries(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[hashlib.md5(word.encode()).digest()[0] % 64] += 1  # noqa: S324  # no secret
            row /= np.linalg.norm(row) or 1.0
        return rows

    def adapted(self, adapter: Path) -> None:
        del adapter


class ScriptedGenerator:
    """Says what it was told to say, in pieces of four characters, and keeps what it was asked."""

    name = "scripted"
    languages = frozenset({"en", "zh"})
    has_adapter = True

    def __init__(self, text: str, *, remote: bool = False) -> None:
        self.text = text
        self.is_remote = remote
        self.asked: list[list[dict[str, str]]] = []
        self.adapters: list[bool] = []

    def adapted(self, adapter: Path) -> None:
        del adapter

    def generate(
        self,
        messages: Sequence[dict[str, str]],
        *,
        max_tokens: int = 160,
        adapter: bool = False,
        avoid: str = "",
    ) -> Iterator[str]:
        self.asked.append(list(messages))
        self.adapters.append(adapter)
        for start in range(0, len(self.text), 4):
            yield self.text[start : start + 4]
