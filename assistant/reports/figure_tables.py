"""The figures of a period as CSV and as text, each with that of the period before."""

from collections.abc import Iterator, Mapping

from assistant.company import People
from assistant.reports.csv_cells import csv_pieces
from assistant.reports.figures import Figures, compared
from assistant.reports.period import Period
from assistant.store.database import Database


def figures_csv(
    database: Database, values: Mapping[str, str], people: People | None
) -> Iterator[str]:
    """Yield the figures of the period that an address asks for as pieces of CSV.

    Args:
        database: An open database.
        values: ``days``, or ``from`` and ``to``; ``demo`` as "1" for invented conversations.
        people: The company's people, whose zone and hours count.
    """
    is_demo = values.get("demo") == "1"
    now, before = compared(database, Period.of(values, people), people, demo=is_demo)
    return csv_pieces(["figure", _days(now), _days(before)], rows(now, before))


def rows(now: Figures, before: Figures) -> Iterator[tuple[str, float | None, float | None]]:
    """Yield each figure's name, its value in a period, and in the period before."""
    for (name, value), (_, earlier) in zip(now.rows(), before.rows(), strict=True):
        yield name, _rounded(value), _rounded(earlier)


def _rounded(value: float | None) -> float | None:
    return round(value, 1) if isinstance(value, float) else value


def _days(figures: Figures) -> str:
    return f"{figures.period.first} to {figures.period.last}"
