"""The articles of the folder, with what an editor wants to know of each."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assistant.store.database import Database
from knowledge.documents import Article
from knowledge.folder import FolderReading, Known, Skipped, read_folder

# Days of which citations are counted.
COUNTED = 30


@dataclass(frozen=True, slots=True)
class ListedArticle:
    """An article as a list shows it.

    Attributes:
        article: The article.
        counterpart: The path of the same article in the other language; "" if it is missing.
        cited: How many replies have cited it in the last 30 days.
        state: valid, expired or future.
    """

    article: Article
    counterpart: str
    cited: int
    state: str


@dataclass(slots=True)
class ArticleFolder:
    """The articles of a folder; a file that did not change is not read again."""

    folder: Path
    _read: FolderReading = field(default_factory=FolderReading)

    def articles(self) -> Sequence[Article]:
        """Return the articles as they are in the folder now, valid or not.

        Raises:
            KnowledgeFolderError: The folder is missing or nothing in it can be read.
        """
        files = self._read.files
        known = {a.path: Known(files[a.path], a) for a in self._read.articles if a.path in files}
        self._read = read_folder(self.folder, known=known)
        return self._read.articles

    @property
    def skipped(self) -> Sequence[Skipped]:
        """The files that gave no article when the folder was read last."""
        return self._read.skipped


def listed(
    articles: Sequence[Article],
    cited: Mapping[tuple[str, str], int],
    today: dt.date | None = None,
) -> list[ListedArticle]:
    """Return the articles with what is known of them, in the order of their titles.

    Args:
        articles: The articles of a folder.
        cited: How often each was cited, by language and id.
        today: The day to use instead of the current one.
    """
    day = today or dt.date.today()
    rows = [
        ListedArticle(
            article,
            other.path if (other := counterpart(article, articles)) else "",
            cited.get((article.lang, article.id), 0) if article.is_valid(day) else 0,
            _state(article, day),
        )
        for article in articles
    ]
    return sorted(rows, key=lambda row: (row.article.title.casefold(), row.article.path))


def counterpart(article: Article, articles: Sequence[Article]) -> Article | None:
    """Return the same article in another language, the valid one if there are several."""
    name = article.translation_of or article.id
    others = [
        other
        for other in articles
        if other.lang != article.lang and name in (other.translation_of, other.id)
    ]
    day = dt.date.today()
    return min(others, key=lambda other: not other.is_valid(day), default=None)


def citations(database: Database, *, demo: bool = False) -> dict[tuple[str, str], int]:
    """Return how many replies have cited each article in the last days, by language and id."""
    from sqlalchemy import distinct, func, select

    from assistant.store.tables import (
        ArticleVersionRow,
        CitationRow,
        ConversationRow,
        MessageRow,
        now,
    )

    rows = (
        select(
            ArticleVersionRow.lang,
            ArticleVersionRow.article,
            func.count(distinct(CitationRow.message_id)),
        )
        .join(CitationRow, CitationRow.version == ArticleVersionRow.hash)
        .join(MessageRow, MessageRow.id == CitationRow.message_id)
        .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
        .where(MessageRow.created >= now() - dt.timedelta(days=COUNTED))
        .where(ConversationRow.is_demo.is_(demo))
        .group_by(ArticleVersionRow.lang, ArticleVersionRow.article)
    )
    with database.read() as session:
        return {(lang, article): count for lang, article, count in session.execute(rows)}


def _state(article: Article, day: dt.date) -> str:
    if article.valid_from and article.valid_from > day:
        return "future"
    return "expired" if article.valid_to and article.valid_to < day else "valid"
