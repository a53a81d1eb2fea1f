"""Reads files of one JSON value a line that the project itself wrote, or public data."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def read_json_lines(file: Path) -> list[Any]:
    """Return the value of each line.

    Raises:
        OSError: There is no such file.
        ValueError: A line is no JSON; the message names it.
    """
    values = []
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                values.append(json.loads(line))
            except ValueError:
                raise ValueError(f"{file}:{number}: expected JSON, found {line[:80]!r}") from None
    return values


def read_labelled_lines(file: Path, key: str, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return the object of each line, of which one key holds a label.

    Raises:
        OSError: There is no such file.
        ValueError: A line is no JSON, or its label is unknown; the message names it.
    """
    rows: list[dict[str, Any]] = read_json_lines(file)
    for number, row in enumerate(rows, 1):
        if row[key] not in labels:
            raise ValueError(f"{file}:{number}: expected one of {labels}, found {row[key]!r}.")
    return rows
