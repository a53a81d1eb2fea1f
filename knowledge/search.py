"""Searches a knowledge folder: ``python -m knowledge.search "how much is a new card?"``."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.build_index import BANK
from knowledge.errors import KnowledgeError

if TYPE_CHECKING:
    from knowledge.documents import Hit
    from knowledge.knowledge_base import KnowledgeBase

# Characters of a passage to print.
WIDTH = 100


def main(arguments: Sequence[str] | None = None, prog: str = "python -m knowledge.search") -> int:
    """Print the hits with their scores; return 1 if the folder cannot be searched."""
    given = _arguments(arguments, prog)
    from knowledge.knowledge_base import KnowledgeBase
    from knowledge.models.model_files import open_embedder, open_span_embedders
    from knowledge.retrieval.reranker import open_reranker
    from knowledge.segmenter import language_of

    try:
        embedder = open_embedder(given.embedder, given.state)
        reranker = open_reranker(given.reranker)
        base = KnowledgeBase.open(
            given.folder,
            embedder,
            given.state,
            reranker=reranker,
            span_embedders=open_span_embedders(embedder, given.state, small=given.small),
        )
    except (KnowledgeError, OSError) as error:
        print(f"search: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if given.expansions:
        print("\n".join(_expansion_lines(base)))
        return 0
    hits = base.current().retrieve(given.question, language_of(given.question), given.top)
    for line in _json_lines(hits) if given.json else _table(hits):
        print(line)
    return 0


def _arguments(arguments: Sequence[str] | None, prog: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Show the passages retrieved for a question, with their scores. The score is "
        "the probability that the passage's article answers the question. It combines similarity "
        "of meaning (dense), shared words (lexical), nearness to a customer's words (near) and, if "
        "there is a reranker, the score of a cross-encoder (rerank).",
        epilog='Example: %(prog)s "how much is a new card?" --top 3',
    )
    parser.add_argument("question", nargs="?", default="", help="a customer's question")
    parser.add_argument(
        "--expansions",
        action="store_true",
        help="list the messages that were written for each passage instead; "
        "`frontdesk expand` writes them",
    )
    parser.add_argument(
        "--folder", type=Path, default=BANK, help="the articles; default: Lantern Bank"
    )
    parser.add_argument(
        "--top", type=int, default=5, metavar="N", help="the number of hits; default: %(default)s"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")
    parser.add_argument(
        "--state",
        type=Path,
        default=Path("var"),
        metavar="FOLDER",
        help="the folder of indexes and prepared models; default: %(default)s",
    )
    parser.add_argument("--embedder", help="a folder or hub name; default: the one that ships")
    parser.add_argument("--small", action="store_true", help="leave out the larger encoder")
    parser.add_argument("--reranker", help="a cross-encoder's folder or hub name; default: none")
    given = parser.parse_args(arguments)
    if (not given.question.strip() and not given.expansions) or given.top < 1:
        parser.error("expected a question of at least one word and --top of at least 1")
    return given


def _expansion_lines(base: "KnowledgeBase") -> Iterator[str]:
    known = base.expansions()
    written = sum(expansion is not None for _, expansion in known)
    yield f"{written} of {len(known)} passages have expansions."
    for passage, expansion in known:
        yield f"\n{passage.article} ({passage.lang}), {passage.name}"
        yield from (f"  {message}" for message in (expansion.messages if expansion else ()))


def _rows(hits: "Sequence[Hit]") -> list[dict[str, Any]]:
    return [
        {
            "score": round(hit.score, 3),
            "dense": round(hit.dense, 3),
            "lexical": round(hit.lexical, 3),
            "near": round(hit.near, 3),
            "rerank": None if hit.rerank is None else round(hit.rerank, 3),
            "article": hit.passage.article,
            "lang": hit.passage.lang,
            "heading": hit.passage.heading,
            "start": hit.passage.start,
            "end": hit.passage.end,
            "text": hit.passage.text,
        }
        for hit in hits
    ]


def _json_lines(hits: "Sequence[Hit]") -> list[str]:
    return [json.dumps(row, ensure_ascii=False) for row in _rows(hits)]


def _table(hits: "Sequence[Hit]") -> list[str]:
    lines = ["score  dense  lexical   near  rerank  article"]
    for hit, row in zip(hits, _rows(hits), strict=True):
        passage = f"{row['article']} ({row['lang']}), {hit.passage.name}"
        rerank = "–" if hit.rerank is None else f"{hit.rerank:.2f}"
        scores = f"{row['score']:5.3f}  {row['dense']:5.3f}  {row['lexical']:7.3f}"
        lines.append(f"{scores}  {row['near']:5.2f}  {rerank:>6}  {passage}")
        text = " ".join(hit.passage.text.split())
        lines.append(f"{'':38}{text[:WIDTH]}{'…' if len(text) > WIDTH else ''}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
