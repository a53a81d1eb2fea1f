"""A knowledge folder ready to be searched, on disk: one whole generation after another.

A snapshot's folder holds numbered generations and a file ``CURRENT`` that names one::

    var/index/bank-1f0c…/
        CURRENT                     "g000002"
        g000001/  g000002/          articles.jsonl, passages.jsonl, index.faiss, calibration.json,
                                    manifest.json

A new generation is written beside the old one, forced to disk, and then named by replacing
``CURRENT`` in one step, so a killed build or a full disk leaves the old one serving. ``load``
compares every file's SHA-256 with the manifest before it reads it, since faiss loads some flipped
bits without a word.
"""

import contextlib
import dataclasses
import datetime as dt
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.checksum import sha256
from knowledge.documents import Article, Passage
from knowledge.errors import IndexMismatchError
from knowledge.retrieval.calibration import Calibration
from knowledge.retrieval.faiss_index import FaissIndex
from knowledge.retrieval.milvus_index import MilvusIndex
from knowledge.retrieval.vector_index import VectorIndex

REPAIR = "Build it again with `python -m knowledge.build_index FOLDER`."
FORMAT = 3
KEPT_GENERATIONS = 2


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Articles, their passages in the order of the index's rows, and the index.

    Attributes:
        articles: All that were read, valid on ``day`` or not.
        passages: Those of the articles that are valid on ``day``, a language after the other.
        index: Row n is the vector of passage n.
        calibration: How scores become probabilities.
        embedder: The name of what made the vectors.
        files: The SHA-256 of each document, by its path.
        day: The day for which the passages were chosen.
        generation: The name of the folder that it was loaded from; "" before it is saved.
    """

    articles: tuple[Article, ...]
    passages: tuple[Passage, ...]
    index: VectorIndex
    calibration: Calibration
    embedder: str
    files: Mapping[str, str]
    day: dt.date
    generation: str = ""

    def is_current(self, today: dt.date) -> bool:
        """Tell whether the articles that are valid today are those of ``day``."""
        return today == self.day or all(
            a.is_valid(self.day) == a.is_valid(today) for a in self.articles
        )


class SnapshotStore:
    """Loads and publishes the generations of one knowledge folder."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is created by the first ``publish``."""
        self.folder = folder

    def current(self) -> str | None:
        """Return the name of the generation that serves, or None before the first one."""
        try:
            return (self.folder / "CURRENT").read_text(encoding="utf-8").strip() or None
        except FileNotFoundError:
            return None

    def load(self, embedder: str) -> Snapshot:
        """Return the newest whole generation.

        Raises:
            IndexMismatchError: There is none, or another embedder made it.
        """
        damage: IndexMismatchError | None = None
        named = self.current()
        for name in dict.fromkeys([*([named] if named else []), *reversed(self._generations())]):
            try:
                return _load(self.folder / name, embedder)
            except IndexMismatchError as error:
                damage = damage or error
        raise damage or IndexMismatchError(
            f"Expected an index in {self.folder}, found none. {REPAIR}"
        )

    def publish(self, snapshot: Snapshot) -> Snapshot:
        """Write a new generation as a whole and let it serve from now on.

        Raises:
            OSError: The disk is full or the folder cannot be written; the old one goes on serving.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(".building-*"):
            shutil.rmtree(left, ignore_errors=True)
        name = self.next()
        staging = Path(tempfile.mkdtemp(prefix=".building-", dir=self.folder))
        try:
            _write(staging, snapshot)
            os.replace(staging, self.folder / name)
            _point(self.folder, name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        for old in self._generations()[:-KEPT_GENERATIONS]:
            _remove(self.folder / old)
        return dataclasses.replace(snapshot, generation=name)

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
    _to_disk([pointer])
    os.replace(pointer, folder / "CURRENT")
    _to_disk([folder])


def _write(staging: Path, snapshot: Snapshot) -> None:
    _write_lines(staging / "articles.jsonl", map(dataclasses.asdict, snapshot.articles))
    _write_lines(staging / "passages.jsonl", map(dataclasses.asdict, snapshot.passages))
    snapshot.calibration.save(staging / "calibration.json")
    snapshot.index.save(staging)
    files = sorted(path for path in staging.iterdir())
    manifest = {
        "format": FORMAT,
        "embedder": snapshot.embedder,
        "metric": "cosine",
        "day": snapshot.day.isoformat(),
        "passages": len(snapshot.passages),
        "files": dict(snapshot.files),
        "sha256": {path.name: sha256(path) for path in files},
    }
    sealed = {**manifest, "seal": _seal(manifest)}
    (staging / "manifest.json").write_text(json.dumps(sealed, indent=1), encoding="utf-8")
    _to_disk([*files, staging / "manifest.json", staging])


def _write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


def _to_disk(paths: Iterable[Path]) -> None:
    """Force files and folders to disk: a name that survives a power cut must not name nothing."""
    if os.name == "nt":  # Windows cannot open a folder for this
        return
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _load(folder: Path, embedder: str) -> Snapshot:
    manifest = _manifest(folder)
    if manifest["embedder"] != embedder:
        raise IndexMismatchError(
            f"The index in {folder} was built with {manifest['embedder']}, but the assistant "
            f"is configured with {embedder}. {REPAIR}"
        )
    for name, expected in manifest["sha256"].items():
        if not (folder / name).is_file() or sha256(folder / name) != expected:
            raise IndexMismatchError(
                f"{folder / name} is damaged: its SHA-256 is not the one of the manifest. {REPAIR}"
            )
    return Snapshot(
        articles=tuple(_article(row) for row in _read_lines(folder / "articles.jsonl")),
        passages=tuple(Passage(**row) for row in _read_lines(folder / "passages.jsonl")),
        index=_index(folder),
        calibration=Calibration.load(folder / "calibration.json"),
        embedder=embedder,
        files=manifest["files"],
        day=dt.date.fromisoformat(manifest["day"]),
        generation=folder.name,
    )


def _index(folder: Path) -> VectorIndex:
    if (folder / MilvusIndex.FILE).is_file():
        return MilvusIndex.load(folder)
    return FaissIndex.load(folder)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
        found, seal = manifest.get("format"), manifest.pop("seal", None)
    except (OSError, ValueError, AttributeError) as error:
        raise IndexMismatchError(
            f"Expected an index with a manifest.json in {folder}, found none that can be read "
            f"({type(error).__name__}). {REPAIR}"
        ) from None
    if found != FORMAT:
        raise IndexMismatchError(
            f"Expected an index of format {FORMAT} in {folder}, found {found}. {REPAIR}"
        )
    if seal != _seal(manifest):
        raise IndexMismatchError(
            f"{folder / 'manifest.json'} is damaged: its seal is broken. {REPAIR}"
        )
    return manifest


def _seal(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _read_lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _article(row: dict[str, Any]) -> Article:
    days = {k: dt.date.fromisoformat(row[k]) for k in ("valid_from", "valid_to") if row[k]}
    return Article(**{**row, "intents": tuple(row["intents"]), **days})
