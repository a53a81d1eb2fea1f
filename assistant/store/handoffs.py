"""Keeps which conversations wait for a person, and who has which."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from assistant.errors import HandoffError
from assistant.store.database import Database
from assistant.store.handoff import ELSEWHERE, OPEN, Handoff, handoff_of
from assistant.store.summaries import forget_summary
from assistant.store.tables import ConversationRow, HandoffRow, UserRow, conversation_row, now

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

# How a conversation may have ended.
OUTCOMES = ("solved", "not_solved", "no_answer", "spam")
# How long an agent is taken to be typing after the last sign of it.
TYPING = timedelta(seconds=6)
# The last handoffs whose waiting times tell how long it usually takes.
USUAL = 20


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
                return handoff_of(known), False
            row = HandoffRow(
                conversation_id=conversation, state="waiting", reason=reason, urgent=urgent,
                summary=summary, created=now(), agent="",
            )  # fmt: skip
            if is_elsewhere:
                row.state, row.agent, row.taken = "taken", ELSEWHERE, now()
            session.add(row)
            session.flush()
            forget_summary(session, conversation)
            self._told(session, "handoff.opened", row)
            return handoff_of(row), True

    def of(self, conversation: str) -> Handoff | None:
        """Return the open handoff of a conversation, if there is one."""
        with self._database.read() as session:
            row = self._open_one(session, conversation)
            return handoff_of(row) if row else None

    def all(self, states: Sequence[str] = OPEN) -> list[Handoff]:
        """Return the real ones in some states: the urgent ones first, then who waits longest."""
        from sqlalchemy import select
        from sqlalchemy.orm import selectinload

        with self._database.read() as session:
            wanted = select(HandoffRow).where(HandoffRow.state.in_(states), _is_real())
            wanted = wanted.options(selectinload(HandoffRow.conversation))
            ordered = wanted.order_by(HandoffRow.urgent.desc(), HandoffRow.created)
            return [handoff_of(row) for row in session.scalars(ordered)]

    def take(self, number: int, agent: str) -> Handoff:
        """Give a conversation to an agent; to the same one again changes nothing.

        Raises:
            HandoffError: It does not exist, has ended, or is another agent's.
        """

        def change(row: HandoffRow) -> None:
            row.state, row.agent, row.snoozed = "taken", agent, None
            row.taken = row.taken or now()

        return self._changed(number, agent, change)

    def give_back(self, number: int, agent: str) -> Handoff:
        """Let the assistant answer again. Raises as ``take``."""
        return self._end(number, agent, "returned")

    def close(self, number: int, agent: str, outcome: str = "") -> Handoff:
        """Note that all is done; the assistant answers what comes next. Raises as ``take``.

        Args:
            number: Its number.
            agent: Who closes it.
            outcome: How it ended, such as one of ``OUTCOMES``; "" for nothing said.
        """
        return self._end(number, agent, "closed", outcome)

    def assign(self, number: int, agent: str, to: str, *, of_others: bool = False) -> Handoff:
        """Give a conversation to somebody who may sign in.

        Args:
            number: Its number.
            agent: Who gives it away.
            to: Who gets it.
            of_others: Whether ``agent`` may give away what others have.

        Raises:
            HandoffError: As ``take``, or nobody of that name may sign in.
        """

        def change(row: HandoffRow) -> None:
            row.state, row.agent, row.typing, row.snoozed = "taken", to, None, None
            row.taken = row.taken or now()

        def must_sign_in(session: "Session") -> None:
            if session.get(UserRow, to) is None:
                raise HandoffError(f"Expected the name of somebody who may sign in, found {to!r}.")

        return self._changed(number, None if of_others else agent, change, check=must_sign_in)

    def snooze(self, number: int, agent: str, until: datetime) -> Handoff:
        """Keep a conversation out of the inbox until then, or until the customer writes.

        Args:
            number: Its number.
            agent: Who has it, if anybody has.
            until: A time with its zone, in the future.

        Raises: as ``take``.
        """

        def change(row: HandoffRow) -> None:
            row.snoozed = until.astimezone(UTC)

        return self._changed(number, agent, change)

    def read(self, number: int) -> Handoff | None:
        """Return a handoff, whoever has it and however it ended; None if there is none."""
        with self._database.read() as session:
            row = session.get(HandoffRow, number)
            return handoff_of(row) if row else None

    def type(self, number: int, agent: str) -> Handoff:
        """Note that the agent is typing. Raises as ``take``."""

        def change(row: HandoffRow) -> None:
            row.typing = now() + TYPING

        return self._changed(number, agent, change)

    def get(self, number: int, agent: str) -> Handoff:
        """Return a handoff that an agent has, or may take. Raises as ``take``."""
        return self._changed(number, agent, lambda _: None)

    def late(self, waiting: timedelta) -> list[Handoff]:
        """Return the real ones that nobody has taken for so long; each comes once.

        Args:
            waiting: How long.
        """
        from sqlalchemy import select

        with self._database.write() as session:
            rows = session.scalars(
                select(HandoffRow)
                .where(
                    _is_real(),
                    HandoffRow.state == "waiting",
                    HandoffRow.reminded.is_(None),
                    HandoffRow.created < now() - waiting,
                )
                .with_for_update(skip_locked=True)
            ).all()
            for row in rows:
                row.reminded = now()
                self._told(session, "handoff.late", row)
            return [handoff_of(row) for row in rows]

    def usual_wait(self) -> timedelta | None:
        """Return the median waiting time of the last handoffs; None before the first."""
        import statistics

        from sqlalchemy import select

        with self._database.read() as session:
            rows = session.execute(
                select(HandoffRow.created, HandoffRow.taken)
                .where(_is_real(), HandoffRow.taken.is_not(None), HandoffRow.agent != ELSEWHERE)
                .order_by(HandoffRow.id.desc())
                .limit(USUAL)
            ).all()
        waits = [(taken - created).total_seconds() for created, taken in rows if taken]
        return timedelta(seconds=statistics.median(waits)) if waits else None

    def _end(self, number: int, agent: str, state: str, outcome: str = "") -> Handoff:
        def change(row: HandoffRow) -> None:
            row.state, row.ended, row.typing = state, now(), None
            row.snoozed, row.outcome = None, outcome

        return self._changed(number, agent, change, "handoff.ended")

    def _changed(
        self,
        number: int,
        agent: str | None,
        change: Callable[[HandoffRow], None],
        event: str = "",
        check: "Callable[[Session], None]" = lambda _: None,
    ) -> Handoff:
        """Change an open handoff that is free or an agent's; with None, whoever has it."""
        with self._database.write() as session:
            check(session)
            row = session.get(HandoffRow, number, with_for_update=True)
            if row is None or row.state not in OPEN:
                raise HandoffError(f"Expected the number of an open handoff, found {number}.")
            if agent is not None and row.agent not in ("", agent):
                raise HandoffError(f"Expected a handoff that is free or yours; {row.agent} has it.")
            change(row)
            if event:
                self._told(session, event, row)
            return handoff_of(row)

    def _told(self, session: "Session", event: str, row: HandoffRow) -> None:
        # Of an invented conversation, no other system is told.
        if self._tell and not row.conversation.is_demo:
            self._tell(session, event, handoff_of(row))

    def _open_one(self, session: "Session", conversation: str) -> HandoffRow | None:
        from sqlalchemy import select

        wanted = (HandoffRow.conversation_id == conversation, HandoffRow.state.in_(OPEN))
        return session.scalars(select(HandoffRow).where(*wanted)).first()


def _is_real() -> "ColumnElement[bool]":
    """Return what is true of handoffs that were not invented."""
    from sqlalchemy import select

    demo = select(ConversationRow.id).where(ConversationRow.is_demo)
    return HandoffRow.conversation_id.not_in(demo)
