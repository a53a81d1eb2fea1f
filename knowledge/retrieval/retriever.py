"""Retrieves the passages that answer a query."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from knowledge.documents import Article, Hit
from knowledge.models.embedder import Embedder, Vectors
from knowledge.models.turn_before import TurnBefore
from knowledge.retrieval.lexical_index import LexicalIndex
from knowledge.retrieval.query_head import QueryHead
from knowledge.retrieval.quotations import Quotations
from knowledge.retrieval.related import RelatedArticles
from knowledge.retrieval.repetitions import repetitions
from knowledge.retrieval.reranker import Reranker
from knowledge.retrieval.snapshot import Snapshot
from knowledge.retrieval.span_index import SpanIndex, SpanSearch
from knowledge.retrieval.vector_index import Rows

# Passages that dense and lexical search propose each; both score all that either proposed.
CANDIDATES = 30
# Articles whose known messages are nearest.
ASKED = 5
# Passages of an article that is searched whatever its words.
ALSO = 3
# An article whose prior exceeds this is a candidate, whatever its words.
LIKELY = 0.05


class Retriever:
    """Dense and lexical search over the same passages, fused into one calibrated score."""

    def __init__(
        self,
        snapshot: Snapshot,
        embedder: Embedder,
        head: QueryHead | None = None,
        reranker: Reranker | None = None,
        spans: Mapping[str, SpanIndex] | None = None,
    ) -> None:
        """Keep the parts and build the lexical index.

        Args:
            snapshot: The passages with their vectors and the calibration.
            embedder: The embedder that encoded the passages.
            head: The company's query head, if it has one.
            reranker: Reranks the best hits, if the settings name one.
            spans: The span indexes by language; a language without one is searched without.
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
        self._spans = spans or {}
        self._repeated = repetitions(snapshot.passages)
        self.quotations = Quotations(snapshot.passages)
        self.related = RelatedArticles(snapshot.passages, snapshot.index)
        self._rows = snapshot.rows_by_language()
        self._rows_of_article: dict[str, list[int]] = {}
        for row, passage in enumerate(snapshot.passages):
            self._rows_of_article.setdefault(passage.article, []).append(row)

    def article(self, lang: str, article: str) -> Article | None:
        """Return a currently valid article by its language and id, or None."""
        return self._articles.get((lang, article))

    def valid_articles(self) -> list[Article]:
        """Return all currently valid articles."""
        return list(self._articles.values())

    def retrieve(
        self,
        query: str | Mapping[str, Vectors],
        lang: str,
        top_k: int = 8,
        prior: Mapping[str, float] | None = None,
        title: str | None = None,
        also: Sequence[str] = (),
        before: TurnBefore | None = None,
    ) -> list[Hit]:
        """Return the best passages for a query, best first, however low they score.

        Args:
            query: A query; or several phrasings of it with their vectors of shape (dimension,),
                the fullest one last. A passage gets its best score over the phrasings, and each
                phrasing gives as many hits as any other.
            lang: The language of the query. Passages in other languages are searched only for
                articles that have no version in it.
            top_k: The largest number of hits that the query itself gives.
            prior: The probability in [0, 1], by article id, that the customer's intent is answered
                there; None if no intents are known.
            title: Restricts the search to articles with this title, for example one that the
                customer picked.
            also: The ids of articles whose best passages are hits whatever they score; those that
                are not known give none.
            before: The turn before the message that the first phrasing is; span embedders read the
                message with it instead of the last phrasing.

        Raises:
            ValueError: ``top_k`` is less than 1.
        """
        if top_k < 1:
            raise ValueError(f"top_k must be at least 1. Currently, top_k is {top_k}")
        if isinstance(query, str):
            query = {query: self._embedder.encode_queries([query])[0]}
        best: dict[int, Hit] = {}
        kept: set[int] = set()
        message, *_ = query
        *_, fullest = query
        for text, vector in query.items():
            found = None
            if spans := self._spans.get(lang):
                is_later = before is not None and text is fullest
                found = spans.search(message, before) if is_later else spans.search(text)
            scored = dict(self._scored(text, vector, found, lang, prior, title, also))
            kept.update(_best(scored, -(-top_k // len(query))))
            # What the fullest phrasing says of sentences is what counts.
            best |= {
                r: replace(h, score=max(h.score, best[r].score if r in best else 0.0))
                for r, h in scored.items()
            }
        best = {row: best[row] for row in _best(best, len(best))}
        if self._reranker:
            best = self._reranked(fullest, best)
            kept = set(list(best)[:top_k])
        for name in also:
            of_article = [row for row, hit in best.items() if hit.passage.article == name]
            kept.update(of_article[:ALSO])
        return [hit for row, hit in best.items() if row in kept]

    def _reranked(self, query: str, hits: Mapping[int, Hit]) -> dict[int, Hit]:
        assert self._reranker  # noqa: S101  # the caller has looked
        rows = {id(hit.passage): row for row, hit in hits.items()}
        reranked = self._reranker.rerank(query, list(hits.values()))
        return {rows[id(hit.passage)]: hit for hit in reranked}

    def _scored(
        self,
        text: str,
        vector: Vectors,
        spans: SpanSearch | None,
        lang: str,
        prior: Mapping[str, float] | None,
        title: str | None,
        also: Sequence[str],
    ) -> Iterator[tuple[int, Hit]]:
        lexical = self.lexical.score(text)
        if self._head:
            vector = self._head.apply(vector)
        if title is None:
            rows = self._candidates(vector, lexical, spans, lang, prior or {}, also)
        else:
            rows = self._rows_with_title(title, lang)
        if not len(rows):
            return
        calibration = self.snapshot.calibration
        fusion = calibration.for_query(lang, intent=prior is not None, spans=spans is not None)
        articles = [self.passages[row].article for row in rows]
        priors = np.array([(prior or {}).get(article, 0.0) for article in articles], np.float32)
        dense = np.asarray(self.snapshot.index.vectors(rows) @ vector, dtype=np.float32)
        near = spans.scores(rows) if spans else np.zeros(len(rows), np.float32)
        asked = spans.asked(articles) if spans else np.zeros(len(rows), np.float32)
        scores = fusion.probabilities(dense, lexical[rows], priors, near, asked, articles)
        for at, row in enumerate(rows.tolist()):
            yield (
                row,
                Hit(
                    self.passages[row],
                    score=float(scores[at]),
                    dense=float(dense[at]),
                    lexical=float(lexical[row]),
                    near=float(near[at]),
                    asked=float(asked[at]),
                    sentences=spans.sentences(row) if spans else (),
                    repeated=self._repeated[row],
                ),
            )

    def _candidates(
        self,
        vector: Vectors,
        lexical: Vectors,
        spans: SpanSearch | None,
        lang: str,
        prior: Mapping[str, float],
        also: Sequence[str],
    ) -> Rows:
        """Return rows proposed by any search or the prior, those in the language first."""
        likely = [name for name, probability in prior.items() if probability > LIKELY]
        candidates: list[int] = []
        if spans:
            known = [self._rows_of_article[name] for name in spans.best_asked(ASKED)]
            candidates += spans.best(CANDIDATES)
            candidates += [row for rows in known for row in rows if row in self._rows[lang]]
        for other in sorted(self._rows, key=lambda name: name != lang):
            rows = self._rows[other]
            proposed = self.snapshot.index.search(vector, CANDIDATES, rows).tolist()
            proposed += _largest(lexical, rows)
            proposed += [
                row
                for article in dict.fromkeys([*likely, *also])
                for row in self._rows_of_article.get(article, ())
                if row in rows
            ]
            candidates += [row for row in proposed if other == lang or not self._is_in(lang, row)]
        return np.array(list(dict.fromkeys(candidates)), dtype=np.int64)

    def _rows_with_title(self, title: str, lang: str) -> Rows:
        """Return the rows of the articles with a title: those in the language, if there are any."""
        rows = [row for row, passage in enumerate(self.passages) if passage.title == title]
        in_language = [row for row in rows if self.passages[row].lang == lang]
        return np.array(in_language or rows, dtype=np.int64)

    def _is_in(self, lang: str, row: int) -> bool:
        """Return whether a passage's article has a version in a language."""
        passage = self.passages[row]
        article = self._articles[passage.lang, passage.article]
        return any((lang, name) in self._versions for name in _names(article))


def _best(hits: Mapping[int, Hit], count: int) -> list[int]:
    """Return the rows of the best hits, best first."""
    return sorted(hits, key=lambda row: -hits[row].score)[:count]


def _names(article: Article) -> set[str]:
    """Return the ids that an article has in common with its translations."""
    return {article.id, article.translation_of or article.id}


def _largest(scores: Vectors, rows: range) -> list[int]:
    """Return up to ``CANDIDATES`` rows of the range with the largest scores above 0."""
    in_range = scores[rows.start : rows.stop]
    count = min(CANDIDATES, len(in_range))
    best = np.argpartition(-in_range, count - 1)[:count]
    return [int(row) + rows.start for row in best if in_range[row] > 0]
