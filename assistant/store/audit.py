"""Keeps who did what, for those who must account for it; nothing of what was said."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from assistant.store.database import Database
from assistant.store.tables import AuditRow, now

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# How long it is kept: longer than conversations, whose deletion it tells of.
KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that somebody did."""

    created: datetime
    who: str
    did: str
    on: str


# Some deeds, and how many there are in all.
Found = tuple[list[Deed], int]


class Audit:
    """Keeps deeds."""

    def __init__(self, database: Database) -> None:
        """Take an open database."""
        self._database = database

    def note(self, who: str, did: str, on: str = "") -> None:
        """Keep what somebody did.

        Args:
            who: The name of a user or key, or local.
            did: What, such as "take".
            on: What it was done to: a conversation's id, a handoff's number, a name.

        Raises:
            StoreError: It cannot be kept.
        """
        with self._database.write() as session:
            session.add(AuditRow(created=now(), who=who, did=did, on=on))

    def find(self, who: str = "", did: str = "", *, skip: int = 0, count: int = 50) -> Found:
        """Return deeds, the latest first, and how many there are in all.

        Args:
            who: Whose alone; "" for all.
            did: What alone, such as take; "" for all.
            skip: How many of the latest are left out.
            count: How many come at most.
        """
        from sqlalchemy import func, select

        wanted = [AuditRow.who == who] if who else []
        wanted += [AuditRow.did == did] if did else []
        latest = select(AuditRow).where(*wanted).order_by(AuditRow.id.desc())
        with self._database.read() as session:
            rows = session.scalars(latest.offset(skip).limit(count))
            deeds = [Deed(row.created, row.who, row.did, row.on) for row in rows]
            total = session.scalar(select(func.count()).select_from(AuditRow).where(*wanted))
        return deeds, int(total or 0)

    def names(self) -> tuple[list[str], list[str]]:
        """Return who did anything, and what was done, each in order."""
        from sqlalchemy import select

        with self._database.read() as session:
            who, did = (
                list(session.scalars(select(column).distinct().order_by(column)))
                for column in (AuditRow.who, AuditRow.did)
            )
        return who, did

    def latest(self, count: int = 100) -> list[Deed]:
        """Return the last deeds, the latest first."""
        from sqlalchemy import select

        with self._database.read() as session:
            rows = session.scalars(select(AuditRow).order_by(AuditRow.id.desc()).limit(count))
            return [Deed(row.created, row.who, row.did, row.on) for row in rows]


def forget_deeds(session: "Session") -> None:
    """Delete the deeds that are too old."""
    from sqlalchemy import delete

    session.execute(delete(AuditRow).where(AuditRow.created < now() - KEPT))
