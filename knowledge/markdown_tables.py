"""Markdown tables in an article's text: which lines are rows, and how a row reads aloud."""

import re

_DELIMITER = re.compile(r"\|?[\s:|-]*-[\s:|-]*\|[\s:|-]*")


def is_row(line: str) -> bool:
    """Tell whether a line is a row of a table, its head and delimiter included."""
    return line.strip().startswith("|") and line.strip().endswith("|")


def is_delimiter(line: str) -> bool:
    """Tell whether a line is the one of dashes below a table's head."""
    return is_row(line) and _DELIMITER.fullmatch(line.strip()) is not None


def cells(row: str) -> list[str]:
    """Return the cells of a row without the bars."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def header_of(text: str, position: int) -> list[str]:
    """Return the head of the table that has a row at a position; [] where there is none."""
    head: list[str] = []
    if not is_row(text[position:].split("\n", 1)[0]):
        return head
    lines = text[:position].split("\n")[:-1]
    for line, before in zip(reversed(lines), [*reversed(lines[:-1]), ""], strict=False):
        if not is_row(line):
            break
        if is_delimiter(line):
            head = cells(before)
            break
    return head


def read_row(row: str, head: list[str]) -> str:
    """Return a row as a person would say it: "Free cash: Standard £200, Plus £600"."""
    first, *rest = cells(row)
    if len(rest) > 1 and len(head) == len(rest) + 1:
        rest = [f"{name} {cell}" for name, cell in zip(head[1:], rest, strict=True)]
    colon, comma = ("：", "，") if re.search(r"[\u4e00-\u9fff]", row) else (": ", ", ")
    return f"{first}{colon}{comma.join(rest)}" if rest else first
