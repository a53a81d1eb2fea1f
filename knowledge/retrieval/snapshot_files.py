"""The files of one snapshot: written completely, and verified before anything is loaded from them.

``load_snapshot`` compares every file's SHA-256 with the manifest first, because faiss loads some
flipped bits without an error.
"""

import dataclasses
import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from knowledge.checksum import sha256
from knowledge.documents import Article, Passage
from knowledge.errors import REBUILD, IndexMismatchError
from knowledge.retrieval.calibration import Calibration
from knowledge.retrieval.faiss_index import FaissIndex
from knowledge.retrieval.milvus_index import MilvusIndex
from knowledge.retrieval.snapshot import Snapshot
from knowledge.retrieval.vector_index import VectorIndex

# Raise it whenever what is stored changes shape: an index of another format is rebuilt.
FORMAT = 7


def save_snapshot(snapshot: Snapshot, folder: Path) -> None:
    """Write a snapshot into an empty folder and force it to disk.

    Raises:
        OSError: The disk is full or the folder cannot be written.
    """
    _write_lines(folder / "articles.jsonl", map(dataclasses.asdict, snapshot.articles))
    _write_lines(folder / "passages.jsonl", map(dataclasses.asdict, snapshot.passages))
    snapshot.calibration.save(folder / "calibration.json")
    snapshot.index.save(folder)
    files = sorted(folder.iterdir())
    manifest = {
        "format": FORMAT,
        "embedder": snapshot.embedder,
        "day": snapshot.day.isoformat(),
        "files": dict(snapshot.files),
        "sha256": {path.name: sha256(path) for path in files},
    }
    sealed = {**manifest, "seal": _seal(manifest)}
    (folder / "manifest.json").write_text(json.dumps(sealed, indent=1), encoding="utf-8")
    force_to_disk([*files, folder / "manifest.json", folder])


def force_to_disk(paths: Iterable[Path]) -> None:
    """Force files and folders to disk, so that after a power cut no name points to nothing."""
    if os.name == "nt":  # Windows cannot open a folder for this
        return
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def load_snapshot(folder: Path, embedder: str) -> Snapshot:
    """Verify and load what ``save_snapshot`` wrote.

    Args:
        folder: The folder of one generation.
        embedder: The name of the embedder that will encode queries.

    Raises:
        IndexMismatchError: The snapshot is missing or damaged, of another format, or was built
            with another embedder.
    """
    manifest = _load_manifest(folder)
    if manifest["embedder"] != embedder:
        raise IndexMismatchError(
            f"The index in {folder} was built with {manifest['embedder']}, but the assistant "
            f"is configured with {embedder}. {REBUILD}"
        )
    for name, expected in manifest["sha256"].items():
        if not (folder / name).is_file() or sha256(folder / name) != expected:
            raise IndexMismatchError(
                f"{folder / name} is damaged: its SHA-256 differs from the manifest's. {REBUILD}"
            )
    return Snapshot(
        articles=tuple(map(_article, _load_lines(folder / "articles.jsonl"))),
        passages=tuple(Passage(**row) for row in _load_lines(folder / "passages.jsonl")),
        index=_load_index(folder),
        calibration=Calibration.load(folder / "calibration.json"),
        embedder=embedder,
        files=manifest["files"],
        day=dt.date.fromisoformat(manifest["day"]),
        generation=folder.name,
    )


def _load_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
        stored_format, seal = manifest.get("format"), manifest.pop("seal", None)
    except (OSError, ValueError, AttributeError) as error:
        raise IndexMismatchError(
            f"Expected an index with a manifest.json in {folder}, found none that can be read "
            f"({type(error).__name__}). {REBUILD}"
        ) from None
    if stored_format != FORMAT:
        raise IndexMismatchError(
            f"Expected an index of format {FORMAT} in {folder}, found format {stored_format}, "
            f"which another version of Frontdesk wrote. {REBUILD}"
        )
    if seal != _seal(manifest):
        raise IndexMismatchError(
            f"{folder / 'manifest.json'} is damaged: its seal is broken. {REBUILD}"
        )
    return manifest


def _seal(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _load_index(folder: Path) -> VectorIndex:
    if (folder / MilvusIndex.FILE).is_file():
        return MilvusIndex.load(folder)
    return FaissIndex.load(folder)


def _article(row: dict[str, Any]) -> Article:
    days = {k: dt.date.fromisoformat(row[k]) for k in ("valid_from", "valid_to") if row[k]}
    lists = {k: tuple(row[k]) for k in ("intents", "questions")}
    return Article(**{**row, **lists, **days})


def _write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


def _load_lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
