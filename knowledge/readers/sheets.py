"""Converts spreadsheets to Markdown: each row with its headers, each table under its caption."""

import io
import re
from collections.abc import Iterator
from typing import Any

from knowledge.errors import DocumentError
from knowledge.readers.document import Document, Limits
from knowledge.readers.table_lines import table_lines

Grid = list[list[str]]

_NUMBER = re.compile(r"[-+(]?[£$€¥]?\d[\d.,]*\s?%?\)?")
# A row of a header names at least this share of the columns; a row with fewer is a caption.
HEADER_SHARE = 0.5
MAX_HEADER_ROWS = 4


def read_sheets(raw: bytes, _limits: Limits) -> Document:
    """Return a workbook's sheets, each under its name; the tables of a sheet stay separate.

    Raises:
        DocumentError: The file is broken or encrypted.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        sheets = [(name, _grid(book.get_sheet_by_name(name))) for name in book.sheet_names]
    except PasswordError:
        raise DocumentError("it is encrypted with a password; save it without one") from None
    except CalamineError as error:
        raise DocumentError(f"it is broken: {error}") from None
    parts = []
    for name, grid in sheets:
        tables = [text for table in _tables(grid) if (text := _rendered(table))]
        if tables:
            parts.append("\n\n".join([f"## {name}", *tables]))
    return Document("\n\n".join(parts))


def _grid(sheet: Any) -> Grid:
    rows = [[_value(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or []:
        # A merged header names every column below it.
        for row in rows[top : bottom + 1]:
            row[left : right + 1] = [rows[top][left]] * (right + 1 - left)
    return rows


def _value(cell: Any) -> str:
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else f"{cell:.10g}"
    return " ".join(str(cell).split())


def _tables(grid: Grid) -> Iterator[Grid]:
    """Split a sheet at empty rows; a header followed by an empty row stays with the rows below."""
    header: Grid = []
    for block in _runs(grid):
        if not header and _columns(block) > 1 and not _has_figures(block):
            header = block
            continue
        if header and not _has_figures(block):
            yield from _side_by_side(header)
            header = []
        yield from _side_by_side([*header, *block])
        header = []
    if header:
        yield from _side_by_side(header)


def _side_by_side(block: Grid) -> Iterator[Grid]:
    """Split a block at empty columns, unless every part has a cell in each row with figures."""
    parts = list(_runs([list(column) for column in zip(*block, strict=True)]))
    filled = [{n for column in part for n, cell in enumerate(column) if cell} for part in parts]
    body = {n for n, row in enumerate(block) if _has_figures([row])}
    if body and all(body <= rows for rows in filled):
        parts = [[column for part in parts for column in part]]
    for part in parts:
        yield [list(row) for row in zip(*part, strict=True) if any(row)]


def _runs(lines: Grid) -> Iterator[Grid]:
    """Yield the groups of lines between empty lines."""
    run: Grid = []
    for line in [*lines, []]:
        if any(line):
            run.append(line)
        elif run:
            yield run
            run = []


def _columns(block: Grid) -> int:
    """Return the largest number of different cells in a row."""
    return max(len({cell for cell in row if cell}) for row in block)


def _has_figures(block: Grid) -> bool:
    return any(_NUMBER.fullmatch(cell) for row in block for cell in row)


def _rendered(table: Grid) -> str:
    """Return a table's caption as a heading, and its rows as lines."""
    if _columns(table) == 1:
        return "\n".join(dict.fromkeys(cell for row in table for cell in row if cell))
    first = next((n for n, row in enumerate(table) if _has_figures([row])), 1)
    top = table[: max(1, min(first, MAX_HEADER_ROWS))]
    header = [row for row in top if _names_columns(row)]
    caption = dict.fromkeys(cell for row in top if row not in header for cell in row if cell)
    names = [" ".join(dict.fromkeys(filter(None, column))) for column in zip(*header, strict=True)]
    lines = table_lines([*([names] if names else []), *table[len(top) :]])
    return "\n\n".join([*([f"### {', '.join(caption)}"] if caption else []), "\n".join(lines)])


def _names_columns(row: list[str]) -> bool:
    return sum(map(bool, row)) >= HEADER_SHARE * len(row) and len(set(filter(None, row))) > 1
