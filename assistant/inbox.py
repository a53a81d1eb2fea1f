"""Shows which conversations wait for a person, and who has which: ``frontdesk inbox``."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.reports.inbox import Entry

EPILOG = """examples:
  %(prog)s
  %(prog)s --view mine --agent ann
  %(prog)s --view ended --count 10     with how they ended
"""
# How much of a message a line shows.
SHOWN = 60


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.inbox") -> int:
    """Print the inbox; return 2 if it cannot be read."""
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog=prog,
        description="Show who waits for a person and how long, the urgent first.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--view",
        default="open",
        choices=["open", "mine", "snoozed", "ended"],
        help="which ones; default: %(default)s",
    )
    parser.add_argument("--agent", default="", help="whose, with --view mine")
    parser.add_argument("--count", type=int, default=50, help="how many; default: %(default)s")
    parser.add_argument("--demo", action="store_true", help="the invented ones instead")
    add_arguments(parser)
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError

    try:
        _show(given)
    except (AssistantError, OSError) as error:
        print(f"inbox: {error}", file=sys.stderr)
        return 2
    return 0


def _show(given: argparse.Namespace) -> None:
    from assistant.config import settings_of
    from assistant.reports.inbox import inbox
    from assistant.store.database import Database

    database = Database.open(settings_of(given).database_url)
    found = inbox(database, given.view, given.agent, demo=given.demo, limit=given.count)
    for entry in found.entries:
        print(_line(entry))
    print(f"{found.total} in all; {found.waiting} wait and nobody has them.")


def _line(entry: "Entry") -> str:
    from assistant.store.tables import now

    handoff = entry.handoff
    minutes = int((now() - entry.since).total_seconds() // 60) if entry.since else None
    waits = "answered" if minutes is None else f"waits {minutes} min"
    if handoff.outcome or handoff.state in ("returned", "closed"):
        waits = handoff.outcome or handoff.state
    urgent = "urgent, " if handoff.urgent else ""
    has = handoff.agent or "nobody"
    return f"{handoff.id:6}  {urgent}{waits}, {has} has it: {' '.join(entry.last.split())[:SHOWN]}"


if __name__ == "__main__":
    sys.exit(main())
