"""Builds the index of a knowledge folder: ``python -m knowledge.build_index FOLDER``."""

import argparse
import datetime as dt
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.errors import REBUILD, IndexMismatchError, KnowledgeError, KnowledgeFolderError

if TYPE_CHECKING:
    from knowledge.documents import Article, Passage
    from knowledge.folder import FolderReading, Known, Skipped
    from knowledge.models.embedder import Embedder, Vectors
    from knowledge.readers.document import Limits
    from knowledge.retrieval.snapshot import Snapshot
    from knowledge.retrieval.snapshot_store import SnapshotStore
    from knowledge.retrieval.vector_index import VectorIndex

BANK = Path(__file__).with_name("bank")


@dataclass(frozen=True, slots=True)
class Build:
    """The result of a build.

    Attributes:
        snapshot: The current snapshot.
        skipped: The files that gave no article, with the reasons.
        embedded: The number of passages that were encoded; all others kept their vectors.
        published: Whether there is a new generation; False if nothing had changed.
        seconds: The time that the build took.
    """

    snapshot: "Snapshot"
    skipped: "Sequence[Skipped]"
    embedded: int
    published: bool
    seconds: float


def current_articles(folder: Path, today: dt.date | None = None) -> "list[Article]":
    """Return the articles of a folder that are valid today.

    Args:
        folder: The knowledge folder.
        today: The day to use instead of the current one.

    Raises:
        KnowledgeFolderError: No article is valid.
    """
    from knowledge.folder import load_articles

    return _valid(load_articles(folder), folder, today or dt.date.today())


def build(
    folder: Path,
    embedder: "Embedder",
    state: Path,
    *,
    limits: "Limits | None" = None,
    today: dt.date | None = None,
    milvus: str | None = None,
    progress: bool = False,
) -> Build:
    """Bring the index of a folder up to date; only one process at a time does.

    Only changed files are read again, and only changed passages are encoded again.

    Args:
        folder: The knowledge folder.
        embedder: Encodes the passages.
        state: The state folder, where indexes are kept.
        limits: What one document may cost to read.
        today: The day to use instead of the current one.
        milvus: The URI of a Milvus to keep the vectors in; None keeps them in FAISS.
        progress: Whether to show progress bars.

    Raises:
        KnowledgeFolderError: The folder is missing or nothing in it could be read; the previous
            index keeps serving.
        OSError: The index could not be written; the previous one keeps serving.
    """
    from filelock import FileLock

    from knowledge.retrieval.snapshot_store import SnapshotStore

    start = time.perf_counter()
    store = SnapshotStore.of(folder, embedder.name, state)
    store.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(store.folder / ".lock"):
        old = _loaded(store, embedder.name)
        job = _Job(folder, embedder, limits, today or dt.date.today(), milvus, progress)
        snapshot, skipped, embedded = _renewed(job, old, store)
        published = snapshot is not old
        if published:
            snapshot = store.publish(snapshot)
    return Build(snapshot, skipped, embedded, published, time.perf_counter() - start)


def _loaded(store: "SnapshotStore", embedder: str) -> "Snapshot | None":
    if store.current() is None:
        return None
    try:
        return store.load(embedder)
    except IndexMismatchError as error:
        print(f"{str(error).removesuffix(REBUILD)}Rebuilding it now.", file=sys.stderr)
        return None


@dataclass(frozen=True, slots=True)
class _Job:
    folder: Path
    embedder: "Embedder"
    limits: "Limits | None"
    day: dt.date
    milvus: str | None
    progress: bool


def _renewed(
    job: _Job, old: "Snapshot | None", store: "SnapshotStore"
) -> "tuple[Snapshot, Sequence[Skipped], int]":
    """Return ``old`` if nothing changed, else a new snapshot; with skipped files and encodings."""
    from knowledge.folder import read_folder
    from knowledge.retrieval.calibration import Calibration
    from knowledge.retrieval.snapshot import Snapshot
    from knowledge.splitter import split

    calibration = Calibration.of(job.folder)
    reading = read_folder(job.folder, job.limits, _known(old), progress=job.progress)
    if old and _is_same(old, reading, job.day) and old.calibration == calibration:
        return old, reading.skipped, 0
    articles = sorted(_valid(reading.articles, job.folder, job.day), key=lambda a: (a.lang, a.path))
    passages = [passage for article in articles for passage in split(article)]
    vectors, embedded = _vectors(passages, job.embedder, old, job.progress)
    snapshot = Snapshot(
        articles=tuple(reading.articles),
        passages=tuple(passages),
        index=_index(vectors, job.milvus, store),
        calibration=calibration,
        embedder=job.embedder.name,
        files=reading.files,
        day=job.day,
    )
    return snapshot, reading.skipped, embedded


