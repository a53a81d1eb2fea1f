"""Deletes what is too old, and gives or erases all that belongs to one conversation."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from assistant.errors import StoreError
from assistant.store.audit import forget_deeds
from assistant.store.contacts import forget_contacts
from assistant.store.database import Database
from assistant.store.quotes import forget_unquoted
from assistant.store.tables import ConversationRow, OutboxRow, now

DAY = 24 * 60 * 60.0


def purge(database: Database, days: int) -> int:
    """Delete the conversations in which nothing was said for so many days; return how many.

    Args:
        database: An open database.
        days: How long they are kept.

    Raises:
        StoreError: They cannot be deleted.
    """
    from sqlalchemy import CursorResult, delete

    before = now() - timedelta(days=days)
    with database.write() as session:
        done = session.execute(delete(ConversationRow).where(ConversationRow.updated < before))
        assert isinstance(done, CursorResult)  # noqa: S101  # what a deletion gives
        # In a conversation that goes on, too.
        session.execute(delete(OutboxRow).where(OutboxRow.created < before))
        forget_unquoted(session)
        forget_contacts(session)
        forget_deeds(session)
        return done.rowcount


def purge_daily(database: Database, days: int, failed: Callable[[StoreError], Any]) -> None:
    """Delete what is too old now and every day, in the background.

    Args:
        database: An open database.
        days: How long conversations are kept.
        failed: Gets the error of a day on which nothing could be deleted.
    """

    def work() -> None:
        while True:
            try:
                purge(database, days)
            except StoreError as error:
                failed(error)
            threading.Event().wait(DAY)

    threading.Thread(target=work, daemon=True, name="purge").start()
