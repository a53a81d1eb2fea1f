"""Articles, passages and hits, and how a document becomes an article."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.errors import ArticleError
from knowledge.readers.document import Document
from knowledge.segmenter import Language, language_of


@dataclass(frozen=True, slots=True)
class Article:
    """A page of the knowledge base.

    Attributes:
        id: Unique within a language on any one day.
        title: The title shown to customers.
        lang: The language of the text.
        text: The text as Markdown, without front matter.
        path: The file's path relative to the knowledge folder, with forward slashes.
        translation_of: The id of the article that this one translates.
        intents: The names of the intents that it answers.
        questions: What customers type when it answers: search finds the article by them too. They
            are never shown and are no evidence.
        version: The version that its authors gave it.
        valid_from: The first day on which it may be shown; None for no limit.
        valid_to: The last day on which it may be shown; None for no limit.
    """

    id: str
    title: str
    lang: Language
    text: str
    path: str
    translation_of: str | None = None
    intents: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    version: str = "1"
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    def is_valid(self, day: dt.date) -> bool:
        """Return whether the article may be shown on a day; both ends are included."""
        started = self.valid_from is None or self.valid_from <= day
        return started and (self.valid_to is None or day <= self.valid_to)

    def overlaps(self, other: "Article") -> bool:
        """Return whether there is a day on which both articles may be shown."""
        first = max(self.valid_from or dt.date.min, other.valid_from or dt.date.min)
        return first <= min(self.valid_to or dt.date.max, other.valid_to or dt.date.max)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an article.

    Attributes:
        article: The article's id.
        lang: The article's language.
        title: The article's title.
        heading: The headings above the passage below the title, joined by " > ".
        text: ``article.text[start:end]``, verbatim.
        start: The offset of the first character in the article's text.
        end: The offset after the last one.
    """

    article: str
    lang: Language
    title: str
    heading: str
    text: str
    start: int
    end: int

    @property
    def name(self) -> str:
        """The title and heading, which distinguish the passage from its neighbours."""
        return f"{self.title} > {self.heading}" if self.heading else self.title


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query.

    Attributes:
        passage: The passage.
        score: The calibrated probability, in [0, 1], that the passage's article answers.
        dense: The cosine of query and passage, in [-1, 1].
        lexical: BM25 as a share of the best possible score, in [0, 1].
        near: How near the span embedder finds the passage and its best sentence: a cosine divided
            by a temperature; 0 without one.
        asked: How much nearer the article's known messages are than those of others, likewise.
        rerank: The logit of a cross-encoder; None if the passage was not reranked.
        sentences: The same for each of the passage's sentences; empty without a span embedder.
        repeated: For each of its sentences, how many articles of its language hold it; empty where
            nobody counted.
    """

    passage: Passage
    score: float
    dense: float = 0.0
    lexical: float = 0.0
    near: float = 0.0
    asked: float = 0.0
    rerank: float | None = None
    sentences: tuple[float, ...] = ()
    repeated: tuple[int, ...] = ()


def to_article(document: Document, relative: Path) -> Article:
    """Return a document as an article.

    Front matter is optional, and keys that are not known are ignored. Without it, the title is
    the document's own, its first heading or the file's name, and the language is detected.

    Args:
        document: The text and title of a file.
        relative: The file's path relative to the knowledge folder.

    Raises:
        ArticleError: The front matter is not valid YAML, a date in it is invalid, or there is no
            text below it.
    """
    import frontmatter

    try:
        page = frontmatter.loads(document.text)
    except Exception as error:  # whatever the YAML parser raises
        raise ArticleError(f"the front matter is not valid YAML: {error}") from None
    if not page.content.strip():
        raise ArticleError("there is no text below the front matter")
    return _article(page.content, document.title, page.metadata, relative)


def _strings(meta: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = meta.get(key)
    texts = [] if found is None else found
    if not isinstance(texts, list) or not all(isinstance(t, str) and t.strip() for t in texts):
        raise ArticleError(f"{key} in the front matter must be a list of texts, found {found!r}")
    return tuple(texts)


def _article(text: str, title: str | None, meta: Mapping[str, Any], relative: Path) -> Article:
    heading = re.search(r"^#\s+(.+)$", text, flags=re.MULTILINE)
    title = meta.get("title") or title or (heading.group(1).strip() if heading else None)
    lang = str(meta.get("lang") or language_of(text))
    return Article(
        id=str(meta.get("id") or slug(relative)),
        title=str(title or _title_from_name(relative)),
        lang="zh" if lang.startswith("zh") else "en" if lang.startswith("en") else "other",
        text=text,
        path=relative.as_posix(),
        translation_of=str(original) if (original := meta.get("translation_of")) else None,
        intents=tuple(str(name) for name in meta.get("intents") or ()),
        questions=_strings(meta, "questions"),
        version=str(meta.get("version", "1")),
        valid_from=_date(meta, "valid_from"),
        valid_to=_date(meta, "valid_to"),
    )


def slug(relative: Path) -> str:
    """Return the default id of an article: the words of its path."""
    return "-".join(re.findall(r"\w+", str(relative.with_suffix("")).lower())) or "article"


def _title_from_name(path: Path) -> str:
    return path.stem.replace("-", " ").replace("_", " ").strip().capitalize()


def _date(meta: Mapping[str, Any], key: str) -> dt.date | None:
    value = meta.get(key)
    if value is None or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
        return value
    raise ArticleError(f"expected {key} as a date such as 2026-01-31, found {value!r}.")
