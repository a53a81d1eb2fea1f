"""Deletes conversations, and remembers their ids: a token must not begin one of them anew."""

from datetime import timedelta
from typing import TYPE_CHECKING

from assistant.errors import ConversationError
from assistant.store.quotes import forget_unquoted
from assistant.store.tables import ConversationRow, DeletedRow, now

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session


def delete_conversations(session: "Session", which: "ColumnElement[bool]") -> int:
    """Delete conversations with all that belongs to them; return how many.

    Args:
        session: A session to write in.
        which: What is true of them.
    """
    from sqlalchemy import delete

    gone = delete(ConversationRow).where(which).returning(ConversationRow.id)
    deleted = [DeletedRow(id=conversation) for conversation in session.scalars(gone)]
    session.add_all(deleted)
    forget_unquoted(session)
    return len(deleted)


def must_not_be_deleted(session: "Session", conversation: str) -> None:
    """Let a conversation begin, unless it is one that was deleted.

    Raises:
        ConversationError: It was.
    """
    if session.get(DeletedRow, conversation):
        raise ConversationError(
            "Expected the token of a conversation, found that of one that was deleted. "
            "Begin a new conversation."
        )


def forget_deleted(session: "Session", days: int) -> None:
    """Forget the ids whose tokens are good for nothing any more.

    Args:
        session: A session to write in.
        days: How many days a token is good for.
    """
    from sqlalchemy import delete

    before = now() - timedelta(days=days)
    session.execute(delete(DeletedRow).where(DeletedRow.created < before))
