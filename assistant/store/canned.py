"""Keeps the replies that agents use again and again."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.errors import SettingsError
from assistant.store.database import Database
from assistant.store.tables import now
from assistant.store.team_tables import CannedReplyRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

LONGEST_TITLE, LONGEST = 80, 4000
LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class CannedReply:
    """A reply to be picked: its number, language (en or zh), title, text and who wrote it."""

    id: int
    lang: str
    title: str
    text: str
    author: str


class CannedReplies:
    """Keeps canned replies."""

    def __init__(self, database: Database) -> None:
        """Take an open database."""
        self._database = database

    def all(self, lang: str = "") -> list[CannedReply]:
        """Return those of a language, or all, by title."""
        from sqlalchemy import select

        wanted = select(CannedReplyRow).order_by(CannedReplyRow.title, CannedReplyRow.id)
        if lang:
            wanted = wanted.where(CannedReplyRow.lang == lang)
        with self._database.read() as session:
            return [_reply(row) for row in session.scalars(wanted)]

    def get(self, number: int) -> CannedReply | None:
        """Return one; None if there is none."""
        with self._database.read() as session:
            row = session.get(CannedReplyRow, number)
            return _reply(row) if row else None

    def keep(self, lang: str, title: str, text: str, author: str, number: int = 0) -> CannedReply:
        """Keep a new one, or change one.

        Args:
            lang: One of ``LANGUAGES``.
            title: Of 1 to ``LONGEST_TITLE`` characters.
            text: Of 1 to ``LONGEST`` characters.
            author: Who writes it.
            number: The number of the one to change; 0 for a new one.

        Raises:
            SettingsError: A text is empty or too long, or the language unknown.
            StoreError: It cannot be kept.
        """
        title, text = " ".join(title.split()), text.strip()
        if lang not in LANGUAGES or not 0 < len(title) <= LONGEST_TITLE or not text:
            raise SettingsError(
                f"Expected a language, a title of 1 to {LONGEST_TITLE} characters and a text."
            )
        if len(text) > LONGEST:
            raise SettingsError(f"Expected at most {LONGEST} characters, found {len(text)}.")
        with self._database.write() as session:
            row = _row(session, number)
            row.lang, row.title, row.text, row.author = lang, title, text, author
            session.flush()
            return _reply(row)

    def remove(self, number: int) -> None:
        """Delete one; one that is gone already is no error."""
        from sqlalchemy import delete

        with self._database.write() as session:
            session.execute(delete(CannedReplyRow).where(CannedReplyRow.id == number))


def _row(session: "Session", number: int) -> CannedReplyRow:
    row = session.get(CannedReplyRow, number) if number else None
    if row is None:
        row = CannedReplyRow(created=now())
        session.add(row)
    return row


def _reply(row: CannedReplyRow) -> CannedReply:
    return CannedReply(row.id, row.lang, row.title, row.text, row.author)
