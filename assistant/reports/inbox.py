"""Who waits for a person and how long, who has which conversation, and what sleeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from assistant.store.database import Database
from assistant.store.handoff import ELSEWHERE, OPEN, Handoff, handoff_of
from assistant.store.tables import ConversationRow, HandoffRow, MessageRow, now

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

VIEWS = ("open", "mine", "snoozed", "ended")
# Until when a conversation can sleep.
SNOOZES = ("half_hour", "two_hours", "tomorrow")
MORNING = 9


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the inbox.

    Attributes:
        handoff: The handoff.
        since: Since when the customer waits for an answer, in UTC; None if they have one.
        last: The last thing that the customer said.
    """

    handoff: Handoff
    since: datetime | None
    last: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """What an inbox shows.

    Attributes:
        entries: Its lines: the urgent first, then who waits longest; of what ended, the latest.
        total: How many there are in all.
        waiting: How many nobody has taken, wherever one looks; those that sleep do not count.
    """

    entries: Sequence[Entry]
    total: int
    waiting: int


def inbox(
    database: Database,
    view: str = "open",
    agent: str = "",
    *,
    demo: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> Inbox:
    """Return an inbox.

    Args:
        database: An open database.
        view: One of ``VIEWS``.
        agent: Whose, in the view ``mine``.
        demo: Whether invented conversations are shown, instead of real ones.
        limit: How many lines at most.
        offset: How many are left out before them.

    Raises:
        StoreError: It cannot be read.
    """
    from sqlalchemy import func, select
    from sqlalchemy.orm import contains_eager

    ours = (ConversationRow.is_demo.is_(demo), HandoffRow.agent != ELSEWHERE)
    wanted = (*ours, *_wanted(view, agent))
    counted = select(func.count()).select_from(HandoffRow).join(HandoffRow.conversation)
    with database.read() as session:
        rows = session.scalars(
            select(HandoffRow)
            .join(HandoffRow.conversation)
            .options(contains_eager(HandoffRow.conversation))
            .where(*wanted)
            .order_by(*_order(view))
            .limit(limit)
            .offset(offset)
        ).all()
        said = _last_said(session, [row.conversation_id for row in rows])
        waits = (*ours, *_wanted("open", ""), HandoffRow.state == "waiting")
        return Inbox(
            [_entry(handoff_of(row), said.get(row.conversation_id, {})) for row in rows],
            session.scalar(counted.where(*wanted)) or 0,
            session.scalar(counted.where(*waits)) or 0,
        )


def wakes(choice: str, moment: datetime, zone: str = "UTC") -> datetime:
    """Return until when a conversation sleeps.

    Args:
        choice: One of ``SNOOZES``.
        moment: The time now, with its zone.
        zone: The company's, in which tomorrow begins.
    """
    if choice == "tomorrow":
        day = moment.astimezone(ZoneInfo(zone)) + timedelta(days=1)
        return day.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return moment + timedelta(minutes=30 if choice == "half_hour" else 120)


def has_contact(database: Database, conversation: str) -> bool:
    """Return whether a customer left a way to be reached."""
    from assistant.store.tables import ContactRow

    with database.read() as session:
        row = session.get(ContactRow, conversation)
        return row is not None and row.until > now()


def _wanted(view: str, agent: str) -> "tuple[ColumnElement[bool], ...]":
    from sqlalchemy import or_

    awake = or_(HandoffRow.snoozed.is_(None), HandoffRow.snoozed <= now())
    if view == "ended":
        return (HandoffRow.state.not_in(OPEN),)
    if view == "snoozed":
        return (HandoffRow.state.in_(OPEN), HandoffRow.snoozed > now())
    mine = (HandoffRow.agent == agent,) if view == "mine" else ()
    return (HandoffRow.state.in_(OPEN), awake, *mine)


def _order(view: str) -> tuple[Any, ...]:
    if view == "ended":
        return (HandoffRow.ended.desc(), HandoffRow.id.desc())
    return (HandoffRow.urgent.desc(), HandoffRow.created, HandoffRow.id)


def _last_said(
    session: "Session", conversations: Sequence[str]
) -> dict[str, dict[str, MessageRow]]:
    """Return the last message of the customer and of a person, by conversation and role."""
    from sqlalchemy import func, select

    last = (
        select(func.max(MessageRow.id))
        .where(
            MessageRow.conversation_id.in_(conversations), MessageRow.role.in_(("user", "person"))
        )
        .group_by(MessageRow.conversation_id, MessageRow.role)
    )
    found: dict[str, dict[str, MessageRow]] = {}
    for row in session.scalars(select(MessageRow).where(MessageRow.id.in_(last))):
        found.setdefault(row.conversation_id, {})[row.role] = row
    return found


def _entry(handoff: Handoff, said: Mapping[str, MessageRow]) -> Entry:
    asked, replied = said.get("user"), said.get("person")
    is_open = handoff.state in OPEN
    since = handoff.created if is_open and (replied is None or asked is None) else None
    if is_open and asked and replied and asked.id > replied.id:
        since = asked.created
    return Entry(handoff, since, asked.text if asked else "")
