"""Checks of articles that need no model: dates, links and translations."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from knowledge.documents import Article
from knowledge.folder import articles_root

FIGURE = re.compile(r"(?P<money>[£$€¥]\s?)?(?P<number>\d[\d,.:]*\d|\d)\s?(?P<unit>[^\W\d_]+|%)?")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)[^)]*\)")
# "4 月 5 日" is 5 April, and English writes no figure for the month.
_MONTH = re.compile(r"\d{1,2}\s?月(?=\s?\d{1,2}\s?日)")


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem: its kind, the files concerned, and an explanation."""

    kind: str
    paths: tuple[str, ...]
    message: str


def figures_of(text: str) -> set[str]:
    """Return the numbers of a text as written, except the months of Chinese dates."""
    return {match["number"] for match in FIGURE.finditer(_MONTH.sub("", text))}


def expired(articles: Sequence[Article], day: dt.date) -> Iterator[Finding]:
    """Yield the articles that are not valid on a day."""
    for article in articles:
        if article.valid_to and article.valid_to < day:
            yield Finding("expired", (article.path,), f"valid until {article.valid_to}")
        elif article.valid_from and article.valid_from > day:
            yield Finding("not yet valid", (article.path,), f"valid from {article.valid_from}")


def broken_links(articles: Sequence[Article], folder: Path) -> Iterator[Finding]:
    """Yield links to files or articles that do not exist; links to other sites are not followed."""
    root = articles_root(folder)
    ids = {article.id for article in articles}
    for article in articles:
        for target in _LINK.findall(article.text):
            if re.match(r"[a-z][a-z+.-]*:|#", target):  # another site, or a place on the same page
                continue
            path = target.split("#")[0]
            file = (root / article.path).parent / path
            if path not in ids and Path(path).stem not in ids and not file.exists():
                yield Finding("broken link", (article.path,), f"{target} does not exist")


def twins(articles: Sequence[Article]) -> Iterator[Finding]:
    """Yield missing translations, and translations whose figures differ from the original's."""
    translated = {(a.lang, a.translation_of) for a in articles if a.translation_of}
    languages = {article.lang for article in articles if article.translation_of}
    for article in articles:
        if article.translation_of:
            yield from _against_original(article, articles)
            continue
        for lang in sorted(languages - {article.lang}):
            if (lang, article.id) not in translated:
                yield Finding("missing twin", (article.path,), f"it has no version in {lang}")


def _against_original(article: Article, articles: Sequence[Article]) -> Iterator[Finding]:
    original = next(
        (a for a in articles if a.id == article.translation_of and a.lang != article.lang), None
    )
    if original is None:
        message = f"its original {article.translation_of} does not exist"
        yield Finding("missing twin", (article.path,), message)
    elif differing := figures_of(article.text) ^ figures_of(original.text):
        message = f"only one of them has {', '.join(sorted(differing))}"
        yield Finding("twins differ", (original.path, article.path), message)
