"""Finds the passages that answer a query."""

from collections.abc import Iterator, Mapping

import numpy as np

from knowledge.documents import Article, Hit
from knowledge.models.embedder import Embedder, Vectors
from knowledge.retrieval.lexical_index import LexicalIndex
from knowledge.retrieval.query_head import QueryHead
from knowledge.retrieval.reranker import Reranker
from knowledge.retrieval.snapshot import Snapshot
from knowledge.retrieval.vector_index import Rows

# Passages that each side proposes; their union is scored by both.
CANDIDATES = 30
# An article that the intent makes likelier than this is a candidate whatever its words.
LIKELY = 0.05


class Retriever:
    """Dense and lexical search over the same passages, fused into one calibrated score."""

    def __init__(
        self,
        snapshot: Snapshot,
        embedder: Embedder,
        head: QueryHead | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        """Keep the parts and index the passages' words.

        Args:
            snapshot: The passages with their vectors and the calibration.
            embedder: The one that made the vectors.
            head: The company's correction of queries, if it has one.
            reranker: What reads the best hits once more, if the settings name it.
        """
        self.snapshot = snapshot
        self.passages = snapshot.passages
        self.lexical = LexicalIndex([f"{p.name}\n{p.text}" for p in snapshot.passages])
        valid = [article for article in snapshot.articles if article.is_valid(snapshot.day)]
        self._articles = {(str(article.lang), article.id): article for article in valid}
        self._versions = {(str(a.lang), name) for a in valid for name in _names(a)}
        self._embedder = embedder
        self._head = head
        self._reranker = reranker
        self._rows = _rows_by_language(snapshot)
        self._rows_of_article: dict[str, list[int]] = {}
        for row, passage in enumerate(snapshot.passages):
            self._rows_of_article.setdefault(passage.article, []).append(row)

    def article(self, lang: str, article: str) -> Article | None:
        """Return an article that is valid now by its language and id, or None."""
        return self._articles.get((lang, article))

    def retrieve(
        self,
        query: str | Mapping[str, Vectors],
        lang: str,
        top_k: int = 8,
        prior: Mapping[str, float] | None = None,
        title: str | None = None,
    ) -> list[Hit]:
        """Return the best passages for a query, best first, without any floor.

        Args:
            query: What to look for; or several readings of it with their vectors, of which a
                passage gets the best score.
            lang: The language of the query. Passages in it come first; those in other languages
                are searched only for articles that have no version in it.
            top_k: How many hits at most.
            prior: For each article, the probability in [0, 1] that the customer's intent is
                answered there; None where no intents are known.
            title: Only passages of the articles with this title, which the customer picked.
        """
        if top_k < 1:
            raise ValueError(f"top_k must be at least 1. Currently, top_k is {top_k}")
        if isinstance(query, str):
            query = {query: self._embedder.encode_queries([query])[0]}
        best: dict[int, Hit] = {}
        for text, vector in query.items():
            for row, hit in self._scored(text, vector, lang, prior, title):
                if row not in best or hit.score > best[row].score:
                    best[row] = hit
        hits = sorted(best.values(), key=lambda hit: -hit.score)
        if self._reranker:
            *_, fullest = query  # the last reading holds all the words there are
            hits = self._reranker.rerank(fullest, hits)
        return hits[:top_k]

    def _scored(
        self,
        text: str,
        vector: Vectors,
        lang: str,
        prior: Mapping[str, float] | None,
        title: str | None,
    ) -> Iterator[tuple[int, Hit]]:
        lexical = self.lexical.score(text)
        if self._head:
            vector = self._head.apply(vector)
        if title is None:
            rows = self._candidates(vector, lexical, lang, prior or {})
        else:
            rows = self._titled(title, lang)
        if not len(rows):
            return
        fusion = self.snapshot.calibration.for_query(lang, intent=prior is not None)
        names = [self.passages[row].article for row in rows]
        beliefs = np.array([(prior or {}).get(name, 0.0) for name in names], dtype=np.float32)
        dense = np.asarray(self.snapshot.index.vectors(rows) @ vector, dtype=np.float32)
        scores = fusion.probabilities(dense, lexical[rows], beliefs, names)
        for row, score, near, found in zip(rows, scores, dense, lexical[rows], strict=True):
            yield int(row), Hit(self.passages[row], float(score), float(near), float(found))

    def _candidates(
        self, vector: Vectors, lexical: Vectors, lang: str, prior: Mapping[str, float]
    ) -> Rows:
        found: list[int] = []
        for other in sorted(self._rows, key=lambda name: name != lang):
            rows = self._rows[other]
            proposed = self.snapshot.index.search(vector, CANDIDATES, rows).tolist()
            proposed += _largest(lexical, rows)
            proposed += [
                row
                for article, belief in prior.items()
                if belief > LIKELY
                for row in self._rows_of_article.get(article, ())
                if row in rows
            ]
            found += [row for row in proposed if other == lang or not self._is_in(lang, row)]
        return np.array(list(dict.fromkeys(found)), dtype=np.int64)

    def _titled(self, title: str, lang: str) -> Rows:
        """Return an article's rows; of its version in the language, where there is one."""
        rows = [row for row, passage in enumerate(self.passages) if passage.title == title]
        own = [row for row in rows if self.passages[row].lang == lang]
        return np.array(own or rows, dtype=np.int64)

    def _is_in(self, lang: str, row: int) -> bool:
        """Tell whether a passage's article has a version in a language."""
        passage = self.passages[row]
        article = self._articles[passage.lang, passage.article]
        return any((lang, name) in self._versions for name in _names(article))


def _names(article: Article) -> set[str]:
    """Return what an article and its twins have in common."""
    return {article.id, article.translation_of or article.id}


def _rows_by_language(snapshot: Snapshot) -> dict[str, range]:
    # Passages lie sorted by language, so that those of one are a range.
    rows: dict[str, range] = {}
    for row, passage in enumerate(snapshot.passages):
        first = rows[passage.lang].start if passage.lang in rows else row
        rows[passage.lang] = range(first, row + 1)
    return rows


def _largest(scores: Vectors, rows: range) -> list[int]:
    some = scores[rows.start : rows.stop]
    count = min(CANDIDATES, len(some))
    best = np.argpartition(-some, count - 1)[:count]
    return [int(row) + rows.start for row in best if some[row] > 0]
