"""A copy of the knowledge folder with changes in it, to try them where no customer asks."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from knowledge.folder import articles_root
from knowledge.retrieval.snapshot_store import SnapshotStore


@contextlib.contextmanager
def trial_folder(
    folder: Path, texts: Mapping[str, str], state: Path, embedder: str
) -> Iterator[Path]:
    """Give a copy of a knowledge folder with some articles changed; afterwards, it is gone.

    Its index starts as a copy of the folder's, so that only what changed is encoded.

    Args:
        folder: The knowledge folder.
        texts: The whole texts of the changed files, by path in the folder of articles.
        state: The state folder, where the copy and its index are.
        embedder: The name of the embedder.

    Raises:
        KnowledgeFolderError: The folder is missing.
        OSError: The copy cannot be written.
    """
    trials = state / "trials"
    trials.mkdir(parents=True, exist_ok=True)
    above = Path(tempfile.mkdtemp(dir=trials))
    copy = above / folder.resolve().name
    index = SnapshotStore.of(copy, embedder, state)
    try:
        _copy(folder, copy, state)
        for path, text in texts.items():
            _put(articles_root(copy) / path, text)
        index.start_from(SnapshotStore.of(folder, embedder, state))
        yield copy
    finally:
        shutil.rmtree(above, ignore_errors=True)
        shutil.rmtree(index.folder, ignore_errors=True)


def _copy(folder: Path, copy: Path, state: Path) -> None:
    kept_out = state.resolve()

    def ignored(above: str, names: list[str]) -> set[str]:
        here = Path(above).resolve()
        return {name for name in names if name.startswith(".") or here / name == kept_out}

    shutil.copytree(folder, copy, symlinks=True, ignore=ignored, copy_function=_linked)


def _linked(source: str, target: str) -> None:
    """Link a file, which takes no space; copy it where that is not possible."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # A new file: the old one may be a link to the original.
    file.unlink(missing_ok=True)
    file.write_text(text, encoding="utf-8")
