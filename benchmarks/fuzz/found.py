"""Counts what a round of requests found, and prints it."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

HEAD = "| round | cases | server errors | undocumented statuses | other failures | statuses |"
# Characters of a failure, and operations with the same one, that are printed.
LONGEST, NAMED = 160, 4


@dataclass(slots=True)
class Found:
    """What one round found."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    # How often each check failed, with what was found and the operation.
    failures: Counter[tuple[str, str, str]] = field(default_factory=Counter)


def read(event: Any, found: Found) -> int:
    """Add what an event says; return how many requests it is about."""
    from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished

    if isinstance(event, (FatalError, NonFatalError)):
        text = repr(getattr(event, "value", event))
        found.failures["not done", text[:LONGEST], getattr(event, "label", "")] += 1
    if not isinstance(event, ScenarioFinished):
        return 0
    recorder = event.recorder
    responses = [interaction.response for interaction in recorder.interactions.values()]
    found.cases += len(responses)
    found.statuses.update(r.status_code if r else 0 for r in responses)
    for checks in recorder.checks.values():
        for check in checks:
            if check.failure_info:
                failure = check.failure_info.failure
                place = failure.operation or recorder.label
                # Of a method that is not allowed, the name does not matter.
                text = re.sub("^[A-Z]+ returned", "returned", " ".join(failure.message.split()))
                found.failures[check.name, text[:LONGEST], place] += 1
    return len(responses)


def print_row(name: str, found: Found) -> None:
    """Print the row of a round."""

    def count(check: str) -> int:
        return sum(n for (kind, *_), n in found.failures.items() if kind == check)

    errors = sum(n for status, n in found.statuses.items() if status >= 500)
    undocumented = count("status_code_conformance")
    others = found.failures.total() - undocumented - count("not_a_server_error")
    statuses = ", ".join(f"{status}: {n:,}" for status, n in sorted(found.statuses.items()))
    print(
        f"| {name} | {found.cases:,} | {errors} | {undocumented} | {others} | {statuses} |",
        flush=True,
    )


def print_failures(failures: Counter[tuple[str, str, str]]) -> None:
    """Print each failure once, with the operations that have it."""
    places: dict[tuple[str, str], list[str]] = {}
    for check, text, place in sorted(failures):
        places.setdefault((check, text), []).append(place)
    for (check, text), found in places.items():
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        print(f"- {check}: {text}: {', '.join(found[:NAMED])}{more}")
