"""Puts drafts into the folder of articles, if they pass; the running assistant then knows them."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.articles.article_paths import inside
from assistant.articles.article_text import read_article
from assistant.articles.difference import as_text, difference
from assistant.articles.drafts import DRAFT, Change, Drafts
from assistant.articles.errors import ArticleEditError, ChangedMeanwhileError
from assistant.articles.gate import Verdict, index_command, judge, told
from assistant.articles.listing import counterpart
from assistant.articles.trial_folder import trial_folder
from assistant.config import Settings
from assistant.store.audit import Audit
from assistant.store.database import Database
from knowledge.models.model_files import EMBEDDER_NAME


@dataclass(frozen=True, slots=True)
class Published:
    """What became of drafts: the verdict on them, and the files that were written."""

    verdict: Verdict
    paths: tuple[str, ...] = ()


class Publishing:
    """Judges drafts and publishes them."""

    def __init__(self, database: Database, settings: Settings) -> None:
        """Take an open database and the settings that the server runs with."""
        self._drafts, self._audit = Drafts(database), Audit(database)
        self._settings = settings

    def judge(self, numbers: Sequence[int]) -> Verdict:
        """Return whether drafts may go live together; nothing is written.

        Raises:
            ArticleEditError: They are no drafts, or cannot be read.
            ChangedMeanwhileError: An article changed since its draft was begun.
        """
        changes = self._changes(numbers)
        texts = {change.path: change.after for change in changes}
        embedder = self._settings.embedder or EMBEDDER_NAME
        folder, state = self._settings.knowledge, self._settings.state
        with trial_folder(folder, texts, state, embedder) as copy:
            return judge(copy, self._settings)

    def publish(self, numbers: Sequence[int], author: str) -> Published:
        """Write drafts into the folder together, if they pass, and bring the index up to date.

        Args:
            numbers: The numbers of the drafts.
            author: Who publishes them.

        Raises:
            ArticleEditError: They are no drafts, cannot be read, or the folder cannot be written.
            ChangedMeanwhileError: An article changed since its draft was begun.
        """
        must_be_writable(self._settings.knowledge, [c.path for c in self._changes(numbers)])
        verdict = self.judge(numbers)
        if not verdict.passed:
            return Published(verdict)
        from filelock import FileLock

        with FileLock(self._settings.state / "publishing.lock"):
            # Somebody may have published meanwhile.
            changes = self._changes(numbers)
            self._write(changes)
            for change in changes:
                self._drafts.mark_live(change.id)
                self._audit.note(author, "publish", change.path[:80])
        self._index()
        return Published(verdict, tuple(change.path for change in changes))

    def _changes(self, numbers: Sequence[int]) -> list[Change]:
        changes = [self._drafts.get(number) for number in numbers]
        for change in changes:
            if change.state != DRAFT:
                raise ArticleEditError(
                    f"Expected a draft, found that {change.id} is {change.state}.",
                    key="no_draft",
                    number=change.id,
                )
            read_article(change.after, change.path)
            must_be_unchanged(self._settings.knowledge, change)
        return changes

    def _write(self, changes: Sequence[Change]) -> None:
        """Write all files or none."""
        staged: list[tuple[Path, Path]] = []
        try:
            for change in changes:
                file = inside(self._settings.knowledge, change.path)
                staged.append((_staged(file, change.after), file))
            for temporary, file in staged:
                os.replace(temporary, file)
        except OSError as error:
            raise _unwritable(self._settings.knowledge, error) from None
        finally:
            for temporary, _ in staged:
                temporary.unlink(missing_ok=True)

    def _index(self) -> None:
        told("Written to the folder. Bringing the index up to date …")
        done = subprocess.run(index_command(self._settings), check=False)  # noqa: S603  # ours
        if done.returncode:
            raise ArticleEditError(
                "The articles are in the folder, but the index could not be brought up to date: "
                "the previous one keeps serving. Build it again.",
                key="no_index",
            )


def companions(drafts: Drafts, change: Change) -> list[Change]:
    """Return the drafts that go live together with one: its translation's, by the same author."""
    this = read_article(change.after, change.path)
    found = []
    for other in drafts.open():
        if other.id == change.id or other.author != change.author or other.lang == this.lang:
            continue
        with contextlib.suppress(ArticleEditError):
            found += [other] if counterpart(this, [read_article(other.after, other.path)]) else []
    return found


def current_text(folder: Path, path: str) -> str:
    """Return the whole text of an article's file; "" if there is none."""
    file = inside(folder, path)
    if not file.is_file():
        return ""
    return file.read_bytes().decode("utf-8-sig", errors="replace")


def must_be_unchanged(folder: Path, change: Change) -> None:
    """Return if an article is as it was when its draft was begun.

    Raises:
        ChangedMeanwhileError: It is not; the message holds the difference.
    """
    current = current_text(folder, change.path)
    if current != change.before:
        changed = as_text(difference(change.before, current))
        raise ChangedMeanwhileError(
            f"{change.path} was changed since draft {change.id} was begun. The draft is kept. "
            f"What changed:\n{changed}",
            current,
            key="changed",
            path=change.path,
        )


def must_be_writable(folder: Path, paths: Sequence[str]) -> None:
    """Return if files can be written into the folder of articles.

    Raises:
        ArticleEditError: They cannot.
    """
    for path in paths:
        try:
            _staged(inside(folder, path), "").unlink()
        except OSError as error:
            raise _unwritable(folder, error) from None


def _staged(file: Path, text: str) -> Path:
    """Write a text beside its file and force it to disk; the name is hidden from the index."""
    from knowledge.retrieval.snapshot_files import force_to_disk

    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as open_file:
        open_file.write(text)
    # As the articles beside it: the server may run as somebody else.
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
    Path(name).chmod(mode)
    force_to_disk([Path(name)])
    return Path(name)


def _unwritable(folder: Path, error: OSError) -> ArticleEditError:
    return ArticleEditError(
        f"The folder of articles, {folder}, cannot be written: {error.strerror}. Let the server "
        f"write to it, or change the files where they come from.",
        key="unwritable",
        folder=folder,
        reason=error.strerror,
    )
