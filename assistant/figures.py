"""How it goes, as the console's first page shows it: ``frontdesk figures``."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.reports.figures import Figures

EPILOG = """examples:
  %(prog)s
  %(prog)s --days 30 --json
  %(prog)s --from 2031-03-01 --to 2031-03-31

The outcomes add up to 100 %%; each conversation counts once, by the first that applies:
  unhappy    a thumb down, or the same question again within 24 hours after a reply
  handed     a person was called
  declined   a question got no answer
  confirmed  a thumb up, or thanks
  quiet      none of these, and nothing was said for 30 minutes
  open       something was said since, or the last message has no answer
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.figures") -> int:
    """Print the figures of a period and of the one before; return 2 if they cannot be read."""
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog=prog,
        description="What became of the conversations, how fast the first word came, and how long "
        "customers waited for a person.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--days", choices=("7", "30", "90"), help="the last days; default: 7")
    parser.add_argument("--from", metavar="DAY", help="the first day, such as 2031-03-01")
    parser.add_argument("--to", metavar="DAY", help="the last day")
    parser.add_argument("--demo", action="store_true", help="the invented conversations instead")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_arguments(parser)
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError

    try:
        now, before = _figures(given)
    except (AssistantError, OSError) as error:
        print(f"figures: {error}", file=sys.stderr)
        return 2
    print(_json(now, before) if given.json else _text(now, before))
    return 0


def _figures(given: argparse.Namespace) -> "tuple[Figures, Figures]":
    from assistant.company import Company
    from assistant.config import settings_of
    from assistant.reports.figures import compared
    from assistant.reports.period import Period
    from assistant.store.database import Database

    settings = settings_of(given)
    people = Company.load(settings.knowledge).people
    values = {name: getattr(given, name) or "" for name in ("days", "from", "to")}
    database = Database.open(settings.database_url)
    return compared(database, Period.of(values, people), people, demo=given.demo)


def _json(now: "Figures", before: "Figures") -> str:
    told = {
        name: {**figures.period.values, **dict(figures.rows())}
        for name, figures in (("now", now), ("before", before))
    }
    return json.dumps(told, ensure_ascii=False, indent=1)


def _text(now: "Figures", before: "Figures") -> str:
    from assistant.reports.figure_tables import rows

    head = f"{now.period.first} to {now.period.last}"
    lines = [f"{'':28}{head:>26}{f'{before.period.first} to {before.period.last}':>26}"]
    for name, value, earlier in rows(now, before):
        cells = ("–" if cell is None else f"{cell:,}" for cell in (value, earlier))
        lines.append(f"{name.replace('_', ' '):28}" + "".join(f"{cell:>26}" for cell in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
