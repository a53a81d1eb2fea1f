"""Articles that are near to an article: what a reader may want to know next."""

from collections.abc import Sequence

import numpy as np

from knowledge.documents import Passage
from knowledge.models.embedder import Vectors
from knowledge.retrieval.vector_index import VectorIndex

# Below this cosine, two articles share no more than their trade.
NEAR = 0.3
# With fewer articles of a language, their mean says nothing of what all have in common.
FEWEST = 12


class RelatedArticles:
    """Compares articles of one language by the means of their passages' vectors.

    What all of a company's articles have in common is taken away first: otherwise every article of
    a bank is near to every other.
    """

    def __init__(self, passages: Sequence[Passage], index: VectorIndex) -> None:
        """Take the passages in the order of the index's rows."""
        rows: dict[str, dict[str, list[int]]] = {}
        self._titles: dict[tuple[str, str], str] = {}
        for row, passage in enumerate(passages):
            lang, article = str(passage.lang), passage.article
            rows.setdefault(lang, {}).setdefault(article, []).append(row)
            self._titles.setdefault((lang, article), passage.title)
        self._articles = {lang: list(of) for lang, of in rows.items() if len(of) >= FEWEST}
        self._vectors = {lang: _centred(rows[lang], index) for lang in self._articles}

    def titles(self, articles: Sequence[str], lang: str, known: set[str], count: int) -> list[str]:
        """Return the titles of the articles that are nearest to some, the nearest first.

        Args:
            articles: The ids of the articles that were just read.
            lang: Their language.
            known: The ids of articles that are not wanted.
            count: How many at most; none that is further than ``NEAR``.
        """
        of = self._articles.get(lang, [])
        places = [of.index(article) for article in articles if article in of]
        if not places:
            return []
        vectors = self._vectors[lang]
        near = (vectors @ vectors[places].T).max(axis=1)
        found = [n for n in np.argsort(-near) if near[n] >= NEAR and of[n] not in known]
        return [self._titles[lang, of[n]] for n in found[:count]]


def _centred(rows: dict[str, list[int]], index: VectorIndex) -> Vectors:
    """Return the vector of each article, of length 1, of shape (articles, dimension)."""
    means = np.stack([index.vectors(np.array(of)).mean(axis=0) for of in rows.values()])
    means = means - means.mean(axis=0)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means / np.maximum(lengths, 1e-9), dtype=np.float32)
