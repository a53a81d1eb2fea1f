"""Rows as CSV that a spreadsheet opens without running what customers typed."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

# What makes a cell a formula, for some spreadsheet; a tab or a line's end may stand before it.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# How many rows are given at a time.
AT_ONCE = 200
# Spreadsheets read UTF-8 by this mark alone.
MARK = "\ufeff"


def cell(value: object) -> str:
    """Return a value as a cell: text that would begin a formula has an apostrophe before it."""
    if value is None:
        return ""
    text = str(value)
    is_number = isinstance(value, int | float)
    return f"'{text}" if text.startswith(_STARTS) and not is_number else text


def csv_pieces(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield a table as pieces of CSV in UTF-8 with its mark.

    Args:
        titles: The headings.
        rows: The values of each row.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    out.write(MARK)
    writer.writerow([cell(title) for title in titles])
    for number, row in enumerate(rows, 1):
        writer.writerow([cell(value) for value in row])
        if number % AT_ONCE == 0:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()
