"""Gives out all that is kept of one conversation, whichever tables there are."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from assistant.errors import ConversationError
from assistant.store.database import Database
from assistant.store.tables import (
    ArticleVersionRow,
    Base,
    CitationRow,
    ConversationRow,
    MessageRow,
    conversation_row,
)

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.orm import Session


def everything(database: Database, conversation: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each table that belong to a conversation, as JSON can hold them.

    Args:
        database: An open database.
        conversation: The id of the conversation.

    Raises:
        ConversationError: There is no such conversation.
    """
    with database.read() as session:
        conversation_row(session, conversation, changes=False)
        found = {
            table.name: _rows(session, table, conversation) for table in Base.metadata.sorted_tables
        }
    return {name: rows for name, rows in found.items() if rows}


def conversations_of(database: Database, customer: str) -> list[str]:
    """Return the ids of a customer's conversations, the earliest first.

    Args:
        database: An open database.
        customer: Who it is, as the company's site has signed.

    Raises:
        ConversationError: There is none.
    """
    from sqlalchemy import select

    of = ConversationRow.customer == customer
    wanted = select(ConversationRow.id).where(of).order_by(ConversationRow.created)
    with database.read() as session:
        found = list(session.scalars(wanted)) if customer else []
    if not found:
        raise ConversationError(
            f"Expected a customer of whom a conversation is kept, found {customer!r}."
        )
    return found


def _rows(session: "Session", table: "Table", conversation: str) -> list[dict[str, Any]]:
    from sqlalchemy import select

    messages = select(MessageRow.id).where(MessageRow.conversation_id == conversation)
    if table.name == "conversation":
        wanted = table.c.id == conversation
    elif "conversation_id" in table.c:
        wanted = table.c.conversation_id == conversation
    elif "message_id" in table.c:
        wanted = table.c.message_id.in_(messages)
    elif table.name == ArticleVersionRow.__tablename__:
        quoted = select(CitationRow.version).where(CitationRow.message_id.in_(messages))
        wanted = table.c.hash.in_(quoted)
    else:
        return []
    return [_json(row) for row in session.execute(select(table).where(wanted)).mappings()]


def _json(row: Any) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }
