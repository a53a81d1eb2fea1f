"""Finds one language's passages by their own vectors and by those of their sentences."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.models.embedder import Vectors
from knowledge.models.span_embedder import PassageVectors, SpanEmbedder
from knowledge.models.turn_before import TurnBefore
from knowledge.retrieval.vector_index import Rows


class SpanIndex:
    """The vectors of the passages of one language, which are consecutive rows of a snapshot."""

    def __init__(
        self,
        embedder: SpanEmbedder,
        rows: range,
        vectors: Sequence[PassageVectors],
        asked: Mapping[str, Vectors] | None = None,
    ) -> None:
        """Keep the vectors, in half precision.

        Args:
            embedder: The one that made the vectors.
            rows: The rows of the passages in the snapshot.
            vectors: Those of each passage.
            asked: By article, those of the messages that it is known to answer, of shape
                (messages, dimension).
        """
        self._asked = {name: of.astype(np.float16) for name, of in (asked or {}).items()}
        self._embedder = embedder
        self.rows = rows
        self._passages = np.stack([of.whole for of in vectors]).astype(np.float16)
        self._sentences = np.concatenate([of.sentences for of in vectors]).astype(np.float16)
        counts = [len(of.sentences) for of in vectors]
        self._starts = np.concatenate([[0], np.cumsum(counts)])

    def search(self, question: str, before: TurnBefore | None = None) -> "SpanSearch":
        """Compare a question with all passages and sentences.

        Args:
            question: What the customer types.
            before: The turn before it; None for a first message.
        """
        if before:
            vector = self._embedder.encode_later(question, before)
        else:
            (vector,) = self._embedder.encode_questions([question])
        # In the units of the training's loss, so that another embedder's scores mean the same.
        vector = vector / self._embedder.temperature
        whole, parts = _product(self._passages, vector), _product(self._sentences, vector)
        asked = {name: float(_product(of, vector).max()) for name, of in self._asked.items()}
        return SpanSearch(self.rows, whole, parts, self._starts, asked)

    def scores(self, vectors: Vectors) -> Vectors:
        """Return how near questions are to all passages, of shape (questions, passages).

        Args:
            vectors: Their unit vectors, of shape (questions, dimension).
        """
        vectors = vectors / self._embedder.temperature
        whole, parts = _product(self._passages, vectors.T), _product(self._sentences, vectors.T)
        best = whole.copy()
        held = np.diff(self._starts) > 0
        if held.any():
            best[held] = np.maximum.reduceat(parts, self._starts[:-1][held])
        return np.asarray((whole + best).T / 2, np.float32)


class SpanSearch:
    """How near one question is to the passages of one language and to their sentences.

    All scores are cosines divided by the temperature of the embedder's training.
    """

    def __init__(
        self,
        rows: range,
        whole: Vectors,
        sentences: Vectors,
        starts: NDArray[np.int64],
        asked: Mapping[str, float] | None = None,
    ) -> None:
        """Take the scores.

        Args:
            rows: The rows of the passages in the snapshot.
            whole: Of the passages, of shape (passages,).
            sentences: Of all sentences, of shape (sentences,).
            starts: Each passage's first sentence, of shape (passages + 1,).
            asked: Of each article's nearest message.
        """
        self._asked = asked or {}
        self._rows, self._sentences, self._starts = rows, sentences, starts
        # Passages without a sentence count by themselves.
        best = [
            max(sentences[first:last], default=score)
            for score, first, last in zip(whole, starts, starts[1:], strict=False)
        ]
        self._scores = (whole + np.array(best, np.float32)) / 2

    def best(self, count: int) -> list[int]:
        """Return the rows of the passages with the highest scores, up to ``count``."""
        return [self._rows[at] for at in np.argsort(-self._scores)[:count]]

    def best_asked(self, count: int) -> list[str]:
        """Return the articles whose messages are nearest, up to ``count``."""
        return sorted(self._asked, key=lambda name: -self._asked[name])[:count]

    def asked(self, articles: Sequence[str]) -> Vectors:
        """Return how much nearer each article's messages are than those of the mean article.

        An article without messages gets 0, as the mean article does.
        """
        mean = sum(self._asked.values()) / max(1, len(self._asked))
        return np.array([self._asked.get(name, mean) - mean for name in articles], np.float32)

    def scores(self, rows: Rows) -> Vectors:
        """Return a score for each row: the mean of the passage's and its best sentence's.

        Rows of other languages get the mean over this language, since their vectors differ.
        """
        known = [
            self._scores[row - self._rows.start] if row in self._rows else None for row in rows
        ]
        mean = float(self._scores.mean())
        return np.array([mean if score is None else score for score in known], np.float32)

    def sentences(self, row: int) -> tuple[float, ...]:
        """Return the scores of a passage's sentences; empty for a row of another language."""
        if row not in self._rows:
            return ()
        at = row - self._rows.start
        return tuple(self._sentences[self._starts[at] : self._starts[at + 1]].tolist())


def _product(vectors: NDArray[np.float16], vector: Vectors) -> Vectors:
    return np.asarray(vectors.astype(np.float32) @ vector, np.float32)
