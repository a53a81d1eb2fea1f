"""Reads a whole folder: documents become articles; other files are listed with the reason."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from knowledge.checksum import sha256
from knowledge.documents import Article, slug, to_article
from knowledge.errors import ArticleError, DocumentError, KnowledgeFolderError
from knowledge.readers.document import Document, Limits
from knowledge.readers.reading import READERS, is_readable, read_document

# Kinds read in this process. The libraries for all others run in a separate process that can be
# killed, because a hostile file must not hang the assistant or exhaust its memory.
PLAIN = frozenset({".md", ".markdown", ".txt", ".csv", ".tsv", ".jsonl"})
PARALLEL_READERS = 2


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that gave no article, with the reason."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """A file that was read before: its SHA-256 and its article."""

    sha256: str
    article: Article


@dataclass(slots=True)
class FolderReading:
    """The result of reading a folder.

    Attributes:
        articles: One per file that could be read, in the order of the paths, valid today or not.
        skipped: The other documents, with the reasons.
        files: The SHA-256 of each file that gave an article, by its path.
    """

    articles: list[Article] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


def load_articles(folder: Path) -> list[Article]:
    """Return the articles of a folder, valid today or not; see ``read_folder``."""
    return read_folder(folder).articles


def read_folder(
    folder: Path,
    limits: Limits | None = None,
    known: Mapping[str, Known] | None = None,
    *,
    progress: bool = False,
) -> FolderReading:
    """Read every document below a folder, or below its ``articles/`` if it has one.

    Args:
        folder: The knowledge folder.
        limits: What one document may cost to read.
        known: Files that were read before, by path; unchanged ones are not read again.
        progress: Whether to show a progress bar.

    Raises:
        KnowledgeFolderError: The folder is missing, or nothing in it could be read.
    """
    root = articles_root(Path(folder))
    reading = FolderReading()
    paths = [path for path in sorted(root.rglob("*")) if _is_document(path, root)]
    for path, digest, result in _read_all(paths, root, limits or Limits(), known or {}, progress):
        relative = path.relative_to(root).as_posix()
        if isinstance(result, str):
            reading.skipped.append(Skipped(relative, result))
            continue
        article = _with_distinct_id(result, reading.articles, path)
        if other := _conflicting(reading.articles, article):
            reason = f"its id {article.id!r} ({article.lang}) is taken by {other.path}; rename one"
            reading.skipped.append(Skipped(relative, reason))
        else:
            reading.articles.append(article)
            reading.files[relative] = digest
    if not reading.articles:
        raise KnowledgeFolderError(_nothing_read(root, reading.skipped))
    return reading


def articles_root(folder: Path) -> Path:
    """Return the folder of a knowledge folder's documents: its ``articles/`` if it has one.

    Raises:
        KnowledgeFolderError: The folder does not exist.
    """
    if not folder.is_dir():
        raise KnowledgeFolderError(
            f"Expected a folder of documents at {folder}, but there is "
            f"{'a file' if folder.exists() else 'nothing'}. Name an existing folder."
        )
    return folder / "articles" if (folder / "articles").is_dir() else folder


def _nothing_read(root: Path, skipped: list[Skipped]) -> str:
    kinds = ", ".join(sorted(READERS))
    message = f"Expected at least one file with text ({kinds}) in {root}, but found none."
    if skipped:
        first = skipped[0]
        message += f" {len(skipped)} could not be read; for example {first.path}: {first.reason}."
    return f"{message} Add articles or name another folder."


def _is_document(path: Path, root: Path) -> bool:
    # A symbolic link could lead out of the folder.
    relative = path.relative_to(root)
    hidden = any(part.startswith((".", "~$")) for part in relative.parts)
    return is_readable(path) and not hidden and path.is_file() and not path.is_symlink()


def _with_distinct_id(article: Article, others: list[Article], path: Path) -> Article:
    """Append the kind to a default id that is taken, as "fees.pdf" shares one with "fees.md"."""
    if _conflicting(others, article) and article.id == slug(Path(article.path)):
        return replace(article, id=f"{article.id}-{path.suffix[1:].lower()}")
    return article


def _conflicting(articles: list[Article], article: Article) -> Article | None:
    """Return an article with the same language, id and at least one day of validity."""
    for other in articles:
        if (other.lang, other.id) == (article.lang, article.id) and other.overlaps(article):
            return other
    return None


def _read_all(
    paths: list[Path], root: Path, limits: Limits, known: Mapping[str, Known], progress: bool
) -> Iterator[tuple[Path, str, Article | str]]:
    """Yield each path with its SHA-256 and its article, or the reason why there is none."""
    from tqdm import tqdm

    def read(path: Path) -> tuple[str, Article | str]:
        relative = path.relative_to(root)
        before = known.get(relative.as_posix())
        digest = ""
        try:
            # The checksum of a file that is too large to be read would only cost time.
            digest = sha256(path) if path.stat().st_size <= limits.file_bytes else ""
            if before and before.sha256 == digest:
                return digest, before.article
            return digest, to_article(read_one(path, limits), relative)
        except (ArticleError, DocumentError) as error:
            return digest, str(error)
        except OSError as error:
            return digest, f"it cannot be opened: {error.strerror}"

    with ThreadPoolExecutor(PARALLEL_READERS) as pool:
        bar = tqdm(total=len(paths), desc="Reading documents", unit="file", disable=not progress)
        for path, (digest, result) in zip(paths, pool.map(read, paths), strict=True):
            bar.update()
            yield path, digest, result
        bar.close()


def read_one(path: Path, limits: Limits) -> Document:
    """Read one document, in this process or in one that is killed when its time is up.

    Args:
        path: The file; its suffix determines the kind.
        limits: What it may cost to read.

    Raises:
        DocumentError: It cannot be read; the message is the reason alone.
        OSError: It cannot be opened.
    """
    if path.suffix.lower() in PLAIN:
        return read_document(path, limits)
    command = [sys.executable, "-m", "knowledge.readers", str(path.resolve())]
    try:
        reader = subprocess.run(  # noqa: S603  # our own module with a path as its argument
            [*command, json.dumps(dataclasses.asdict(limits))],
            capture_output=True,
            timeout=limits.seconds,
            check=False,
            cwd=Path(__file__).parent.parent,
        )
        answer: dict[str, str] = json.loads(reader.stdout)
    except subprocess.TimeoutExpired:
        raise DocumentError(
            f"reading it took longer than the limit of {limits.seconds:g} seconds"
        ) from None
    except ValueError:
        raise DocumentError("reading it crashed the reader") from None
    if "error" in answer:
        raise DocumentError(answer["error"])
    return Document(answer["text"], answer["title"])
