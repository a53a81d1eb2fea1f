"""Markdown tables in an article's text: which lines are rows, and how a row reads aloud."""

import re
from collections import Counter
from collections.abc import Sequence

# What may name a column: a word in Latin letters, or two Chinese characters.
_NAMING = re.compile(r"[a-z0-9]{3,}|[\u4e00-\u9fff]{2}")
_CURRENCY = re.compile(r"[£€$¥]")
_AMOUNT = re.compile(r"\d[\d,.]*")
_DELIMITER = re.compile(r"\|?[\s:|-]*-[\s:|-]*\|[\s:|-]*")


def is_row(line: str) -> bool:
    """Return whether a line belongs to a table: as its header, delimiter or a row."""
    return line.strip().startswith("|") and line.strip().endswith("|")


def is_delimiter(line: str) -> bool:
    """Return whether a line is the row of dashes below a table's header."""
    return is_row(line) and _DELIMITER.fullmatch(line.strip()) is not None


def cells(row: str) -> list[str]:
    """Return the cells of a row without the bars."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def header_of(text: str, position: int) -> list[str]:
    """Return the header of the table that has a row at a position.

    Args:
        text: Markdown.
        position: The offset of the first character of a line.

    Returns:
        The header's cells; [] if the line is no row or its table has no header above it.
    """
    if not is_row(text[position:].split("\n", 1)[0]):
        return []
    lines = text[:position].split("\n")[:-1]
    for line, before in zip(reversed(lines), [*reversed(lines[:-1]), ""], strict=False):
        if not is_row(line):
            break
        if is_delimiter(line):
            return cells(before)
    return []


def read_row(row: str, header: list[str], asked: str = "") -> str:
    """Return a row as a person would say it: "Free cash: Standard £200, Plus £600".

    Args:
        row: A line of a table.
        header: The cells of the table's header. They are used if the row has as many cells.
        asked: The customer's question: of several columns, those that it names are read alone.
    """
    first, *rest = cells(row)
    if len(header) == len(rest) + 1:
        columns = asked_columns(header[1:], asked)
        named = zip(header[1:], rest, strict=True)
        rest = [_named(name, cell) for name, cell in named if cell and name in columns]
    colon, comma = ("：", "，") if re.search(r"[\u4e00-\u9fff]", row) else (": ", ", ")
    return f"{first}{colon}{comma.join(rest)}" if any(rest) else first


def _named(name: str, cell: str) -> str:
    # Below "£" stand amounts, but a share is none, and some cells name their unit themselves.
    if _CURRENCY.fullmatch(name):
        return f"{name}{cell}" if _AMOUNT.fullmatch(cell) else cell
    return f"{name} {cell}".strip()


def asked_columns(columns: Sequence[str], asked: str) -> list[str]:
    """Return the columns that a question names by a word that no other column has; or all.

    Args:
        columns: Their names.
        asked: The question.
    """
    words = {name: set(_NAMING.findall(name.lower())) for name in columns}
    counts = Counter(word for own in words.values() for word in own)
    lowered = asked.lower()
    named = [
        name
        for name, own in words.items()
        if any(counts[word] == 1 and _has_word(lowered, word) for word in own)
    ]
    return named or list(columns)


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text) is not None
