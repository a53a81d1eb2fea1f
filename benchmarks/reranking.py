"""What reranking by late interaction would add: ``python -m benchmarks.reranking``.

Compares each token of the question with each token of a passage and averages the maxima (ColBERT,
Khattab and Zaharia 2020, arXiv 2004.12832). The token vectors are the embedder's, without training.
The best twenty hits are reordered. The questions are those of ``benchmarks.article_ranking`` and of
the development companies. The assistant does not rerank this way; docs/knowledge.md says why.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.article_ranking import RetrievalSet, measures, question_sets, rank_of
from knowledge.models.embedder import Embedder, Vectors
from tuning.retrieval.asked_questions import AskedQuestion, retriever_of

READ = 20
# The weight of a mean maximal cosine in a hit's logit, chosen on the training companies.
WEIGHT = 60.0


def main() -> int:
    """Print the table; return 2 if the public data is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reranking",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m benchmarks.reranking",
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args()
    from knowledge.models.model_files import open_embedder
    from tuning.public_data import is_data_missing

    if is_data_missing("reranking"):
        return 2
    embedder = open_embedder(None, given.state)
    print("| questions | search | recall@1 | recall@3 | MRR | nDCG@5 | ms more |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    known: dict[int, list[Vectors]] = {}
    for questions in [*_companies(embedder), *question_sets(embedder)]:
        _compare(questions, embedder, known)
    return 0


def _companies(embedder: Embedder) -> Iterator[RetrievalSet]:
    from tuning.companies import load_companies

    for company in load_companies("dev"):
        asked = [
            AskedQuestion(p.question, p.article, company.lang) for p in company.pairs if p.article
        ]
        retriever = retriever_of(company.articles, embedder)
        yield RetrievalSet(f"{company.name}, {company.trade}", asked, retriever, None)


def _compare(questions: RetrievalSet, embedder: Any, known: dict[int, list[Vectors]]) -> None:
    from knowledge.build_index import embedded_text

    retriever = questions.retriever
    if id(retriever) not in known:
        texts = [embedded_text(passage).lstrip(". ") for passage in retriever.passages]
        known[id(retriever)] = _tokens(embedder.sentence_transformer, texts, "document")
    rows = {(p.lang, p.article, p.start): n for n, p in enumerate(retriever.passages)}
    texts = [question.question for question in questions.asked]
    before, after, times = [], [], []
    for question, vector, tokens in zip(
        questions.asked,
        embedder.encode_queries(texts),
        _tokens(embedder.query_transformer, texts, "query"),
        strict=True,
    ):
        hits = retriever.retrieve({question.question: vector}, question.lang, top_k=READ)
        start = time.perf_counter()
        places = [rows[h.passage.lang, h.passage.article, h.passage.start] for h in hits]
        late = _late(tokens, [known[id(retriever)][place] for place in places])
        scores = [math.log(hit.score + 1e-12) for hit in hits] + WEIGHT * late
        ordered = list(dict.fromkeys(hits[n].passage.article for n in np.argsort(-scores)))
        times.append((time.perf_counter() - start) * 1000)
        before.append(
            rank_of(question.article, list(dict.fromkeys(hit.passage.article for hit in hits)))
        )
        after.append(rank_of(question.article, ordered))
    name = f"{questions.name} ({len(before)})"
    print(f"| {name} | fused | {measures(before)} | |")
    print(f"| {name} | reranked | {measures(after)} | {np.median(times):.1f} |", flush=True)


def _tokens(model: Any, texts: Sequence[str], prompt: str) -> list[Vectors]:
    """Return the unit vectors of each text's tokens, of shape (tokens, dimension)."""
    found = model.encode(
        list(texts), prompt_name=prompt, output_value="token_embeddings", show_progress_bar=False
    )
    arrays = [np.asarray(tokens, dtype=np.float32) for tokens in found]
    return [tokens / np.linalg.norm(tokens, axis=1, keepdims=True) for tokens in arrays]


def _late(query: Vectors, passages: Sequence[Vectors]) -> Vectors:
    ends = np.cumsum([len(tokens) for tokens in passages])[:-1]
    near = np.split(query @ np.concatenate(passages).T, ends, axis=1)
    return np.array([each.max(axis=1).mean() for each in near], dtype=np.float32)


if __name__ == "__main__":
    sys.exit(main())
