"""Spreadsheets → Markdown: each row with its headers, each table under its caption."""

import io
import re
from collections.abc import Iterator
from typing import Any

from knowledge.errors import DocumentError
from knowledge.readers.document import Document, Limits
from knowledge.readers.table_lines import table_lines

Grid = list[list[str]]

_NUMBER = re.compile(r"[-+(]?[£$€¥]?\d[\d.,]*\s?%?\)?")
# A header names at least this share of its columns; fewer cells are a caption.
HEADER_SHARE = 0.5
MAX_HEADER_ROWS = 4


def read_sheets(raw: bytes, _limits: Limits) -> Document:
    """Return a workbook's sheets, each under its name; tables on one sheet are kept apart.

    Raises:
        DocumentError: It is broken or encrypted.
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
    """Cut a sheet at its empty rows; a header that stands apart goes with the rows below it."""
    head: Grid = []
    for block in _runs(grid):
        if not head and _columns(block) > 1 and not _has_figures(block):
            head = block
            continue
        if head and not _has_figures(block):
            yield from _beside(head)
            head = []
        yield from _beside([*head, *block])
        head = []
    if head:
        yield from _beside(head)


def _beside(block: Grid) -> Iterator[Grid]:
    """Cut a block at its empty columns, unless what stands there goes on with the same rows."""
    parts = list(_runs([list(column) for column in zip(*block, strict=True)]))
    rows = [{n for column in part for n, cell in enumerate(column) if cell} for part in parts]
    body = {n for n, row in enumerate(block) if any(_NUMBER.fullmatch(cell) for cell in row)}
    if body and all(found & body == body for found in rows):
        parts = [[column for part in parts for column in part]]
    for part in parts:
        yield [list(row) for row in zip(*part, strict=True) if any(row)]


def _runs(lines: Grid) -> Iterator[Grid]:
    run: Grid = []
    for line in [*lines, []]:
        if any(line):
            run.append(line)
        elif run:
            yield run
            run = []


def _columns(block: Grid) -> int:
    return max(len({cell for cell in row if cell}) for row in block)


def _has_figures(block: Grid) -> bool:
    return any(_NUMBER.fullmatch(cell) for row in block for cell in row)


def _rendered(table: Grid) -> str:
    """Return a table's caption as a heading, and its rows as lines."""
    if _columns(table) == 1:
        return "\n".join(dict.fromkeys(cell for row in table for cell in row if cell))
    first = next((n for n, row in enumerate(table) if _has_figures([row])), 1)
    head = table[: max(1, min(first, MAX_HEADER_ROWS))]
    wide = [row for row in head if sum(map(bool, row)) >= HEADER_SHARE * len(row)]
    wide = [row for row in wide if len(set(filter(None, row))) > 1]
    caption = dict.fromkeys(cell for row in head if row not in wide for cell in row if cell)
    names = [" ".join(dict.fromkeys(filter(None, column))) for column in zip(*wide, strict=True)]
    lines = table_lines([*([names] if names else []), *table[len(head) :]])
    return "\n\n".join([*([f"### {', '.join(caption)}"] if caption else []), "\n".join(lines)])
