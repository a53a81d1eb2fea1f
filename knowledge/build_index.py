"""Builds the index of a knowledge folder: ``python -m knowledge.build_index FOLDER``."""

import argparse
import datetime as dt
import hashlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.errors import IndexMismatchError, KnowledgeError, KnowledgeFolderError

if TYPE_CHECKING:
    from knowledge.documents import Article
    from knowledge.embedder import Embedder
    from knowledge.index import FaissIndex

BANK = Path(__file__).with_name("bank")
BATCH = 64


def current_articles(folder: Path, today: dt.date | None = None) -> "list[Article]":
    """Return the articles of a folder that are valid today.

    Args:
        folder: The knowledge folder.
        today: The day that counts; the default is the current one.

    Raises:
        KnowledgeFolderError: There is none.
        ArticleError: One of them cannot be read.
    """
    from knowledge.documents import load_articles

    day = today or dt.date.today()
    articles = [article for article in load_articles(folder) if article.is_valid(day)]
    if not articles:
        raise KnowledgeFolderError(
            f"Expected at least one article in {folder} that is valid on {day}, found only "
            f"expired or future ones. Check valid_from and valid_to."
        )
    return articles


def open_index(articles: "Sequence[Article]", embedder: "Embedder", state: Path) -> "FaissIndex":
    """Return the index of some articles; build it only where it is not there yet.

    The index's folder is named by what it holds, so a changed article, another embedder or an
    article that expired over night leads to a new one, and a damaged one is built again.

    Args:
        articles: At least one.
        embedder: What makes the vectors.
        state: The state folder; indexes lie under ``state/index``.
    """
    from knowledge.index import FaissIndex

    where = state / "index" / _fingerprint(articles, embedder.name)
    if where.exists():
        try:
            return FaissIndex.load(where, embedder.name)
        except IndexMismatchError as damage:
            print(f"{damage} Building it again now.", file=sys.stderr)
    index = _build(articles, embedder)
    index.save(where, {f"{a.lang}/{a.path}": _digest(a.text) for a in articles})
    return index


def _build(articles: Iterable["Article"], embedder: "Embedder") -> "FaissIndex":
    import numpy as np
    from tqdm import tqdm

    from knowledge.index import FaissIndex
    from knowledge.splitter import split

    passages = [passage for article in articles for passage in split(article)]
    texts = [f"{passage.name}. {passage.text}" for passage in passages]
    with tqdm(total=len(texts), desc="Indexing passages", unit="passage") as bar:
        vectors = []
        for start in range(0, len(texts), BATCH):
            vectors.append(embedder.encode(texts[start : start + BATCH]))
            bar.update(len(vectors[-1]))
    return FaissIndex(np.concatenate(vectors), passages, embedder.name)


def _fingerprint(articles: Iterable["Article"], embedder: str) -> str:
    from knowledge.index import FORMAT
    from knowledge.splitter import MAX_WORDS

    parts = [f"{FORMAT} {MAX_WORDS} {embedder}"]
    parts += [f"{a.lang} {a.id} {a.title} {_digest(a.text)}" for a in articles]
    return _digest("\n".join(parts))[:16]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Build the index and say what was done; 1 where nothing could be read."""
    parser = argparse.ArgumentParser(
        prog="python -m knowledge.build_index",
        description="Build the index of a folder of Markdown or text files, if it changed.",
        epilog="Example: python -m knowledge.build_index ./help-centre",
    )
    parser.add_argument("folder", nargs="?", type=Path, default=BANK, help="default: the bank")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--embedder", help="a folder or hub name; default: all-MiniLM-L6-v2")
    given = parser.parse_args(arguments)
    from knowledge.model_files import open_embedder

    try:
        articles = current_articles(given.folder)
        index = open_index(articles, open_embedder(given.embedder, given.state), given.state)
    except KnowledgeError as error:
        print(f"build_index: {error}", file=sys.stderr)
        return 1
    print(f"{given.folder}: {len(articles)} articles, {len(index.passages)} passages, up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
