"""Keeps which conversations wait for a person, and who has which."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from assistant.errors import HandoffError
from assistant.store.database import Database
from assistant.store.tables import HandoffRow, conversation_row, now

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

OPEN = ("waiting", "taken")
# The channel whose people answer in the other system itself. They have a handoff at once, under
# this name, and when they answer is not known here.
ELSEWHERE = "chatwoot"
# How long an agent is taken to be typing after the last sign of it.
TYPING = timedelta(seconds=6)
# The last handoffs whose waiting times tell how long it usually takes.
USUAL = 20


@dataclass(frozen=True, slots=True)
class Handoff:
    """A conversation that waits for a person, or that one has.

    Attributes:
        id: Its number.
        conversation: The id of the conversation.
        state: waiting, taken, returned (the assistant has it again) or closed.
        reason: Why, as in a reply.
        urgent: Whether somebody may be in danger.
        summary: What is wanted and what was tried.
        created: Since when it waits, in UTC.
        agent: Who has it; "" while it waits.
        is_typing: Whether the agent is typing.
        customer: Who the customer is, as the company's site has signed; "" if it has not.
    """

    id: int
    conversation: str
    state: str
    reason: str
    urgent: bool
    summary: dict[str, Any]
    created: datetime
    agent: str
    is_typing: bool
    customer: str


# Keeps an event, such as handoff.opened, in the session in which a handoff changes.
Tell = Callable[["Session", str, Handoff], None]


class Handoffs:
    """Keeps handoffs."""

    def __init__(self, database: Database, tell: Tell | None = None) -> None:
        """Take an open database, and what keeps events for another system if one is told."""
        self._database, self._tell = database, tell

    def open(
        self, conversation: str, reason: str, summary: dict[str, Any], *, urgent: bool
    ) -> tuple[Handoff, bool]:
        """Return the open handoff of a conversation, and whether it is new.

        Args:
            conversation: The id of the conversation.
            reason: Why a person is needed, as in a reply.
            summary: What is wanted and what was tried.
            urgent: Whether somebody may be in danger.

        Raises:
            ConversationError: There is no such conversation.
            StoreError: It cannot be kept.
        """
        with self._database.write() as session:
            is_elsewhere = conversation_row(session, conversation).channel == ELSEWHERE
            known = self._open_one(session, conversation)
            if known:
                known.urgent = known.urgent or urgent
                return _handoff(known), False
            row = HandoffRow(
                conversation_id=conversation, state="waiting", reason=reason, urgent=urgent,
                summary=summary, created=now(), agent="",
            )  # fmt: skip
            if is_elsewhere:
                row.state, row.agent, row.taken = "taken", ELSEWHERE, now()
            session.add(row)
            session.flush()
            self._told(session, "handoff.opened", row)
            return _handoff(row), True

    def of(self, conversation: str) -> Handoff | None:
        """Return the open handoff of a conversation, if there is one."""
        with self._database.read() as session:
            row = self._open_one(session, conversation)
            return _handoff(row) if row else None

    def all(self, states: Sequence[str] = OPEN) -> list[Handoff]:
        """Return the handoffs in some states: the urgent ones first, then who waits longest."""
        from sqlalchemy import select
        from sqlalchemy.orm import selectinload

        with self._database.read() as session:
            wanted = select(HandoffRow).where(HandoffRow.state.in_(states))
            wanted = wanted.options(selectinload(HandoffRow.conversation))
            ordered = wanted.order_by(HandoffRow.urgent.desc(), HandoffRow.created)
            return [_handoff(row) for row in session.scalars(ordered)]

    def take(self, number: int, agent: str) -> Handoff:
        """Give a conversation to an agent; to the same one again changes nothing.

        Raises:
            HandoffError: It does not exist, has ended, or is another agent's.
        """

        def change(row: HandoffRow) -> None:
            row.state, row.agent = "taken", agent
            row.taken = row.taken or now()

        return self._changed(number, agent, change)

    def give_back(self, number: int, agent: str) -> Handoff:
        """Let the assistant answer again. Raises as ``take``."""
        return self._end(number, agent, "returned")

    def close(self, number: int, agent: str) -> Handoff:
        """Note that all is done; the assistant answers what comes next. Raises as ``take``."""
        return self._end(number, agent, "closed")

    def type(self, number: int, agent: str) -> Handoff:
        """Note that the agent is typing. Raises as ``take``."""

        def change(row: HandoffRow) -> None:
            row.typing = now() + TYPING

        return self._changed(number, agent, change)

    def get(self, number: int, agent: str) -> Handoff:
        """Return a handoff that an agent has, or may take. Raises as ``take``."""
        return self._changed(number, agent, lambda _: None)

    def late(self, waiting: timedelta) -> list[Handoff]:
        """Return those that nobody has taken for so long; each comes once.

        Args:
            waiting: How long.
        """
        from sqlalchemy import select

        with self._database.write() as session:
            rows = session.scalars(
                select(HandoffRow)
                .where(
                    HandoffRow.state == "waiting",
                    HandoffRow.reminded.is_(None),
                    HandoffRow.created < now() - waiting,
                )
                .with_for_update(skip_locked=True)
            ).all()
            for row in rows:
                row.reminded = now()
                self._told(session, "handoff.late", row)
            return [_handoff(row) for row in rows]

    def usual_wait(self) -> timedelta | None:
        """Return the median waiting time of the last handoffs; None before the first."""
        import statistics

        from sqlalchemy import select

        with self._database.read() as session:
            rows = session.execute(
                select(HandoffRow.created, HandoffRow.taken)
                .where(HandoffRow.taken.is_not(None), HandoffRow.agent != ELSEWHERE)
                .order_by(HandoffRow.id.desc())
                .limit(USUAL)
            ).all()
        waits = [(taken - created).total_seconds() for created, taken in rows if taken]
        return timedelta(seconds=statistics.median(waits)) if waits else None

    def _end(self, number: int, agent: str, state: str) -> Handoff:
        def change(row: HandoffRow) -> None:
            row.state, row.ended, row.typing = state, now(), None

        return self._changed(number, agent, change, "handoff.ended")

    def _changed(
        self, number: int, agent: str, change: Callable[[HandoffRow], None], event: str = ""
    ) -> Handoff:
        with self._database.write() as session:
            row = session.get(HandoffRow, number, with_for_update=True)
            if row is None or row.state not in OPEN:
                raise HandoffError(f"Expected the number of an open handoff, found {number}.")
            if row.agent not in ("", agent):
                raise HandoffError(f"Expected a handoff that is free or yours; {row.agent} has it.")
            change(row)
            if event:
                self._told(session, event, row)
            return _handoff(row)

    def _told(self, session: "Session", event: str, row: HandoffRow) -> None:
        if self._tell:
            self._tell(session, event, _handoff(row))

    def _open_one(self, session: "Session", conversation: str) -> HandoffRow | None:
        from sqlalchemy import select

        wanted = (HandoffRow.conversation_id == conversation, HandoffRow.state.in_(OPEN))
        return session.scalars(select(HandoffRow).where(*wanted)).first()


def _handoff(row: HandoffRow) -> Handoff:
    return Handoff(
        id=row.id,
        conversation=row.conversation_id,
        state=row.state,
        reason=row.reason,
        urgent=row.urgent,
        summary=row.summary,
        created=row.created,
        agent=row.agent,
        is_typing=row.typing is not None and row.typing > now(),
        customer=row.conversation.customer,
    )
