"""BM25 over stemmed English words, and over Chinese characters and bigrams."""

import logging
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.segmenter import words


class LexicalIndex:
    """Scores every text against a query: BM25 as a share of the best possible score.

    Dividing by the sum of the query's inverse document frequencies bounds the score by 1 and makes
    it comparable between queries: if no text has the query's rare words, all texts score low.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        """Index at least one text; each takes about 0.1 ms."""
        import bm25s

        # The library has its own logger say everything, on import.
        logging.getLogger("bm25s").setLevel(logging.WARNING)
        terms = [words(text) for text in texts]
        self._frequency = Counter(term for line in terms for term in set(line))
        self._count = len(texts)
        self._bm25 = bm25s.BM25(method="lucene")
        # The library refuses an index of texts without a single word.
        self._bm25.index([line or ["\0"] for line in terms], show_progress=False)

    def _idf(self, term: str) -> float:
        """Return a term's inverse document frequency: near 0 if every text has it."""
        containing = self._frequency[term]
        return math.log(1 + (self._count - containing + 0.5) / (containing + 0.5))

    def score(self, query: str) -> NDArray[np.float32]:
        """Return float32 of shape (number of texts,), each in [0, 1]."""
        terms = list(dict.fromkeys(words(query)))
        known = [term for term in terms if term in self._frequency]
        if not known:
            return np.zeros(self._count, dtype=np.float32)
        best = sum(self._idf(term) for term in terms)
        return np.asarray(self._bm25.get_scores(known) / best, dtype=np.float32).clip(0.0, 1.0)
