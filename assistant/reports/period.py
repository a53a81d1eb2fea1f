"""Periods of whole days, in the zone of the company's people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from assistant.company import People
from assistant.store.tables import now

# What can be chosen, in days; the first is what is shown unless something else is asked for.
DAYS = (7, 30, 90)
# The longest period: ten years of days.
LONGEST = 3660
WEEK = 7
# Up to so many days, a plot has a point for each day; above, one for each week.
DAILY = 31


@dataclass(frozen=True, slots=True)
class Period:
    """Days, the first and the last among them.

    Attributes:
        first: The first day.
        last: The last day, not before the first.
        zone: The time zone that the days are of.
    """

    first: date
    last: date
    zone: ZoneInfo

    @classmethod
    def of(cls, values: Mapping[str, str], people: People | None) -> Self:
        """Return the period that an address or a command asks for.

        Args:
            values: ``from`` and ``to`` as 2031-12-31, either alone too, or ``days``. What is no day
                or out of order is taken for the last seven days.
            people: The company's people, whose zone counts; UTC without them.
        """
        zone = ZoneInfo(people.timezone if people else "UTC")
        today = now().astimezone(zone).date()
        first, last = _day(values.get("from")), _day(values.get("to"))
        if first or last:
            last = last or today
            first = first or last - timedelta(days=DAYS[0] - 1)
            if first <= last and (last - first).days < LONGEST:
                return cls(first, last, zone)
        days = values.get("days", "")
        count = int(days) if days in {str(known) for known in DAYS} else DAYS[0]
        return cls(today - timedelta(days=count - 1), today, zone)

    @property
    def days(self) -> int:
        """How many days it has; at least one."""
        return (self.last - self.first).days + 1

    @property
    def begins(self) -> datetime:
        """Its first moment, in UTC."""
        return _midnight(self.first, self.zone)

    @property
    def ends(self) -> datetime:
        """The first moment after it, in UTC."""
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def before(self) -> Self:
        """The period of the same length just before."""
        length = timedelta(days=self.days)
        return type(self)(self.first - length, self.last - length, self.zone)

    @property
    def steps(self) -> list[Self]:
        """Its days, or its weeks where a plot of days would be too dense; the last may be short."""
        length = 1 if self.days <= DAILY else WEEK
        firsts = [self.first + timedelta(days=n) for n in range(0, self.days, length)]
        step = timedelta(days=length - 1)
        return [type(self)(first, min(first + step, self.last), self.zone) for first in firsts]

    @property
    def values(self) -> dict[str, str]:
        """What an address says for it."""
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


def day_begins(text: str, people: People | None, *, later: int = 0) -> datetime | None:
    """Return the first moment of a day such as 2031-12-31, or of a later one; None for no day."""
    day = _day(text)
    zone = ZoneInfo(people.timezone if people else "UTC")
    return _midnight(day + timedelta(days=later), zone) if day else None


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    # Room for a period before it, and a day after it.
    return day if 1900 < day.year < 9000 else None  # noqa: PLR2004


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
