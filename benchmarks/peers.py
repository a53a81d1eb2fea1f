"""One question, from text to ranked articles, compared with LangChain and Haystack.

``python -m pip install -c constraints.txt -e '.[peers]'``, then ``python -m benchmarks.peers``.

All systems search the same passages of Lantern Bank's help centre with the same weights
(multilingual-e5-small with its prompts): LangChain's EnsembleRetriever over FAISS and BM25,
weighted equally; Haystack's hybrid pipeline over its in-memory store, joined by reciprocal rank;
and this project's retriever, with the published weights and with the weights that ship. The
questions are BANKING77's development rows and the project's own Chinese ones. The systems take
turns at each question, so that other work on the machine affects all of them alike.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.article_ranking import rank_of
from knowledge.documents import Passage
from tuning.retrieval.asked_questions import AskedQuestion

TOP = 10
WARM_UP = 10
# Takes a question and returns the ids of articles, best first.
Search = Callable[[str], list[str]]


def main() -> int:
    """Print the table; return 2 if the public data or a peer is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m benchmarks.peers --questions 200",
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument(
        "--questions",
        type=int,
        default=300,
        help="the most questions of BANKING77; default: %(default)s",
    )
    given = parser.parse_args()
    try:
        _compare(given.state, given.questions)
    except FileNotFoundError as error:
        print(f"peers: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        extra = "python -m pip install -c constraints.txt -e '.[peers]'"
        print(f"peers: {error}; install the systems to compare with: {extra}", file=sys.stderr)
        return 2
    return 0


def _compare(state: Path, count: int) -> None:
    from knowledge.build_index import BANK
    from tuning.retrieval.asked_questions import banking77, project_questions

    english = banking77(BANK, "dev")
    chosen = np.random.default_rng(0).permutation(len(english))[:count]
    sets = {"en": [english[n] for n in chosen], "zh": project_questions("retrieval_dev.zh", "zh")}
    print("| questions | search | recall@1 | recall@3 | encode ms | all ms | p95 ms | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for lang, asked in sets.items():
        _measure(lang, asked, _searches(lang, state))


def _measure(
    lang: str, asked: Sequence[AskedQuestion], searches: dict[str, tuple[Search, Search]]
) -> None:
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in searches}
    ranks: dict[str, list[int]] = {name: [] for name in searches}
    for number, question in enumerate([*asked[:WARM_UP], *asked]):
        for name, (encode, search) in searches.items():
            _, encoding = _timed(encode, question.question)
            found, whole = _timed(search, question.question)
            if number >= WARM_UP:
                times[name].append((encoding, whole))
                ranks[name].append(rank_of(question.article, found))
    medians = {name: float(np.median(rows, axis=0)[1]) for name, rows in times.items()}
    for name, rows in times.items():
        encoding, whole = np.median(rows, axis=0)
        p95 = np.percentile(np.array(rows)[:, 1], 95)
        first, third = np.mean(np.array(ranks[name]) < 1), np.mean(np.array(ranks[name]) < 3)
        ratio = medians["LangChain ensemble"] / whole
        print(
            f"| {lang} ({len(asked)}) | {name} | {first:.3f} | {third:.3f} | {encoding:.1f} | "
            f"{whole:.1f} | {p95:.1f} | {ratio:.1f} |",
            flush=True,
        )


def _timed(call: Callable[[str], Any], text: str) -> tuple[Any, float]:
    start = time.perf_counter()
    found = call(text)
    return found, (time.perf_counter() - start) * 1000


def _searches(lang: str, state: Path) -> dict[str, tuple[Search, Search]]:
    """Return for each system how it encodes a question, and how it searches."""
    from knowledge.build_index import BANK, current_articles, embedded_text
    from knowledge.models.model_files import open_embedder, open_frozen_embedder
    from knowledge.retrieval.calibration import Calibration
    from knowledge.retrieval.query_head import QueryHead
    from tuning.retrieval.asked_questions import retriever_of

    frozen, adapted = open_frozen_embedder(state), open_embedder(None, state)
    articles = [article for article in current_articles(BANK) if article.lang == lang]
    plain = retriever_of(articles, frozen)
    whole = retriever_of(
        articles, adapted, QueryHead.find(BANK, adapted.query_name), Calibration.of(BANK)
    )
    model = frozen.sentence_transformer
    rows = [(passage, embedded_text(passage)) for passage in plain.passages]

    def torch_encode(text: str) -> Any:
        return model.encode_query(text, normalize_embeddings=True)

    def ours(retriever: Any, embedder: Any) -> tuple[Search, Search]:
        def search(text: str) -> list[str]:
            hits = retriever.retrieve(text, lang, top_k=TOP)
            return list(dict.fromkeys(hit.passage.article for hit in hits))

        return lambda text: embedder.encode_queries([text]), search

    return {
        "LangChain ensemble": (torch_encode, _langchain(rows, model)),
        "Haystack hybrid": (torch_encode, _haystack(rows, model)),
        "ours, published weights": ours(plain, frozen),
        "ours, adapter and head": ours(whole, adapted),
    }


def _langchain(rows: Sequence[tuple[Passage, str]], model: Any) -> Search:
    from langchain_classic.retrievers import EnsembleRetriever
    from langchain_community.retrievers import BM25Retriever
    from langchain_community.vectorstores import FAISS
    from langchain_core.embeddings import Embeddings

    class SameWeights(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return model.encode_document(texts, normalize_embeddings=True).tolist()

        def embed_query(self, text: str) -> list[float]:
            return model.encode_query(text, normalize_embeddings=True).tolist()

    texts = [text for _, text in rows]
    metadata = [{"article": passage.article} for passage, _ in rows]
    dense = FAISS.from_texts(texts, SameWeights(), metadatas=metadata)
    lexical = BM25Retriever.from_texts(texts, metadatas=metadata, k=TOP)
    both = EnsembleRetriever(
        retrievers=[lexical, dense.as_retriever(search_kwargs={"k": TOP})], weights=[0.5, 0.5]
    )
    return lambda text: list(dict.fromkeys(d.metadata["article"] for d in both.invoke(text)))


def _haystack(rows: Sequence[tuple[Passage, str]], model: Any) -> Search:
    # It reports each pipeline's run to its maker unless this is set before the import.
    os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
    from haystack import Document, Pipeline, component
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import (
        InMemoryBM25Retriever,
        InMemoryEmbeddingRetriever,
    )
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    @component
    class SameWeights:
        @component.output_types(embedding=list[float])
        def run(self, text: str) -> dict[str, Any]:
            return {"embedding": model.encode_query(text, normalize_embeddings=True).tolist()}

    vectors = model.encode_document([text for _, text in rows], normalize_embeddings=True)
    store = InMemoryDocumentStore(embedding_similarity_function="dot_product")
    store.write_documents(
        [
            Document(content=text, meta={"article": passage.article}, embedding=vector.tolist())
            for (passage, text), vector in zip(rows, vectors, strict=True)
        ]
    )
    pipeline = Pipeline()
    pipeline.add_component("embedder", SameWeights())
    pipeline.add_component("dense", InMemoryEmbeddingRetriever(store, top_k=TOP))
    pipeline.add_component("lexical", InMemoryBM25Retriever(store, top_k=TOP))
    pipeline.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
    pipeline.connect("embedder.embedding", "dense.query_embedding")
    pipeline.connect("dense", "joiner")
    pipeline.connect("lexical", "joiner")

    def search(text: str) -> list[str]:
        done = pipeline.run({"embedder": {"text": text}, "lexical": {"query": text}})
        return list(dict.fromkeys(d.meta["article"] for d in done["joiner"]["documents"]))

    return search


if __name__ == "__main__":
    sys.exit(main())
