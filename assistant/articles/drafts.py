"""Keeps drafts of articles, and what was published: the history of every article."""

from dataclasses import dataclass
from datetime import datetime

from assistant.articles.errors import ArticleEditError, ChangedMeanwhileError
from assistant.store.database import Database
from assistant.store.tables import now
from assistant.store.team_tables import ArticleChangeRow

DRAFT, LIVE, DROPPED = "draft", "live", "dropped"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an article.

    Attributes:
        id: Its number.
        path: The file in the folder of articles, with slashes.
        lang: Its language.
        state: draft, live or dropped.
        before: The whole file as it was; "" for a new one.
        after: The whole file as it is to be.
        author: Who makes it.
        created: When it was begun, in UTC.
        updated: When it was last saved.
        published: When it went live; None for one that did not.
    """

    id: int
    path: str
    lang: str
    state: str
    before: str
    after: str
    author: str
    created: datetime
    updated: datetime
    published: datetime | None


class Drafts:
    """Keeps changes of articles."""

    def __init__(self, database: Database) -> None:
        """Take an open database."""
        self._database = database

    def begin(self, path: str, lang: str, before: str, after: str, author: str) -> int:
        """Keep a new draft and return its number.

        Args:
            path: The file in the folder of articles.
            lang: Its language.
            before: The whole file as it is; "" for a new one.
            after: As it is to be.
            author: Who makes it.
        """
        moment = now()
        row = ArticleChangeRow(
            path=path, lang=lang, state=DRAFT, before=before, after=after, author=author,
            created=moment, updated=moment,
        )  # fmt: skip
        with self._database.write() as session:
            session.add(row)
            session.flush()
            return row.id

    def save(
        self, number: int, after: str, *, lang: str = "", seen: datetime | None = None
    ) -> Change:
        """Keep what a draft is to say.

        Args:
            number: The draft's number.
            after: The whole file.
            lang: Its language, if that changed.
            seen: When the draft was saved that was changed; None for whatever is kept.

        Raises:
            ChangedMeanwhileError: Somebody saved it since then; nothing is kept.
            ArticleEditError: It is no draft any more.
        """
        with self._database.write() as session:
            row = session.get(ArticleChangeRow, number, with_for_update=True)
            if row is None or row.state != DRAFT:
                raise ArticleEditError(
                    f"Expected a draft, found that {number} is none any more.",
                    key="no_draft",
                    number=number,
                )
            if seen and row.updated != seen:
                raise ChangedMeanwhileError(
                    "The draft was saved somewhere else meanwhile. Nothing of either is lost.",
                    row.after,
                    key="saved_elsewhere",
                )
            row.after, row.updated, row.lang = after, now(), lang or row.lang
            return _change(row)

    def rebase(self, number: int, before: str) -> None:
        """Let a draft change what is there now, after its author has seen the difference."""
        with self._database.write() as session:
            row = session.get(ArticleChangeRow, number, with_for_update=True)
            if row and row.state == DRAFT:
                row.before = before

    def drop(self, number: int) -> None:
        """Put a draft aside; it stays in the database."""
        with self._database.write() as session:
            row = session.get(ArticleChangeRow, number, with_for_update=True)
            if row and row.state == DRAFT:
                row.state = DROPPED

    def mark_live(self, number: int) -> None:
        """Note that a draft was written to the folder."""
        with self._database.write() as session:
            row = session.get(ArticleChangeRow, number, with_for_update=True)
            if row:
                row.state, row.published = LIVE, now()

    def get(self, number: int) -> Change:
        """Return a change.

        Raises:
            ArticleEditError: There is none with this number.
        """
        with self._database.read() as session:
            row = session.get(ArticleChangeRow, number)
        if row is None:
            raise ArticleEditError(
                f"Expected the number of a change, found none for {number}.",
                key="no_change",
                number=number,
            )
        return _change(row)

    def open(self, path: str = "") -> list[Change]:
        """Return the drafts, the latest first; of one article, or of all."""
        return self._all(DRAFT, path)

    def history(self, path: str) -> list[Change]:
        """Return what was published of an article here, the latest first."""
        return self._all(LIVE, path)

    def _all(self, state: str, path: str) -> list[Change]:
        from sqlalchemy import select

        wanted = select(ArticleChangeRow).where(ArticleChangeRow.state == state)
        wanted = wanted.where(ArticleChangeRow.path == path) if path else wanted
        order = ArticleChangeRow.published if state == LIVE else ArticleChangeRow.updated
        with self._database.read() as session:
            rows = session.scalars(wanted.order_by(order.desc(), ArticleChangeRow.id.desc()))
            return [_change(row) for row in rows]


def _change(row: ArticleChangeRow) -> Change:
    return Change(
        row.id, row.path, row.lang, row.state, row.before, row.after, row.author, row.created,
        row.updated, row.published,
    )  # fmt: skip
