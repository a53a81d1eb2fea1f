"""The snapshots of a knowledge folder on disk, one generation after another.

A store's folder holds numbered generations and a file ``CURRENT`` that names one of them::

    var/index/bank-1f0c…/
        CURRENT                     "g000002"
        g000001/  g000002/          articles.jsonl, passages.jsonl, index.faiss, calibration.json,
                                    manifest.json

A new generation is written next to the old one, forced to disk, and then named by replacing
``CURRENT`` in one step. If the build is killed or the disk fills up, the old one keeps serving.
"""

import contextlib
import dataclasses
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Self

from knowledge.errors import REBUILD, IndexMismatchError
from knowledge.retrieval.milvus_index import MilvusIndex
from knowledge.retrieval.snapshot import Snapshot
from knowledge.retrieval.snapshot_files import force_to_disk, load_snapshot, save_snapshot

KEPT_GENERATIONS = 2


class SnapshotStore:
    """Loads and publishes the generations of one knowledge folder."""

    def __init__(self, folder: Path) -> None:
        """Name the store's folder; the first ``publish`` creates it."""
        self.folder = folder

    @classmethod
    def of(cls, folder: Path, embedder: str, state: Path) -> Self:
        """Return the store of a knowledge folder in the state folder; each embedder has its own."""
        key = hashlib.sha256(f"{folder.resolve()} {embedder}".encode()).hexdigest()[:12]
        return cls(state / "index" / f"{folder.resolve().name}-{key}")

    @property
    def spans(self) -> Path:
        """The folder of the span embedders' vectors, which outlive a generation."""
        return self.folder / "spans"

    def current(self) -> str | None:
        """Return the name of the generation that serves, or None before the first one."""
        try:
            return (self.folder / "CURRENT").read_text(encoding="utf-8").strip() or None
        except FileNotFoundError:
            return None

    def load(self, embedder: str) -> Snapshot:
        """Return the current generation, or the newest other one that is intact.

        Args:
            embedder: The name of the embedder that will encode queries.

        Raises:
            IndexMismatchError: No generation is intact and of this embedder; the message is about
                the current one.
        """
        first_error: IndexMismatchError | None = None
        current = self.current()
        names = [*([current] if current else []), *reversed(self._generations())]
        for name in dict.fromkeys(names):
            try:
                return load_snapshot(self.folder / name, embedder)
            except IndexMismatchError as error:
                first_error = first_error or error
        raise first_error or IndexMismatchError(
            f"Expected an index in {self.folder}, found none. {REBUILD}"
        )

    def publish(self, snapshot: Snapshot) -> Snapshot:
        """Write a complete new generation and make it the current one.

        Returns:
            The snapshot with the name of its generation.

        Raises:
            OSError: The disk is full or the folder cannot be written; the old one keeps serving.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for leftover in self.folder.glob(".building-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        name = self.next()
        staging = Path(tempfile.mkdtemp(prefix=".building-", dir=self.folder))
        try:
            save_snapshot(snapshot, staging)
            os.replace(staging, self.folder / name)
            _point(self.folder, name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        for old in self._generations()[:-KEPT_GENERATIONS]:
            _remove(self.folder / old)
        return dataclasses.replace(snapshot, generation=name)

    def start_from(self, other: "SnapshotStore") -> None:
        """Take over what is current in another folder's store, so that it need not be made again.

        An index in Milvus stays where it is: two stores cannot own it.

        Raises:
            OSError: The disk is full or the folder cannot be written.
        """
        current = other.current()
        if current is None or (other.folder / current / MilvusIndex.FILE).is_file():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in other.folder.iterdir():
            if path.is_file() and not path.name.startswith("."):
                shutil.copy2(path, self.folder / path.name)
        for name in (current, other.spans.name):
            if (other.folder / name).is_dir():
                shutil.copytree(other.folder / name, self.folder / name, dirs_exist_ok=True)

    def next(self) -> str:
        """Return the name of the generation that ``publish`` would write."""
        numbers = [int(name[1:]) for name in self._generations()]
        return f"g{max(numbers, default=0) + 1:06d}"

    def _generations(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        return sorted(p.name for p in self.folder.glob("g[0-9]*") if p.is_dir())


def _remove(folder: Path) -> None:
    if (folder / MilvusIndex.FILE).is_file():
        with contextlib.suppress(IndexMismatchError):
            MilvusIndex.load(folder).drop()
    shutil.rmtree(folder, ignore_errors=True)


def _point(folder: Path, name: str) -> None:
    pointer = folder / ".CURRENT"
    pointer.write_text(name + "\n", encoding="utf-8")
    force_to_disk([pointer])
    os.replace(pointer, folder / "CURRENT")
    force_to_disk([folder])
