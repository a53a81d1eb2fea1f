"""Groups questions by meaning, in both languages, and remembers what it has encoded."""

import threading
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
import yaml
from numpy.typing import NDArray

from knowledge.segmenter import language_of

Floats = NDArray[np.float32]
# How alike two questions are that count as one: a cosine after what all questions of a language
# have in common is taken away. `pytest tests/test_question_groups.py` says what comes of it: more
# of what means the same is together below it, and more of what does not.
ALIKE = 0.44
# Vectors that are remembered, and texts that are encoded at once.
REMEMBERED, BATCH = 20_000, 32
ORDINARY = Path(__file__).with_name("ordinary_questions.yml")


class Encoder(Protocol):
    """What encodes questions: an embedder."""

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """Return float32 of shape (len(texts), dimension), each row of length 1."""


class Likeness:
    """Encodes questions in the background, so that whoever looks at them need not wait."""

    def __init__(self, encoder: Encoder) -> None:
        """Take what encodes questions."""
        self._encoder = encoder
        self._known: dict[str, Floats] = {}
        self._lock = threading.Lock()

    def read(self, texts: Iterable[str]) -> None:
        """Encode what is not known yet. What was known and is not asked for may be forgotten."""
        with self._lock:
            wanted = list(dict.fromkeys([*texts, *_ordinary()]))
            if len(self._known) + len(wanted) > REMEMBERED:
                self._known = {text: self._known[text] for text in wanted if text in self._known}
            new = [text for text in wanted if text not in self._known]
            for start in range(0, len(new), BATCH):
                batch = new[start : start + BATCH]
                vectors = self._encoder.encode_queries(batch)
                self._known.update(zip(batch, vectors, strict=True))

    def read_in_background(self, texts: Sequence[str]) -> int:
        """Begin to encode what is not known yet; return how many texts that are."""
        missing = sum(text not in self._known for text in {*texts, *_ordinary()})
        if missing and not self._lock.locked():
            threading.Thread(target=self.read, args=(texts,), daemon=True).start()
        return missing

    def groups(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the numbers of the texts that mean the same, the largest group first.

        The first of each group is its middle. A text that is not encoded yet is alike only to
        itself.
        """
        distinct = list(dict.fromkeys(texts))
        places: dict[str, list[int]] = {}
        for number, text in enumerate(texts):
            places.setdefault(text, []).append(number)
        known = [text for text in distinct if text in self._known]
        weights = np.array([len(places[text]) for text in known], dtype=np.float32)
        found = [[known[n] for n in group] for group in grouped(self._vectors(known), weights)]
        found += [[text] for text in distinct if text not in self._known]
        numbers = [[n for text in group for n in places[text]] for group in found]
        return sorted(numbers, key=len, reverse=True)

    def _vectors(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of texts without what a language's questions have in common."""
        if not texts:
            return np.zeros((0, 1), dtype=np.float32)
        vectors = np.stack([self._known[text] for text in texts]).astype(np.float32)
        langs = np.array([_lang(text) for text in texts])
        for lang in set(langs):
            ordinary = [
                self._known[t] for t in _ordinary() if _lang(t) == lang and t in self._known
            ]
            common = np.vstack([*ordinary, vectors[langs == lang]])
            vectors[langs == lang] -= common.mean(axis=0)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-6), dtype=np.float32)


def grouped(vectors: Floats, weights: Floats, alike: float = ALIKE) -> list[list[int]]:
    """Return rows whose cosine with the middle of their group is at least ``alike``.

    The middle of the next group is whatever has most that is alike among those that are left.

    Args:
        vectors: Rows of length 1, of shape (texts, dimension).
        weights: How often each was asked, of shape (texts,).
        alike: The threshold.
    """
    near = vectors @ vectors.T >= alike
    np.fill_diagonal(near, val=True)
    counts = near @ weights
    free = np.ones(len(vectors), dtype=bool)
    groups = []
    while free.any():
        middle = int(np.where(free, counts, -1).argmax())
        members = np.flatnonzero(near[middle] & free)
        counts -= near[:, members] @ weights[members]
        free[members] = False
        groups.append([middle, *(int(n) for n in members if n != middle)])
    return groups


def _lang(text: str) -> str:
    return "zh" if language_of(text) == "zh" else "en"


@cache
def _ordinary() -> tuple[str, ...]:
    texts: dict[str, list[str]] = yaml.safe_load(ORDINARY.read_text(encoding="utf-8"))
    return tuple(text for of_language in texts.values() for text in of_language)
