"""Keeps who of the team looks at a conversation now, and who writes in it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from assistant.store.database import Database
from assistant.store.tables import conversation_row, now
from assistant.store.team_tables import PresenceRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# How long a sign of somebody counts, and when the next one is worth a write.
GONE = timedelta(seconds=20)
AGAIN = timedelta(seconds=8)
# How long somebody is taken to be writing after the last letter.
WRITING = timedelta(seconds=8)


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody of the team who has a conversation open, and whether they write."""

    name: str
    writes: bool


class Presence:
    """Keeps who is where."""

    def __init__(self, database: Database) -> None:
        """Take an open database."""
        self._database = database

    def note(self, conversation: str, name: str, *, writes: bool = False) -> None:
        """Keep that somebody looks at a conversation; forget whoever has gone.

        Args:
            conversation: The id of the conversation.
            name: Who looks.
            writes: Whether they have typed something just now.

        Raises:
            ConversationError: There is no such conversation.
            StoreError: It cannot be kept.
        """
        if not writes and self._is_known(conversation, name):
            return
        with self._database.write() as session:
            _keep(session, conversation, name, writes=writes)

    def others(self, conversation: str, name: str) -> list[Present]:
        """Return who else looks at a conversation, by name."""
        from sqlalchemy import select

        moment = now()
        wanted = (
            select(PresenceRow)
            .where(
                PresenceRow.conversation_id == conversation,
                PresenceRow.name != name,
                PresenceRow.seen > moment - GONE,
            )
            .order_by(PresenceRow.name)
        )
        with self._database.read() as session:
            return [
                Present(row.name, row.wrote is not None and row.wrote > moment - WRITING)
                for row in session.scalars(wanted)
            ]

    def _is_known(self, conversation: str, name: str) -> bool:
        with self._database.read() as session:
            row = session.get(PresenceRow, (conversation, name))
            return row is not None and row.seen > now() - AGAIN


def _keep(session: "Session", conversation: str, name: str, *, writes: bool) -> None:
    from sqlalchemy import select

    moment = now()
    conversation_row(session, conversation)  # one writer at a time, and none for what is gone
    gone = select(PresenceRow).where(PresenceRow.seen < moment - GONE)
    for row in session.scalars(gone.with_for_update(skip_locked=True)).all():
        session.delete(row)
    session.flush()
    mine = session.get(PresenceRow, (conversation, name))
    if mine is None:
        mine = PresenceRow(conversation_id=conversation, name=name)
        session.add(mine)
    mine.seen = moment
    if writes:
        mine.wrote = moment