def _known(old: "Snapshot | None") -> "dict[str, Known]":
    from knowledge.folder import Known

    if old is None:
        return {}
    return {a.path: Known(old.files[a.path], a) for a in old.articles if a.path in old.files}


def _is_same(old: "Snapshot", reading: "FolderReading", day: dt.date) -> bool:
    return tuple(reading.articles) == old.articles and old.is_current(day)


def _valid(articles: "Sequence[Article]", folder: Path, day: dt.date) -> "list[Article]":
    valid = [article for article in articles if article.is_valid(day)]
    if not valid:
        raise KnowledgeFolderError(
            f"Expected at least one article in {folder} that is valid on {day}, found only "
            f"expired or future ones. Check valid_from and valid_to."
        )
    return valid


def embedded_text(passage: "Passage") -> str:
    """Return what the embedder reads of a passage: its name explains what "it" refers to."""
    return f"{passage.name}. {passage.text}"


def _vectors(
    passages: "Sequence[Passage]", embedder: "Embedder", old: "Snapshot | None", progress: bool
) -> "tuple[Vectors, int]":
    from knowledge.passage_vectors import encode_new

    texts = [embedded_text(passage) for passage in passages]
    stored = {embedded_text(p): row for row, p in enumerate(old.passages)} if old else {}
    return encode_new(texts, embedder, old.index if old else None, stored, progress=progress)


def _index(vectors: "Vectors", milvus: str | None, store: "SnapshotStore") -> "VectorIndex":
    if milvus is None:
        from knowledge.retrieval.faiss_index import FaissIndex

        return FaissIndex.build(vectors)
    from knowledge.retrieval.milvus_index import MilvusIndex

    name = re.sub(r"\W", "_", f"{store.folder.name}_{store.next()}")
    return MilvusIndex.build(vectors, milvus, f"frontdesk_{name}")


def main(
    arguments: Sequence[str] | None = None, prog: str = "python -m knowledge.build_index"
) -> int:
    """Build the index and report what was done; return 1 if nothing could be read."""
    given = _parser(prog).parse_args(arguments)
    from knowledge.models.model_files import open_embedder, open_span_embedders
    from knowledge.readers.document import Limits
    from knowledge.retrieval.snapshot_store import SnapshotStore
    from knowledge.retrieval.span_store import open_span_indexes

    limits = Limits(
        file_bytes=given.max_megabytes * 1_000_000, pages=given.max_pages, seconds=given.max_seconds
    )
    try:
        embedder = open_embedder(given.embedder, given.state)
        done = build(
            given.folder,
            embedder,
            given.state,
            limits=limits,
            milvus=given.milvus,
            progress=True,
        )
        # Read here, so that no customer waits for it.
        span_embedders = open_span_embedders(embedder, given.state, small=given.small)
        store = SnapshotStore.of(given.folder, embedder.name, given.state)
        open_span_indexes(done.snapshot, span_embedders, store.spans, progress=True)
    except (KnowledgeError, OSError) as error:
        print(f"build_index: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    _print(given.folder, done)
    return 0


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Bring the index of a folder of documents up to date. A running assistant "
        "switches to the new index at its next message.",
        epilog="Example: %(prog)s ./help-centre",
    )
    parser.add_argument("folder", nargs="?", type=Path, default=BANK, help="default: Lantern Bank")
    parser.add_argument(
        "--state",
        type=Path,
        default=Path("var"),
        metavar="FOLDER",
        help="the folder of indexes and prepared models; default: %(default)s",
    )
    parser.add_argument("--embedder", help="a folder or hub name; default: the one that ships")
    parser.add_argument("--small", action="store_true", help="leave out the larger encoder")
    parser.add_argument("--milvus", metavar="URI", help="a Milvus to store vectors; default: FAISS")
    for name, default, what in (
        ("megabytes", 50, "the size of the largest file to read"),
        ("pages", 500, "the pages of the longest document to read"),
        ("seconds", 60, "the time limit for one document"),
    ):
        parser.add_argument(
            f"--max-{name}",
            type=int,
            default=default,
            metavar="N",
            help=f"{what}; default: {default}",
        )
    return parser


def _print(folder: Path, done: Build) -> None:
    snapshot = done.snapshot
    for skipped in done.skipped:
        print(f"skipped {skipped.path}: {skipped.reason}")
    print(
        f"{folder}: read {len(snapshot.articles)} articles, skipped {len(done.skipped)} files, "
        f"{len(snapshot.passages)} passages ({done.embedded} embedded), {done.seconds:.1f} s; "
        f"{'generation ' + snapshot.generation if done.published else 'up to date'}"
    )


if __name__ == "__main__":
    sys.exit(main())
