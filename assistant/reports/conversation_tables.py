"""The list of conversations as CSV."""

import dataclasses
from collections.abc import Iterator, Mapping

from assistant.company import People
from assistant.reports.conversation_list import Found, Wanted, every
from assistant.reports.csv_cells import csv_pieces
from assistant.store.database import Database


def conversations_csv(
    database: Database, values: Mapping[str, str], people: People | None
) -> Iterator[str]:
    """Yield the conversations that an address asks for as pieces of CSV.

    Args:
        database: An open database.
        values: The filters by name, ``sort``, and ``demo`` as "1" for invented ones.
        people: The company's people, whose zone counts for days.
    """
    sort = values.get("sort", "-created")
    wanted = Wanted(values, people, values.get("demo") == "1", sort)
    names = [field.name for field in dataclasses.fields(Found)]
    rows = ([_plain(getattr(row, name)) for name in names] for row in every(database, wanted))
    return csv_pieces(names, rows)


def _plain(value: object) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else value
