"""Small stand-ins for tests of logic alone; behaviour is tested on the real models."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from assistant.adapters import Doubts
from knowledge.embedder import Vectors


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


class ScriptedGenerator:
    """Says what it was told to say, in pieces of four characters, and keeps what it was asked."""

    name = "scripted"
    languages = frozenset({"en", "zh"})
    has_adapter = True
    doubts: ClassVar[dict[str, Doubts]] = {x: Doubts(-2.0, -1.0) for x in ("en", "zh")}

    def __init__(self, text: str, *, remote: bool = False, doubt: float | None = None) -> None:
        self.text = text
        self.doubt = doubt
        self.is_remote = remote
        self.asked: list[list[dict[str, str]]] = []
        self.adapters: list[bool] = []
        self.weighed: list[tuple[list[dict[str, str]], str]] = []

    def likelihood(self, messages: Sequence[dict[str, str]], text: str) -> float | None:
        self.weighed.append((list(messages), text))
        return self.doubt

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
