"""The evaluations that were run here, over time: canned dialogues and question sets."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assistant.store.database import Database
from assistant.store.team_tables import RunRow

DIALOGUES, QUESTIONS = "dialogues", "questions"
# Before the kind of a run that was invented.
DEMO = "demo "
# Of each kind of evaluation: the part of its figures with a row for each set, the name of a row and
# the share that is drawn.
_PARTS = {
    DIALOGUES: ("dialogues", "dialogues", "passed"),
    QUESTIONS: ("summary", "set", "right"),
}
# How many runs are drawn.
LATEST = 50
# How far a bar of tqdm is: "dialogues:  40%|████      | 4/10 [00:02<00:03,  1.2dialogue/s]".
# Models draw bars, too, when they are loaded.
_BAR = re.compile(
    r"([^\r\n:]+):\s+\d+%\|[^|\r\n]*\| (\d+)/(\d+) \[[^\]\r\n]*(?:dialogue|question|conversation)"
)


@dataclass(frozen=True, slots=True)
class Point:
    """What one run found out about one set.

    Attributes:
        run: The number of the run.
        created: When it was started.
        name: The set, or the language of the dialogues.
        share: The share that was right, or passed, in [0, 1].
        interval: Its 95 % interval, as it was reported.
        wrong: The share that was answered wrongly; of dialogues, how many critical ones failed.
        declined: The share of unanswerable questions that was declined; None for dialogues.
    """

    run: int
    created: datetime
    name: str
    share: float
    interval: str
    wrong: float
    declined: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: what it is at, and how much of how much of that is done."""

    name: str
    done: int
    total: int


def evaluations(database: Database, kind: str, *, demo: bool = False) -> list[Point]:
    """Return what the last runs of a kind found out, the latest first.

    Args:
        database: An open database.
        kind: ``DIALOGUES`` or ``QUESTIONS``.
        demo: Whether invented runs are looked at, instead of real ones.
    """
    from sqlalchemy import select

    named = RunRow.kind == (f"{DEMO}{kind}" if demo else kind)
    wanted = select(RunRow).where(named).order_by(RunRow.id.desc()).limit(LATEST)
    with database.read() as session:
        return list(_points(session.scalars(wanted), kind))


def _points(runs: Iterable[RunRow], kind: str) -> Iterator[Point]:
    part, name, share = _PARTS[kind]
    for run in runs:
        for row in (run.result or {}).get(part, ()):
            called = _called(row, name, kind)
            place = (run.id, run.created, called, float(row[share]), str(row["interval"]))
            if kind == DIALOGUES:
                yield Point(*place, float(row["critical failed"]))
            else:
                wrong, declined = row["answered wrongly"], row["unanswerable declined"]
                yield Point(*place, float(wrong), float(declined))


def _called(row: dict[str, Any], name: str, kind: str) -> str:
    """Return the name of a line: en of "en (80)", whose number changes with the dialogues."""
    called = str(row[name])
    if kind == DIALOGUES:
        return called.partition(" ")[0]
    return called if row["strategy"] == "auto" else f"{called} {row['strategy']}"


def progress(log: str) -> Progress | None:
    """Return how far a run is, as the last bar in it says; None before the first.

    Args:
        log: The end of what it printed.
    """
    bars = _BAR.findall(log)
    return Progress(bars[-1][0].strip(), *map(int, bars[-1][1:])) if bars else None


def last_lines(log: str, count: int = 200) -> str:
    """Return the end of what a run printed; of a bar that moves, only where it stopped."""
    lines = [line.rsplit("\r", 1)[-1] for line in log.replace("\r\n", "\n").rstrip().split("\n")]
    return "\n".join(lines[-count:])
