"""How far a job is that an editor started: publishing, or building the index."""

import re
import sys
from collections.abc import Mapping
from typing import Any

from assistant.articles.gate import environment_of, index_command
from assistant.store.runs import Run
from assistant.ui.console.frame import Frame
from assistant.ui.console.words import words

PUBLISH, INDEX = "publish", "index"
LINES = 12


def start_publishing(frame: Frame, numbers: list[int], author: str) -> int:
    """Check drafts and publish them, in a process of its own; return the number of the run.

    Raises:
        BusyError: Something is being published.
    """
    drafts = [str(number) for number in numbers]
    command = [sys.executable, "-m", "assistant.articles", "publish", *drafts]
    command += ["--author", author, "--result", "{result}"]
    environment = environment_of(frame.settings)
    return frame.runs.start(PUBLISH, command, author, on=drafts[0], environment=environment)


def start_index(frame: Frame, author: str) -> int:
    """Bring the index up to date, in a process of its own; return the number of the run.

    Raises:
        BusyError: It is being built.
    """
    return frame.runs.start(INDEX, index_command(frame.settings), author)


def latest(frame: Frame, kind: str, on: str = "") -> Run | None:
    """Return the last run of a kind; None if there was none."""
    return next(iter(frame.runs.latest(kind, 1, on)), None)


def progress(frame: Frame, run: Run | None) -> str:
    """Return how far a run is, or what it ended with, as HTML."""
    if run is None:
        return ""
    result = run.result or {}
    values = {"run": run, "lines": _lines(run.log), "reasons": _reasons(frame, result)}
    stage = f"{'because' if values['reasons'] else 'passed'}_{result.get('stage')}"
    return frame.html(
        "knowledge_progress.jinja", paths=result.get("paths", []), stage=stage, **values
    )


def _reasons(frame: Frame, result: Mapping[str, Any]) -> list[str]:
    """Return why nothing was published, in the page's language as far as it is known."""
    reasons: list[str] = result.get("reasons", [])
    if result.get("key"):
        return [frame.refused(result["key"], result["values"], *reasons)]
    known = words(frame.lang)
    found: list[Mapping[str, Any]] = result.get("found", [])
    return [
        f"{known.get(_named(one), one['kind'])}: {', '.join(one['paths'])}: {one['message']}"
        for one in found
    ] or reasons


def _named(one: Mapping[str, Any]) -> str:
    return f"knowledge.found_{re.sub('[ -]', '_', one['kind'])}"


def _lines(log: str) -> list[str]:
    """Return the last lines of a log; of a progress bar, what it showed last."""
    lines = [line.rstrip("\r").rpartition("\r")[2].strip() for line in log.split("\n")]
    return [line for line in lines if line][-LINES:]
