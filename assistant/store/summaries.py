"""Finds out what reports count of each conversation, and keeps it until the conversation changes.

Whoever writes messages need not know of it: a conversation whose ``updated`` is not what was seen
is read again before the next report. What changes otherwise, thumbs and handoffs, forgets it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assistant.messages import Action
from assistant.store.database import Database
from assistant.store.repeats import WITHIN, Asked, is_repeated
from assistant.store.tables import ConversationRow, FeedbackRow, HandoffRow, MessageRow
from assistant.store.team_tables import SummaryRow

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

# How many are read in one transaction: customers' messages need not wait for more.
BATCH = 500
# The characters of a question in a list.
BEGINNING = 160
MOODS = ("negative", "positive", "neutral")
# The milliseconds to the first word among the timings of a reply.
FIRST_WORD = "first_word"


def refresh(database: Database) -> int:
    """Bring the summaries up to date; return how many were out of date.

    Raises:
        StoreError: They cannot be kept.
    """
    from sqlalchemy.orm import load_only

    done = 0
    with database.read() as session:
        stale = list(session.scalars(_stale()))
    for start in range(0, len(stale), BATCH):
        with database.write() as session:
            wanted = (
                load_only(ConversationRow.id, ConversationRow.updated, ConversationRow.created,
                          ConversationRow.customer, ConversationRow.is_demo)
            )  # fmt: skip
            chosen = ConversationRow.id.in_(stale[start : start + BATCH])
            # Nobody deletes or judges one while it is read.
            query = _of(chosen).options(wanted).with_for_update(read=True)
            done += _keep(session, list(session.scalars(query)))
    return done


def forget_summary(session: "Session", conversation: str) -> None:
    """Let a conversation be read again, because of what its ``updated`` does not tell.

    Args:
        session: A session to write in, which has locked the conversation.
        conversation: The id of the conversation.
    """
    from sqlalchemy import delete

    session.execute(delete(SummaryRow).where(SummaryRow.conversation_id == conversation))


def has_demo(database: Database) -> bool:
    """Return whether conversations are kept that were invented."""
    from sqlalchemy import select

    with database.read() as session:
        return (
            session.scalar(select(ConversationRow.id).where(ConversationRow.is_demo).limit(1))
            is not None
        )


def as_list(values: Iterable[object]) -> str:
    """Return values as the columns of a summary hold a list."""
    return "".join(f" {value}" for value in values) + " "


def _of(which: Any) -> "Select[Any]":
    from sqlalchemy import select

    return select(ConversationRow).where(which)


def _stale() -> "Select[Any]":
    from sqlalchemy import or_, select

    return (
        select(ConversationRow.id)
        .outerjoin(SummaryRow, SummaryRow.conversation_id == ConversationRow.id)
        .where(or_(SummaryRow.seen.is_(None), SummaryRow.seen != ConversationRow.updated))
        .order_by(ConversationRow.created)
    )


def _keep(session: "Session", rows: Sequence[ConversationRow]) -> int:
    """Read conversations that are locked, and keep their summaries."""
    from sqlalchemy import delete, insert

    ids = [row.id for row in rows]
    if not ids:
        return 0
    messages, thumbs, handed = _messages(session, ids), _thumbs(session, ids), _handed(session, ids)
    earlier = _earlier(session, rows)
    told = [
        _summary(row, messages[row.id], thumbs[row.id], earlier[row.id], is_handed=row.id in handed)
        for row in rows
    ]
    session.execute(delete(SummaryRow).where(SummaryRow.conversation_id.in_(ids)))
    session.execute(insert(SummaryRow), told)
    return len(ids)


def _messages(session: "Session", ids: Sequence[str]) -> Mapping[str, list[Any]]:
    """Return the messages of some conversations, each with what its reply decided."""
    from sqlalchemy import select

    decided = MessageRow.reply
    fields = ("intent", "sentiment", "strategy", "language", "reason")
    query = (
        select(
            MessageRow.conversation_id, MessageRow.id, MessageRow.role, MessageRow.text,
            MessageRow.created, MessageRow.state, MessageRow.action, MessageRow.answers,
            *(decided[name].as_string().label(name) for name in fields),
            decided["timings_ms"][FIRST_WORD].as_float().label(FIRST_WORD),
        )
        .where(MessageRow.conversation_id.in_(ids))
        .order_by(MessageRow.conversation_id, MessageRow.number)
    )  # fmt: skip
    found = defaultdict(list)
    for row in session.execute(query):
        found[row.conversation_id].append(row)
    return found


def _thumbs(session: "Session", ids: Sequence[str]) -> Mapping[str, set[int]]:
    from sqlalchemy import select

    query = (
        select(MessageRow.conversation_id, FeedbackRow.thumb)
        .join(FeedbackRow, FeedbackRow.message_id == MessageRow.id)
        .where(MessageRow.conversation_id.in_(ids))
    )
    found = defaultdict(set)
    for conversation, thumb in session.execute(query):
        found[conversation].add(thumb)
    return found


def _handed(session: "Session", ids: Sequence[str]) -> set[str]:
    from sqlalchemy import select

    query = select(HandoffRow.conversation_id).where(HandoffRow.conversation_id.in_(ids))
    return set(session.scalars(query))


def _earlier(session: "Session", rows: Sequence[ConversationRow]) -> Mapping[str, list[Asked]]:
    """Return what the same customers asked in other conversations, by conversation."""
    from sqlalchemy import select
    from sqlalchemy.orm import aliased

    found: dict[str, list[Asked]] = defaultdict(list)
    known = [row for row in rows if row.customer]
    if not known:
        return found
    reply = aliased(MessageRow)
    query = (
        select(ConversationRow.customer, MessageRow.conversation_id, MessageRow.text,
               MessageRow.created)
        .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
        .join(reply, reply.answers == MessageRow.id)
        .where(
            ConversationRow.customer.in_({row.customer for row in known}),
            ConversationRow.updated >= min(row.created for row in known) - WITHIN,
            reply.action != Action.SMALL_TALK.value,
        )
        .order_by(MessageRow.created)
    )  # fmt: skip
    asked = defaultdict(list)
    for customer, conversation, text, created in session.execute(query):
        asked[customer].append((conversation, Asked(text, created)))
    for row in known:
        found[row.id] = [
            question
            for conversation, question in asked[row.customer]
            if conversation != row.id and question.created < row.created
        ]
    return found


def _summary(
    row: ConversationRow,
    messages: Sequence[Any],
    thumbs: set[int],
    earlier: Sequence[Asked],
    *,
    is_handed: bool,
) -> dict[str, Any]:
    """Return the columns of a conversation's summary."""
    replies = [message for message in messages if message.action]
    own = [message for message in messages if message.role == "user"]
    waits = [round(m.first_word, 1) for m in replies if m.first_word is not None]
    moods = {message.sentiment for message in replies}
    said = [message for message in messages if message.role != "note"]
    texts = "\n".join(message.text for message in messages).casefold()
    return {
        "conversation_id": row.id,
        "seen": row.updated,
        "is_demo": row.is_demo,
        "created": row.created,
        "turns": len(own),
        "disliked": -1 in thumbs,
        "liked": 1 in thumbs,
        "repeated": is_repeated([*earlier, *_asked(own, replies)], len(earlier)),
        "handed": is_handed or any(m.action == Action.HANDOFF for m in replies),
        "declined": any(m.action == Action.DECLINE for m in replies),
        "thanked": any(m.action == Action.SMALL_TALK and m.reason == "thanks" for m in replies),
        "pending": bool(said) and said[-1].role == "user",
        "mood": next((mood for mood in MOODS if mood in moods), ""),
        "slowest": max(waits, default=0.0),
        "first_words": as_list(waits),
        "intents": as_list(_distinct(replies, "intent")),
        "actions": as_list(_distinct(replies, "action")),
        "strategies": as_list(_distinct(replies, "strategy")),
        "languages": as_list(_distinct(replies, "language")),
        "question": own[0].text[:BEGINNING] if own else "",
        "said": texts,
    }


def _asked(own: Sequence[Any], replies: Sequence[Any]) -> list[Asked]:
    """Return the questions that got a reply; thanks and greetings are none."""
    answered = {m.answers for m in replies if m.action != Action.SMALL_TALK}
    return [Asked(m.text, m.created) for m in own if m.id in answered]


def _distinct(replies: Sequence[Any], name: str) -> list[str]:
    return sorted({value for reply in replies if (value := getattr(reply, name))})
