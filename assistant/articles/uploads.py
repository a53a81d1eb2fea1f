"""Reads an uploaded document, of any kind that the knowledge folder takes, as an article's text."""

from dataclasses import dataclass
from pathlib import Path

from assistant.articles.article_paths import slug_of
from assistant.articles.article_text import Fields, fields_of, with_fields
from assistant.articles.errors import ArticleEditError
from knowledge.documents import to_article
from knowledge.errors import ArticleError, DocumentError
from knowledge.folder import read_one
from knowledge.readers.document import Limits
from knowledge.readers.reading import READERS

# Smaller than for a folder: somebody waits, and this is one article.
LIMITS = Limits(file_bytes=20_000_000, unpacked_bytes=100_000_000, characters=200_000, seconds=30)
KINDS = tuple(sorted(READERS))


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded document as the draft of an article: a name for it, and its whole text."""

    name: str
    text: str
    lang: str


def read_upload(file: Path, name: str = "") -> Upload:
    """Return a document as the text of a new article.

    It is read in a process of its own, within limits; nothing in it runs.

    Args:
        file: The uploaded file; its name's end says what it is.
        name: The id that the article is to have; "" for one made of the file's name.

    Raises:
        ArticleEditError: It cannot be read; the message says why.
    """
    kind = file.suffix.lower()
    if kind not in READERS:
        raise ArticleEditError(
            f"{file.name[:80]}: the file type {kind[:20] or '(none)'} cannot be read. Expected one "
            f"of {', '.join(KINDS)}.",
            key="upload_kind",
            file=file.name[:80],
            kinds=", ".join(KINDS),
        )
    try:
        document = read_one(file, LIMITS)
        article = to_article(document, Path(file.name))
    except (DocumentError, ArticleError) as error:
        raise ArticleEditError(
            f"{file.name[:80]}: {error}.", key="upload_broken", file=file.name[:80], reason=error
        ) from None
    except OSError as error:
        raise ArticleEditError(f"{file.name[:80]} cannot be opened: {error.strerror}.") from None
    name = name or slug_of(file.name)
    before = fields_of(document.text, file.name)
    lang = article.lang if article.lang in ("en", "zh") else "en"
    if kind in (".md", ".markdown", ".txt") and document.text.startswith("---"):
        return Upload(name, document.text, lang)
    fields = Fields(article.title, lang, _without_title(before.body, article.title))
    return Upload(name, with_fields("", f"{name or 'article'}.md", fields), lang)


def _without_title(body: str, title: str) -> str:
    """Return a text without its first heading where that is the title, which is shown anyway."""
    first, _, rest = body.strip().partition("\n")
    return rest.strip() if first.removeprefix("# ").strip() == title and rest.strip() else body
