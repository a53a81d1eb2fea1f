"""Finds conversations, as the console's page does: ``frontdesk conversations``."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.reports.conversation_list import Wanted
    from assistant.store.database import Database

EPILOG = """examples:
  %(prog)s --text "lost my card" --outcome unhappy
  %(prog)s --from 2031-03-01 --to 2031-03-31 --csv > march.csv
  %(prog)s --id 0b7c…     every turn, with what decided it and on which words

Outcomes: unhappy, handed, declined, confirmed, quiet, open; `frontdesk figures --help` says what
they mean.
"""
# The filters of the page, by the option that sets them; --strategy is a setting already.
OPTIONS = {
    "text": "words that were said",
    "from": "begun on this day or later, such as 2031-03-01",
    "to": "begun on this day or earlier",
    "outcome": "what became of it",
    "action": "what a reply did, such as decline",
    "intent": "the intent of a message",
    "sentiment": "negative, positive or neutral",
    "language": "en or zh",
    "thumb": "up or down",
    "reply-strategy": "how a reply was written, such as extractive",
    "channel": "page, api, terminal or chatwoot",
    "person": "taken or waiting",
}


def main(
    arguments: Sequence[str] | None = None, prog: str = "python -m assistant.conversations"
) -> int:
    """Print the conversations that are meant; return 2 for a wrong filter."""
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog=prog,
        description="Find conversations by what was said and decided in them, or show one.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, summary in OPTIONS.items():
        parser.add_argument(f"--{name}", default="", help=summary)
    parser.add_argument("--id", help="show this one, turn by turn")
    parser.add_argument("--demo", action="store_true", help="the invented ones instead")
    parser.add_argument("--sort", default="-created", help="created, updated, turns or first_word; "
                        "with = and a minus, as --sort=-turns, the largest first")  # fmt: skip
    parser.add_argument("--count", type=int, default=50, help="at most; default: %(default)s")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--csv", action="store_true", help="print all of them as CSV")
    how.add_argument("--json", action="store_true", help="print JSON lines")
    add_arguments(parser)
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError

    try:
        for line in _lines(given):
            print(line, end="")
    except (AssistantError, OSError) as error:
        print(f"conversations: {error}", file=sys.stderr)
        return 2
    return 0


def _lines(given: argparse.Namespace) -> Iterator[str]:
    from assistant.config import settings_of
    from assistant.reports.conversation_list import count, found
    from assistant.reports.conversation_tables import conversations_csv
    from assistant.store.database import Database

    settings = settings_of(given)
    database = Database.open(settings.database_url)
    if given.id:
        yield json.dumps(_one(database, given.id), ensure_ascii=False, indent=1, default=str) + "\n"
        return
    wanted = _wanted(given, settings)
    if given.csv:
        values = {**wanted.values, "sort": wanted.sort, "demo": "1" if wanted.demo else ""}
        yield from conversations_csv(database, values, wanted.people)
        return
    total = count(database, wanted)
    for row in found(database, wanted, 0, given.count):
        if given.json:
            yield json.dumps(dataclasses.asdict(row), ensure_ascii=False, default=str) + "\n"
        else:
            yield f"{row.id} {row.created:%Y-%m-%d %H:%M} {row.outcome:9} {row.question}\n"
    if not given.json:
        yield f"{total:,} in all\n"


def _wanted(given: argparse.Namespace, settings: Any) -> "Wanted":
    from assistant.company import Company
    from assistant.errors import SettingsError
    from assistant.reports.conversation_list import FILTERS, SORTS, Wanted

    values = {name.removeprefix("reply-"): getattr(given, name.replace("-", "_"))
              for name in OPTIONS}  # fmt: skip
    wanted = Wanted(values, Company.load(settings.knowledge).people, given.demo, given.sort)
    for name, value in values.items():
        if value and not wanted.get(name):
            raise SettingsError(f"{name}: expected one of {', '.join(FILTERS[name] or ())}.")
    if given.sort.removeprefix("-") not in SORTS:
        raise SettingsError(f"sort: expected one of {', '.join(SORTS)}.")
    return wanted


def _one(database: "Database", conversation: str) -> dict[str, Any]:
    """Return all turns of a conversation, without whether articles have changed since."""
    from assistant.reports.turns import opened
    from assistant.store.conversations import Conversations

    one = opened(Conversations(database), lambda *_: None, conversation, most=None)
    told = dataclasses.asdict(one)
    for turn in told["turns"]:
        for was in turn["evidence"]:
            del was["is_changed"], was["is_gone"]
    return told


if __name__ == "__main__":
    sys.exit(main())
