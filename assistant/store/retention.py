"""Deletes what is too old, and gives or erases all that belongs to one conversation."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from assistant.errors import StoreError
from assistant.store.audit import forget_deeds
from assistant.store.contacts import forget_contacts
from assistant.store.database import Database
from assistant.store.deleted import delete_conversations, forget_deleted
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
    from sqlalchemy import delete

    before = now() - timedelta(days=days)
    with database.write() as session:
        deleted = delete_conversations(session, ConversationRow.updated < before)
        # In a conversation that goes on, too.
        session.execute(delete(OutboxRow).where(OutboxRow.created < before))
        forget_contacts(session)
        forget_deeds(session)
        return deleted


def too_old(database: Database, days: int) -> int:
    """Return how many conversations ``purge`` would delete.

    Args:
        database: An open database.
        days: How long they are kept.
    """
    from sqlalchemy import func, select

    before = now() - timedelta(days=days)
    with database.read() as session:
        counted = select(func.count()).where(ConversationRow.updated < before)
        return int(session.scalar(counted) or 0)


def purge_daily(
    database: Database, days: Callable[[], int], failed: Callable[[StoreError], Any]
) -> None:
    """Delete what is too old now and every day, in the background.

    Args:
        database: An open database.
        days: Returns how long conversations are kept, and their tokens good.
        failed: Gets the error of a day on which nothing could be deleted.
    """

    def work() -> None:
        while True:
            try:
                purge(database, days())
                with database.write() as session:
                    forget_deleted(session, days())
            except StoreError as error:
                failed(error)
            threading.Event().wait(DAY)

    threading.Thread(target=work, daemon=True, name="purge").start()
