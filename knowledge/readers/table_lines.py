"""Writes the tables of documents as list items that make sense on their own."""

import itertools
import re
from collections.abc import Iterable, Sequence


def table_lines(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return one list item per row, in which each cell keeps its column's header.

    A row then means the same wherever the text is cut: ``- Service: Spare card; Fee: £5``. If the
    first row has figures, the table has no header, and the items contain the cells alone.

    Args:
        rows: The cells of each row, which may differ in number; the header first.
    """
    cleaned = [[re.sub(r"\s+", " ", cell).strip() for cell in row] for row in rows]
    filled = [row for row in cleaned if any(row)]
    # A single cell above the header, or one that spans the table, is a caption.
    caption = list(itertools.takewhile(lambda row: len(set(filter(None, row))) == 1, filled))
    if len(caption) == len(filled):
        return [cell for row in filled for cell in dict.fromkeys(filter(None, row))]
    header, *body = filled[len(caption) :]
    titles = [next(filter(None, row)) for row in caption]
    if body and _is_header(header):
        return titles + [_line(header, row) for row in body]
    return titles + [_line([], row) for row in [header, *body]]


def _is_header(header: Sequence[str]) -> bool:
    # A header may have an empty cell, but it names most columns and has no figure.
    names = [cell for cell in header if cell]
    return len(names) > len(header) / 2 and not any(_is_figure(cell) for cell in names)


def _is_figure(cell: str) -> bool:
    # Years can be the names of columns, and so can anything with a letter ("Q3").
    year = re.fullmatch(r"(19|20)\d\d([-/]\d{2,4})?", cell)
    return bool(re.search(r"\d", cell)) and not year and not re.search(r"[^\W\d_]", cell)


def _line(header: Sequence[str], row: Sequence[str]) -> str:
    names = [*header, *[""] * len(row)]
    named = zip(names, row, strict=False)
    return "- " + "; ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)
