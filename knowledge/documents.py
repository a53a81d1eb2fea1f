"""Articles, passages and hits, and how a document becomes an article."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from knowledge.errors import ArticleError
from knowledge.readers.document import Document
from knowledge.segmenter import Language, language_of


@dataclass(frozen=True, slots=True)
class Article:
    """A page of the knowledge base. On any one day ``id`` is unique within a language."""

    id: str
    title: str
    lang: Language
    text: str
    path: str
    translation_of: str | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    def is_valid(self, day: dt.date) -> bool:
        """Tell whether the article may be shown on ``day``; both ends are included."""
        started = self.valid_from is None or self.valid_from <= day
        return started and (self.valid_to is None or day <= self.valid_to)

    def overlaps(self, other: "Article") -> bool:
        """Tell whether there is a day on which both articles may be shown."""
        first = max(self.valid_from or dt.date.min, other.valid_from or dt.date.min)
        return first <= min(self.valid_to or dt.date.max, other.valid_to or dt.date.max)


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
    ``dense`` is a cosine in [-1, 1], ``lexical`` the share in [0, 1] of the query that BM25 found,
    ``rerank`` the logit of a cross-encoder where one is named and has read the passage.
    """

    passage: Passage
    score: float
    dense: float = field(default=0.0)
    lexical: float = field(default=0.0)
    rerank: float | None = None


def to_article(document: Document, relative: Path) -> Article:
    """Return the article of a document that was read.

    No front matter is needed: the title is then the document's own, its first heading or the
    file's name, and the language is told from the text.

    Args:
        document: What ``read_document`` returned.
        relative: The file's path below the knowledge folder.

    Raises:
        ArticleError: The front matter is wrong.
    """
    import frontmatter

    try:
        page = frontmatter.loads(document.text)
    except Exception as error:  # whatever the YAML parser raises
        raise ArticleError(f"the front matter is not valid YAML: {error}") from None
    if not page.content.strip():
        raise ArticleError("there is no text below the front matter")
    return _article(page.content, document.title, page.metadata, relative)


def _article(text: str, title: str | None, meta: Mapping[str, Any], relative: Path) -> Article:
    heading = re.search(r"^#\s+(.+)$", text, flags=re.MULTILINE)
    named = meta.get("title") or title or (heading.group(1).strip() if heading else None)
    lang = str(meta.get("lang") or language_of(text))
    return Article(
        id=str(meta.get("id") or slug(relative)),
        title=str(named or _title(relative)),
        lang="zh" if lang.startswith("zh") else "en" if lang.startswith("en") else "other",
        text=text,
        path=relative.as_posix(),
        translation_of=str(original) if (original := meta.get("translation_of")) else None,
        valid_from=_date(meta, "valid_from"),
        valid_to=_date(meta, "valid_to"),
    )


def slug(relative: Path) -> str:
    """Return the id of an article that names none: the words of its path."""
    return "-".join(re.findall(r"\w+", str(relative.with_suffix("")).lower())) or "article"


def _title(path: Path) -> str:
    return path.stem.replace("-", " ").replace("_", " ").strip().capitalize()


def _date(meta: Mapping[str, Any], key: str) -> dt.date | None:
    value = meta.get(key)
    if value is None or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
        return value
    raise ArticleError(f"expected {key} as a date such as 2026-01-31, found {value!r}.")
