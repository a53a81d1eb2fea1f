"""Says what is installed, found and missing, and how fast it is here: ``frontdesk doctor``."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.checkup.check import Check
    from assistant.config import Settings

EPILOG = """examples:
  %(prog)s
  %(prog)s --speed          also asks questions: loads the models, takes a minute
  %(prog)s --json --config frontdesk.yml
"""
MARKS = {"fine": "✓", "warning": "!", "failure": "✗"}


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.doctor") -> int:
    """Print the checks; return 1 if one failed, 2 if the settings are wrong."""
    from assistant.config import ServeOptions, add_arguments, settings_of

    parser = argparse.ArgumentParser(
        prog=prog,
        description="Say what is installed, found and missing here, and what to do about it. "
        "Changes nothing, but for --speed, which prepares models and index as a start does.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--speed", action="store_true", help="also time a question a language")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    add_arguments(parser, ServeOptions)
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError

    try:
        found = checks(settings_of(given), with_speed=given.speed)
    except AssistantError as error:
        print(f"doctor: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return _printed(found, as_json=given.json)


def checks(settings: "Settings", *, with_speed: bool = False) -> "Iterator[Check]":
    """Yield the checks of everything, one after another.

    Args:
        settings: The settings.
        with_speed: Whether to load the models and ask questions, too.
    """
    from assistant.checkup.check import looked_at
    from assistant.checkup.documents import documents, people
    from assistant.checkup.machine import memory, processor, state
    from assistant.checkup.packages import packages, python
    from assistant.checkup.server import generator_server, port, secrets
    from assistant.checkup.speed import speed
    from assistant.checkup.store import store
    from assistant.checkup.weights import weights

    looks = {
        "Python": python,
        "packages": packages,
        "processor": processor,
        "memory": memory,
        "state": state,
        "documents": documents,
        "company": people,
        "weights": weights,
        "generator": generator_server,
        "port": port,
        "secret": secrets,
        "database": store,
    }
    if with_speed:
        looks["speed"] = speed
    for name, look in looks.items():
        yield from looked_at(name, look, settings)


def _printed(found: "Iterator[Check]", *, as_json: bool) -> int:
    """Print each check as soon as it is known, or all as JSON; return the exit code."""
    told = []
    for check in found:
        told.append(check)
        if not as_json:
            print(line(check), flush=True)
    failed = sum(check.level == "failure" for check in told)
    warned = sum(check.level == "warning" for check in told)
    if as_json:
        data = {"ok": not failed, "checks": [dataclasses.asdict(check) for check in told]}
        print(json.dumps(data, ensure_ascii=False, indent=1))
    else:
        print(f"\n{len(told)} checks: {failed} failed, {warned} to look at")
    return 1 if failed else 0


def line(check: "Check") -> str:
    """Return a check as people read it; under one that is not fine stands what to do."""
    said = f"{MARKS[check.level]} {check.name}: {check.found}"
    return f"{said}\n    {check.remedy}" if check.remedy else said


if __name__ == "__main__":
    sys.exit(main())
