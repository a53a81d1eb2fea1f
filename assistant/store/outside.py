"""Knows which kept conversation is which of another system, and which messages were taken."""

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from assistant.store.database import Database
from assistant.store.tables import ConversationRow, OutsideConversationRow, OutsideMessageRow, now

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# What the other system sends so shortly after a conversation was left to its people was written
# before that.
UNDER_WAY = timedelta(seconds=10)


class OutsideConversations:
    """Maps the conversations of one other system to ours."""

    def __init__(self, database: Database, channel: str) -> None:
        """Take an open database and the name of the other system."""
        self._database, self._channel = database, channel

    def take(self, outside: str, message: str, received: datetime) -> str | None:
        """Return the conversation that a message is to be answered in.

        The first message begins a conversation. Of several processes, one gets the message.

        Args:
            outside: The id of the conversation in the other system.
            message: The id of the message there.
            received: When the message came, in UTC.

        Returns:
            The id of the conversation; None if the message was taken before, or if people of the
            other system have it.

        Raises:
            StoreError: It cannot be kept.
        """
        with self._database.write() as session:
            row = self._known(session, outside) or self._begun(session, outside)
            place = {"channel": self._channel, "outside_id": message}
            taken = OutsideMessageRow(**place, conversation_id=row.conversation_id)
            if not _added(session, taken) or (row.opened and received - row.opened < UNDER_WAY):
                return None
            return row.conversation_id

    def leave(self, outside: str) -> None:
        """Note that a conversation was left to the people of the other system."""
        with self._database.write() as session:
            row = self._known(session, outside)
            if row:
                row.opened = now()

    def _known(self, session: "Session", outside: str) -> OutsideConversationRow | None:
        return session.get(OutsideConversationRow, (self._channel, outside))

    def _begun(self, session: "Session", outside: str) -> OutsideConversationRow:
        begun = ConversationRow(id=uuid.uuid4().hex, channel=self._channel)
        session.add(begun)
        session.flush()
        place = {"channel": self._channel, "outside_id": outside}
        row = OutsideConversationRow(**place, conversation_id=begun.id)
        if _added(session, row):
            return row
        session.delete(begun)
        known = self._known(session, outside)
        assert known  # noqa: S101  # another process was faster: it stands in the way
        return known


def _added(session: "Session", row: OutsideConversationRow | OutsideMessageRow) -> bool:
    """Add a row; return False if one with its key exists."""
    from sqlalchemy.exc import IntegrityError

    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True
