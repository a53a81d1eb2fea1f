"""Articles, passages and hits, and how a folder of documents becomes articles."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from knowledge.errors import ArticleError, KnowledgeFolderError
from knowledge.segmenter import Language, language_of

SUFFIXES = (".md", ".markdown", ".txt")
MAX_ARTICLE_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Article:
    """A page of the knowledge base. ``id`` is unique within a language."""

    id: str
    title: str
    lang: Language
    text: str
    path: str
    translation_of: str | None = None
    category: str | None = None
    intents: tuple[str, ...] = ()
    version: str = "1"
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    owner: str | None = None

    def is_valid(self, day: dt.date) -> bool:
        """Tell whether the article may be shown on ``day``; both ends are included."""
        started = self.valid_from is None or self.valid_from <= day
        return started and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an article: ``text`` is ``article.text[start:end]``, word for word."""

    article: str
    lang: Language
    title: str
    heading: str
    text: str
    start: int
    end: int

    @property
    def name(self) -> str:
        """The title with the heading under it: what tells this passage from its neighbours."""
        return f"{self.title} > {self.heading}" if self.heading else self.title


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query.

    ``score`` is calibrated: the probability, in [0, 1], that the passage's article answers.
    ``dense`` is a cosine in [-1, 1], ``lexical`` the share in [0, 1] of the query that BM25 found.
    """

    passage: Passage
    score: float
    dense: float = field(default=0.0)
    lexical: float = field(default=0.0)


def load_articles(folder: Path) -> list[Article]:
    """Read every Markdown and text file below a folder, in the order of their paths.

    A folder that has ``articles/`` is read from there. No front matter is needed: the title is
    then the first heading or the file's name, the language is told from the text.

    Raises:
        KnowledgeFolderError: The folder is missing, or no file in it can be read.
        ArticleError: A front matter is wrong, or two articles share an id and a language.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise KnowledgeFolderError(
            f"Expected a folder of Markdown or text files at {folder}, but there is "
            f"{'a file' if folder.exists() else 'nothing'}. Name an existing folder."
        )
    root = folder / "articles" if (folder / "articles").is_dir() else folder
    paths = sorted(p for p in root.rglob("*") if p.suffix.lower() in SUFFIXES and _is_ours(p, root))
    articles = [article for path in paths if (article := _read(path, root))]
    if not articles:
        raise KnowledgeFolderError(
            f"Expected at least one file with text ({', '.join(SUFFIXES)}) in {root}, "
            f"but found none. Add articles or name another folder."
        )
    _refuse_twice(articles)
    return articles


def _is_ours(path: Path, root: Path) -> bool:
    # A link could lead out of the folder that the user named.
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return path.is_file() and not path.is_symlink() and not hidden


def _read(path: Path, root: Path) -> Article | None:
    import frontmatter

    if path.stat().st_size > MAX_ARTICLE_BYTES:
        raise ArticleError(
            f"{path}: expected at most {MAX_ARTICLE_BYTES:,} bytes, found "
            f"{path.stat().st_size:,}. Split the file."
        )
    try:
        raw = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
        page = frontmatter.loads(raw)
    except UnicodeDecodeError as error:
        raise ArticleError(
            f"{path}: expected UTF-8 text, found {error}. Save it as UTF-8."
        ) from None
    except Exception as error:  # whatever the YAML parser raises
        raise ArticleError(f"{path}: the front matter is not valid YAML: {error}") from None
    if not page.content.strip():
        return None
    return _article(page.content, page.metadata, path, root)


def _article(text: str, meta: Mapping[str, Any], path: Path, root: Path) -> Article:
    heading = re.search(r"^#\s+(.+)$", text, flags=re.MULTILINE)
    relative = path.relative_to(root)
    lang = str(meta.get("lang") or language_of(text))
    return Article(
        id=str(meta.get("id") or _slug(relative)),
        title=str(meta.get("title") or (heading.group(1).strip() if heading else _title(path))),
        lang="zh" if lang.startswith("zh") else "en" if lang.startswith("en") else "other",
        text=text,
        path=str(relative),
        translation_of=_text(meta, "translation_of"),
        category=_text(meta, "category"),
        intents=tuple(str(name) for name in meta.get("intents") or ()),
        version=str(meta.get("version", "1")),
        valid_from=_date(meta, "valid_from", path),
        valid_to=_date(meta, "valid_to", path),
        owner=_text(meta, "owner"),
    )


def _slug(relative: Path) -> str:
    return "-".join(re.findall(r"\w+", str(relative.with_suffix("")).lower())) or "article"


def _title(path: Path) -> str:
    return path.stem.replace("-", " ").replace("_", " ").strip().capitalize()


def _text(meta: Mapping[str, Any], key: str) -> str | None:
    return None if meta.get(key) is None else str(meta[key])


def _date(meta: Mapping[str, Any], key: str, path: Path) -> dt.date | None:
    value = meta.get(key)
    if value is None or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
        return value
    raise ArticleError(f"{path}: expected {key} as a date such as 2026-01-31, found {value!r}.")


def _refuse_twice(articles: Iterable[Article]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for article in articles:
        key = (article.lang, article.id)
        if key in seen:
            raise ArticleError(
                f"Expected each id once a language, found {article.id!r} ({article.lang}) in "
                f"{seen[key]} and {article.path}. Rename one."
            )
        seen[key] = article.path
