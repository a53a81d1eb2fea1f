"""BM25 over words (English) and characters with bigrams (Chinese)."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.segmenter import words


class LexicalIndex:
    """Scores every text against a query: BM25 as the share of the best score possible.

    Dividing by the sum of the query's inverse document frequencies bounds the score by 1 and
    makes it comparable between queries: a query whose rare words stand nowhere scores low.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        """Index the texts; about 0.1 ms each.

        Args:
            texts: At least one.
        """
        import bm25s

        terms = [words(text) for text in texts]
        self._frequency = Counter(term for line in terms for term in set(line))
        self._count = len(texts)
        self._bm25 = bm25s.BM25(method="lucene")
        # An index of texts without a single word would be refused by the library.
        self._bm25.index([line or ["\0"] for line in terms], show_progress=False)

    def idf(self, term: str) -> float:
        """Return how telling a term is: near 0 for one in every text, higher for a rarer one."""
        seen = self._frequency[term]
        return math.log(1 + (self._count - seen + 0.5) / (seen + 0.5))

    def score(self, query: str) -> NDArray[np.float32]:
        """Return float32 of shape (number of texts,), each in [0, 1]."""
        terms = list(dict.fromkeys(words(query)))
        known = [term for term in terms if term in self._frequency]
        if not known:
            return np.zeros(self._count, dtype=np.float32)
        best = sum(self.idf(term) for term in terms)
        return np.asarray(self._bm25.get_scores(known) / best, dtype=np.float32).clip(0.0, 1.0)
