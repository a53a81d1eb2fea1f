"""Finds the questions that were not answered: declined, asked back, or judged as wrong."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assistant.messages import Action, Nearest
from assistant.store.database import Database
from assistant.store.tables import ConversationRow, FeedbackRow, MessageRow

OPEN = (str(Action.DECLINE), str(Action.CLARIFY))


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that a customer got no answer to, or a wrong one.

    Attributes:
        conversation: The id of the conversation.
        number: The number of the reply in it.
        question: What the customer typed, masked.
        lang: The language of the reply.
        action: What the reply did.
        thumb: What the customer thinks of it: -1, or 0 for nothing.
        nearest: What the likeliest articles have nearest to it.
        created: When, in UTC.
    """

    conversation: str
    number: int
    question: str
    lang: str
    action: str
    thumb: int
    nearest: tuple[Nearest, ...]
    created: datetime


def unanswered(database: Database, since: datetime, *, demo: bool = False) -> list[Unanswered]:
    """Return the questions that were not answered, the latest first.

    Args:
        database: An open database.
        since: From when on.
        demo: Whether those of invented conversations are wanted, and no others.
    """
    from sqlalchemy import or_, select
    from sqlalchemy.orm import aliased

    asked = aliased(MessageRow)
    rows = (
        select(MessageRow, asked.text, FeedbackRow.thumb)
        .join(asked, asked.id == MessageRow.answers)
        .outerjoin(FeedbackRow, FeedbackRow.message_id == MessageRow.id)
        .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
        .where(MessageRow.created >= since, ConversationRow.is_demo.is_(demo))
        .where(or_(MessageRow.action.in_(OPEN), FeedbackRow.thumb < 0))
        .order_by(MessageRow.id.desc())
    )
    with database.read() as session:
        return [_of(row, text, thumb) for row, text, thumb in session.execute(rows)]


def _of(row: MessageRow, question: str, thumb: int | None) -> Unanswered:
    reply: dict[str, Any] = row.reply or {}
    return Unanswered(
        row.conversation_id,
        row.number,
        question,
        reply.get("language", ""),
        row.action,
        min(thumb or 0, 0),
        tuple(Nearest(**entry) for entry in reply.get("nearest", ())),
        row.created,
    )
