"""Reads files of one JSON value a line that the project itself wrote, or public data."""

import json
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
