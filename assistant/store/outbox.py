"""Keeps what another system is to be told of handoffs, until that system has it."""

import json
import random
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from assistant.message.safety import mask
from assistant.store.database import Database
from assistant.store.handoff import Handoff
from assistant.store.tables import OutboxRow, now

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# How long after each failed attempt the next one comes, in seconds: about two days together.
BACK_OFF = (5, 30, 120, 600, 3600, 6 * 3600, 16 * 3600, 24 * 3600)
# Each wait is up to so much shorter or longer: what failed together is not tried together.
JITTER = 0.2
# How long a process has for an attempt before another one may try. An attempt takes less.
CLAIM = timedelta(minutes=3)
# What goes out of a summary; whatever else one may hold stays here.
TOLD = ("wanted", "tried", "intent", "sentiment", "language")


@dataclass(frozen=True, slots=True)
class Event:
    """Something to be told.

    Attributes:
        id: The same at each attempt.
        body: The JSON.
        attempts: How often it was tried, with the attempt that it was claimed for.
    """

    id: str
    body: str
    attempts: int


class Outbox:
    """Keeps events."""

    def __init__(self, database: Database) -> None:
        """Take an open database."""
        self._database = database

    def tell(self, session: "Session", kind: str, handoff: Handoff) -> None:
        """Keep an event together with what caused it.

        Args:
            session: The one in which the handoff changes: both are kept, or neither.
            kind: handoff.opened, handoff.late or handoff.ended.
            handoff: The handoff as it is now.
        """
        row = OutboxRow(
            id=uuid.uuid4().hex, conversation_id=handoff.conversation, body=_body(kind, handoff),
            created=now(), attempts=0, due=now(),
        )  # fmt: skip
        session.add(row)

    def claim(self) -> Event | None:
        """Return an event that is due; no other process gets it while this one tries.

        Raises:
            StoreError: The database cannot be read or written.
        """
        from sqlalchemy import select

        wanted = (
            select(OutboxRow)
            .where(OutboxRow.sent.is_(None), OutboxRow.given_up.is_(None), OutboxRow.due <= now())
            .order_by(OutboxRow.due)
            .limit(1)
        )
        with self._database.read() as session:  # which keeps nobody from writing
            if session.scalars(wanted).first() is None:
                return None
        with self._database.write() as session:
            row = session.scalars(wanted.with_for_update(skip_locked=True)).first()
            if row is None:
                return None
            row.attempts += 1
            row.due = now() + CLAIM
            return Event(row.id, row.body, row.attempts)

    def sent(self, event: Event) -> None:
        """Note that an event arrived."""
        with self._database.write() as session:
            row = session.get(OutboxRow, event.id)
            if row:  # its conversation may have been deleted meanwhile
                row.sent = now()

    def failed(self, event: Event) -> bool:
        """Note that an attempt failed; return whether it was the last one."""
        with self._database.write() as session:
            row = session.get(OutboxRow, event.id)
            if row is None or row.attempts != event.attempts:  # somebody else tries already
                return False
            if event.attempts > len(BACK_OFF):
                row.given_up = now()
                return True
            wait = BACK_OFF[event.attempts - 1]
            chance = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # no secret
            row.due = now() + timedelta(seconds=wait * chance)
            return False


def _body(kind: str, handoff: Handoff) -> str:
    summary = {name: handoff.summary[name] for name in TOLD if name in handoff.summary}
    data = {
        "handoff": handoff.id,
        "conversation_id": handoff.conversation,
        "reason": handoff.reason,
        "urgent": handoff.urgent,
        "state": handoff.state,
        "summary": _masked(summary),
    }
    event = {"type": kind, "timestamp": now().isoformat(), "data": data}
    return json.dumps(event, ensure_ascii=False)


def _masked(value: Any) -> Any:
    """Return a value of JSON with personal data masked in each of its texts."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_masked(one) for one in value]
    if isinstance(value, dict):
        return {name: _masked(one) for name, one in value.items()}
    return value
