"""What two versions of an article differ in, line by line."""

import difflib
from typing import Literal, NamedTuple

# Lines around a change that are shown with it.
AROUND = 3
# How what begins with the first line of either text is headed.
FIRST = ("@@ -0", "@@ -1 ", "@@ -1,")


class Line(NamedTuple):
    """A line of a difference: kept, added, gone, or the mark of lines that are left out."""

    kind: Literal["kept", "added", "gone", "left out"]
    text: str


def difference(before: str, after: str) -> list[Line]:
    """Return the lines in which two texts differ, with some around them; none if they do not."""
    kinds: dict[str, Literal["kept", "added", "gone"]] = {" ": "kept", "+": "added", "-": "gone"}
    lines: list[Line] = []
    unified = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=AROUND)
    for number, line in enumerate(unified):
        if number < 2:  # noqa: PLR2004  # the two lines that name files
            continue
        if line.startswith("@@"):
            is_left_out = lines or not line.startswith(FIRST)
            lines += [Line("left out", "…")] if is_left_out else []
        else:
            lines.append(Line(kinds[line[0]], line[1:]))
    return lines


def as_text(lines: list[Line]) -> str:
    """Return a difference as a terminal shows it."""
    marks = {"kept": "  ", "added": "+ ", "gone": "- ", "left out": "  "}
    return "\n".join(f"{marks[line.kind]}{line.text}" for line in lines)
