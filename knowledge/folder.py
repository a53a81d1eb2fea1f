"""Reads a whole folder: documents become articles, the rest is named with its reason."""

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

# Kinds that plain Python reads. All others are read in a process of their own, which can be ended:
# a hostile file must not hang or fill the assistant.
PLAIN = frozenset({".md", ".markdown", ".txt", ".csv", ".tsv", ".jsonl"})
READERS_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that gave no article, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """A file that was read before: the SHA-256 of its bytes and what it gave."""

    sha256: str
    article: Article


@dataclass(slots=True)
class FolderReading:
    """What a folder gave.

    Attributes:
        articles: One a file that could be read, in the order of the paths, valid today or not.
        skipped: The other files with the reasons.
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
    """Read every document below a folder, or below its ``articles/`` where it has one.

    Args:
        folder: The knowledge folder.
        limits: What one document may cost.
        known: Files that were read before, by path; an unchanged one is not read again.
        progress: Whether to show a bar.

    Raises:
        KnowledgeFolderError: The folder is missing, or nothing in it could be read.
    """
    root = articles_root(Path(folder))
    reading = FolderReading()
    paths = [path for path in sorted(root.rglob("*")) if _is_ours(path, root)]
    for path, digest, found in _articles(paths, root, limits or Limits(), known or {}, progress):
        relative = path.relative_to(root).as_posix()
        if isinstance(found, str):
            reading.skipped.append(Skipped(relative, found))
            continue
        article = _distinct(found, reading.articles, path)
        if twin := _same_place(reading.articles, article):
            reason = f"its id {article.id!r} ({article.lang}) is taken by {twin.path}; rename one"
            reading.skipped.append(Skipped(relative, reason))
        else:
            reading.articles.append(article)
            reading.files[relative] = digest
    if not reading.articles:
        raise KnowledgeFolderError(_nothing(root, reading.skipped))
    return reading


def articles_root(folder: Path) -> Path:
    """Return where a knowledge folder's documents lie: below ``articles/`` where it has one.

    Raises:
        KnowledgeFolderError: There is no such folder.
    """
    if not folder.is_dir():
        raise KnowledgeFolderError(
            f"Expected a folder of documents at {folder}, but there is "
            f"{'a file' if folder.exists() else 'nothing'}. Name an existing folder."
        )
    return folder / "articles" if (folder / "articles").is_dir() else folder


def _nothing(root: Path, skipped: list[Skipped]) -> str:
    kinds = ", ".join(sorted(READERS))
    message = f"Expected at least one file with text ({kinds}) in {root}, but found none."
    if skipped:
        first = skipped[0]
        message += f" {len(skipped)} could not be read, {first.path} because {first.reason}."
    return f"{message} Add articles or name another folder."


def _is_ours(path: Path, root: Path) -> bool:
    # A link could lead out of the folder that the user named.
    relative = path.relative_to(root)
    hidden = any(part.startswith((".", "~$")) for part in relative.parts)
    return is_readable(path) and not hidden and path.is_file() and not path.is_symlink()


def _distinct(article: Article, others: list[Article], path: Path) -> Article:
    """Give "fees.pdf" an id of its own where "fees.md" has taken the one of both names."""
    if _same_place(others, article) and article.id == slug(Path(article.path)):
        return replace(article, id=f"{article.id}-{path.suffix[1:].lower()}")
    return article


def _same_place(articles: list[Article], article: Article) -> Article | None:
    for other in articles:
        if (other.lang, other.id) == (article.lang, article.id) and other.overlaps(article):
            return other
    return None


def _articles(
    paths: list[Path], root: Path, limits: Limits, known: Mapping[str, Known], progress: bool
) -> Iterator[tuple[Path, str, Article | str]]:
    """Yield each path with its SHA-256 and its article, or with the reason why there is none."""
    from tqdm import tqdm

    def read(path: Path) -> tuple[str, Article | str]:
        relative = path.relative_to(root)
        before = known.get(relative.as_posix())
        digest = ""
        try:
            # A file that is too large to be read is not worth hashing either.
            digest = sha256(path) if path.stat().st_size <= limits.file_bytes else ""
            if before and before.sha256 == digest:
                return digest, before.article
            return digest, to_article(_read(path, limits), relative)
        except (ArticleError, DocumentError) as error:
            return digest, str(error)
        except OSError as error:
            return digest, f"it cannot be opened: {error.strerror}"

    with ThreadPoolExecutor(READERS_AT_ONCE) as pool:
        bar = tqdm(total=len(paths), desc="Reading documents", unit="file", disable=not progress)
        for path, (digest, found) in zip(paths, pool.map(read, paths), strict=True):
            bar.update()
            yield path, digest, found
        bar.close()


def _read(path: Path, limits: Limits) -> Document:
    if path.suffix.lower() in PLAIN:
        return read_document(path, limits)
    command = [sys.executable, "-m", "knowledge.readers", str(path.resolve())]
    try:
        done = subprocess.run(  # noqa: S603  # our own module with a path as its argument
            [*command, json.dumps(dataclasses.asdict(limits))],
            capture_output=True,
            timeout=limits.seconds,
            check=False,
            cwd=Path(__file__).parent.parent,
        )
        answer: dict[str, str] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise DocumentError(
            f"reading it took longer than the limit of {limits.seconds:g} seconds"
        ) from None
    except ValueError:
        raise DocumentError("reading it crashed the reader") from None
    if "error" in answer:
        raise DocumentError(answer["error"])
    return Document(answer["text"], answer["title"])
