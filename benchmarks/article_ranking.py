"""Which article ranks first: ``python -m benchmarks.article_ranking``.

Measures recall at 1 and 3, mean reciprocal rank and nDCG at 5 of each way to search, without
intents. No part was trained on the questions: BANKING77's development rows and the project's own
for Lantern Bank, every second passage of XQuAD in four language pairs, and ABCD's guidelines as the
documents of another company.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from knowledge.documents import Article
from knowledge.models.embedder import Embedder, Vectors
from knowledge.retrieval.calibration import Calibration
from knowledge.retrieval.query_head import QueryHead
from tuning.retrieval.asked_questions import AskedQuestion

if TYPE_CHECKING:
    from knowledge.retrieval.retriever import Retriever

# A ranking is a list of article ids, best first, for a question with its vector.
RankedSentences = Callable[[str, Vectors], list[str]]


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """Questions, the retriever of the documents that answer them, and its query head, if any."""

    name: str
    asked: Sequence[AskedQuestion]
    retriever: "Retriever"
    head: QueryHead | None


def main() -> int:
    """Print the table; return 2 if the public data is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.article_ranking",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m benchmarks.article_ranking",
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument(
        "--failures", action="store_true", help="list the questions that fused search misses"
    )
    given = parser.parse_args()
    from knowledge.models.model_files import open_embedder, open_frozen_embedder
    from tuning.public_data import is_data_missing

    if is_data_missing("article_ranking"):
        return 2
    frozen, adapted = open_frozen_embedder(given.state), open_embedder(None, given.state)
    print("| questions | search | recall@1 | recall@3 | MRR | nDCG@5 |")
    print("| --- | --- | --- | --- | --- | --- |")
    for questions in question_sets(adapted):
        texts = [question.question for question in questions.asked]
        for name, ranking, vectors in _ways(questions, texts, frozen, adapted):
            ranks = _ranks(questions.asked, vectors, ranking)
            print(f"| {questions.name} ({len(ranks)}) | {name} | {measures(ranks)} |", flush=True)
        if given.failures:
            _print_failures(questions, vectors, ranking)
    return 0


def _ways(
    questions: RetrievalSet, texts: list[str], frozen: Embedder, adapted: Embedder
) -> "Iterator[tuple[str, RankedSentences, Vectors]]":
    retriever, lang = questions.retriever, questions.asked[0].lang
    rows = [n for n, p in enumerate(retriever.passages) if p.lang == lang]
    names = [retriever.passages[row].article for row in rows]
    stored = retriever.snapshot.index.vectors(np.array(rows))
    before, after = frozen.encode_queries(texts), adapted.encode_queries(texts)

    def lexical(text: str, _vector: Vectors) -> list[str]:
        return _ordered(retriever.lexical.score(text)[rows], names)

    def dense(_text: str, vector: Vectors) -> list[str]:
        return _ordered(stored @ vector, names)

    def fused(text: str, vector: Vectors) -> list[str]:
        hits = retriever.retrieve({text: vector}, lang, top_k=60)
        return list(dict.fromkeys(hit.passage.article for hit in hits))

    yield "lexical", lexical, before
    yield "dense, frozen embedder", dense, before
    yield "dense, query adapter", dense, after
    if questions.head:
        yield "dense, adapter and head", dense, np.array([questions.head.apply(v) for v in after])
    yield "fused", fused, after


def _ordered(scores: Vectors, names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names[row] for row in np.argsort(-scores)))


def _ranks(asked: Sequence[AskedQuestion], vectors: Vectors, ranking: RankedSentences) -> list[int]:
    ranks = []
    for question, vector in zip(asked, vectors, strict=True):
        ranks.append(rank_of(question.article, ranking(question.question, vector)))
    return ranks


def rank_of(article: str, found: Sequence[str]) -> int:
    """Return the rank of an article, from 0; a huge one if it is missing."""
    return found.index(article) if article in found else 10**6


def measures(ranks: Sequence[int]) -> str:
    """Return the cells of a table: recall@1, recall@3, MRR and nDCG@5 of ranks from 0."""
    ndcg = [1 / math.log2(rank + 2) if rank < 5 else 0.0 for rank in ranks]
    values = [
        np.mean([rank < 1 for rank in ranks]),
        np.mean([rank < 3 for rank in ranks]),
        np.mean([1 / (rank + 1) for rank in ranks]),
        np.mean(ndcg),
    ]
    return " | ".join(f"{value:.3f}" for value in values)


def _print_failures(questions: RetrievalSet, vectors: Vectors, ranking: RankedSentences) -> None:
    for question, vector in zip(questions.asked, vectors, strict=True):
        found = ranking(question.question, vector)
        if found[:1] != [question.article]:
            row: dict[str, Any] = {"q": question.question, "right": question.article}
            print(json.dumps({**row, "found": found[:3]}, ensure_ascii=False))


def question_sets(embedder: Embedder) -> Iterator[RetrievalSet]:
    """Yield each set with the retriever of the documents that answer it."""
    from knowledge.build_index import BANK, current_articles
    from tuning.public_data import abcd_articles
    from tuning.retrieval.asked_questions import banking77, project_questions, retriever_of, xquad

    head = QueryHead.find(BANK, embedder.query_name)
    bank = retriever_of(current_articles(BANK), embedder, head, Calibration.of(BANK))
    yield RetrievalSet("BANKING77 development", banking77(BANK, "dev"), bank, head)
    yield RetrievalSet(
        "Lantern Bank, new subjects", project_questions("retrieval_dev.en", "en"), bank, head
    )
    yield RetrievalSet(
        "Lantern Bank, Chinese", project_questions("retrieval_dev.zh", "zh"), bank, head
    )
    guidelines = abcd_articles().items()
    shop = [Article(name, title, "en", text, name) for name, (title, text) in guidelines]
    asked = project_questions("retrieval_abcd", "en")
    yield RetrievalSet("ABCD guidelines", asked, retriever_of(shop, embedder), None)
    for passages_lang in ("en", "zh"):
        texts, _ = xquad("en", passages_lang, "dev")
        articles = [Article(name, "", passages_lang, text, name) for name, text in texts.items()]
        encyclopedia = retriever_of(articles, embedder)
        for lang in ("en", "zh"):
            _, asked = xquad(lang, passages_lang, "dev")
            yield RetrievalSet(f"XQuAD {lang} → {passages_lang}", asked, encyclopedia, None)


if __name__ == "__main__":
    sys.exit(main())
