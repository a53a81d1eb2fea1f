"""How a period went: what became of its conversations, how fast, and in which mood."""

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.company import People
from assistant.reports.opening_hours import OpeningHours
from assistant.reports.outcomes import OUTCOMES, outcome, tenths
from assistant.reports.period import Period
from assistant.store.database import Database
from assistant.store.handoff import ELSEWHERE
from assistant.store.summaries import MOODS, refresh
from assistant.store.tables import HandoffRow
from assistant.store.team_tables import SummaryRow


@dataclass(frozen=True, slots=True)
class Spread:
    """How a number is spread.

    Attributes:
        count: How many there are.
        median: Half of them are at most so large; None without any.
        p90: Nine in ten of them are at most so large; None without any.
    """

    count: int
    median: float | None
    p90: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of some numbers."""
        if not values:
            return cls(0, None, None)
        ordered = sorted(values)
        ninth = ordered[max(0, -(-9 * len(ordered) // 10) - 1)]
        return cls(len(ordered), statistics.median(ordered), ninth)


@dataclass(frozen=True, slots=True)
class Figures:
    """How the conversations went that began in a period.

    Attributes:
        period: The period.
        conversations: How many began.
        outcomes: How many of them had each of ``OUTCOMES``.
        moods: How many were in each of ``MOODS``; those without a reply in none.
        first_word: Seconds to the first word of each reply.
        to_person: Seconds from each handoff until a person took it, in opening hours.
        steps: The days or weeks of the period, each with its outcomes.
    """

    period: Period
    conversations: int
    outcomes: dict[str, int]
    moods: dict[str, int]
    first_word: Spread
    to_person: Spread
    steps: tuple[tuple[Period, dict[str, int]], ...] = ()

    @property
    def shares(self) -> dict[str, float]:
        """The outcomes in percent; they add up to 100."""
        return tenths(self.outcomes)

    @property
    def mood_shares(self) -> dict[str, float]:
        """The moods in percent of the conversations that have one."""
        return tenths(self.moods)

    def rows(self) -> Iterator[tuple[str, float | None]]:
        """Yield each figure with its name, as the command and the export list them."""
        yield "conversations", self.conversations
        for name, count in self.outcomes.items():
            yield name, count
            yield f"{name}_percent", self.shares[name]
        for name, count in self.moods.items():
            yield name, count
            yield f"{name}_percent", self.mood_shares[name]
        for name, spread in (("first_word", self.first_word), ("to_person", self.to_person)):
            yield f"{name}_count", spread.count
            yield f"{name}_median_seconds", spread.median
            yield f"{name}_p90_seconds", spread.p90


def figures(
    database: Database, period: Period, people: People | None, *, demo: bool = False
) -> Figures:
    """Return how the conversations went that began in a period.

    Args:
        database: An open database.
        period: The period.
        people: The company's people, whose opening hours count.
        demo: Whether those are meant that were invented, instead of the real ones.

    Raises:
        StoreError: The database cannot be read.
    """
    refresh(database)
    return _figures(database, period, people, demo=demo, has_steps=True)


def compared(
    database: Database, period: Period, people: People | None, *, demo: bool = False
) -> tuple[Figures, Figures]:
    """Return the figures of a period, and those of the period before, without its steps.

    Arguments and errors are those of ``figures``.
    """
    refresh(database)
    return (
        _figures(database, period, people, demo=demo, has_steps=True),
        _figures(database, period.before, people, demo=demo, has_steps=False),
    )


def _figures(
    database: Database, period: Period, people: People | None, *, demo: bool, has_steps: bool
) -> Figures:
    steps = period.steps if has_steps else [period]
    rows = _rows(database, period, steps, demo=demo)
    waits = "".join(row.first_words for row in rows).split()
    return Figures(
        period,
        sum(row.number for row in rows),
        _counted(OUTCOMES, "outcome", rows),
        _counted(MOODS, "mood", rows),
        Spread.of([float(wait) / 1000 for wait in waits]),
        Spread.of(_to_person(database, period, people, demo=demo)),
        tuple(_by_step(steps, rows)) if has_steps else (),
    )


def _in_period(period: Period, *, demo: bool) -> Any:
    row = SummaryRow
    begun = (row.created >= period.begins, row.created < period.ends)
    return (row.is_demo == demo) & begun[0] & begun[1]


def _rows(
    database: Database, period: Period, steps: Sequence[Period], *, demo: bool
) -> Sequence[Any]:
    """Return how many conversations there are of each step, outcome and mood."""
    from sqlalchemy import case, func, literal, select

    groups = [outcome().label("outcome"), SummaryRow.mood, literal(0).label("step")]
    if len(steps) > 1:
        ends = ((SummaryRow.created < step.ends, place) for place, step in enumerate(steps))
        groups[-1] = case(*ends).label("step")
    grouped = (
        select(*groups, SummaryRow.first_words).where(_in_period(period, demo=demo)).subquery()
    )
    columns = (grouped.c.outcome, grouped.c.mood, grouped.c.step)
    waits = func.aggregate_strings(grouped.c.first_words, "").label("first_words")
    query = select(*columns, func.count().label("number"), waits).group_by(*columns)
    with database.read() as session:
        return session.execute(query).all()


def _counted(names: Sequence[str], column: str, rows: Sequence[Any]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[getattr(row, column)] += row.number
    return {name: counts[name] for name in names}


def _to_person(
    database: Database, period: Period, people: People | None, *, demo: bool
) -> list[float]:
    """Return the seconds until people took what was handed to them; of those taken alone."""
    from sqlalchemy import select

    query = (
        select(HandoffRow.created, HandoffRow.taken)
        .join(SummaryRow, SummaryRow.conversation_id == HandoffRow.conversation_id)
        .where(_in_period(period, demo=demo))
        .where(HandoffRow.taken.is_not(None), HandoffRow.agent != ELSEWHERE)
    )
    with database.read() as session:
        taken = [(since, until) for since, until in session.execute(query) if until]
    if not taken:
        return []
    first, last = min(since for since, _ in taken), max(until for _, until in taken)
    hours = OpeningHours(people, first, last)
    return [hours.seconds(since, until) for since, until in taken]


def _by_step(
    steps: Sequence[Period], rows: Sequence[Any]
) -> Iterator[tuple[Period, dict[str, int]]]:
    for place, step in enumerate(steps):
        yield step, _counted(OUTCOMES, "outcome", [row for row in rows if row.step == place])
