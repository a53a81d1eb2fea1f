"""Makes, shows and revokes the keys of programs: ``frontdesk keys``."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.store.keys import Keys

EPILOG = """examples:
  %(prog)s add shop                      prints a key, once
  %(prog)s add prometheus --scopes metrics
  %(prog)s list
  %(prog)s revoke shop
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.keys") -> int:
    """Do what the command line says; return 2 if it cannot be done."""
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog=prog,
        description="The keys with which programs on other machines may call.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    add = verbs.add_parser("add", help="make a key and print it, once")
    add.add_argument("name", help="what it is called, such as the program that uses it")
    add.add_argument(
        "--scopes", nargs="+", default=["chat"], help="some of chat, agent, metrics; default: chat"
    )
    shown = verbs.add_parser("list", help="show all keys, without their secrets")
    revoke = verbs.add_parser("revoke", help="let a key be refused from now on")
    revoke.add_argument("name", help="what it is called")
    for verb in (add, shown, revoke):
        add_arguments(verb)
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError

    try:
        _do(given)
    except (AssistantError, OSError) as error:
        print(f"keys: {error}", file=sys.stderr)
        return 2
    return 0


def _do(given: argparse.Namespace) -> None:
    from assistant.config import settings_of
    from assistant.store.database import Database
    from assistant.store.keys import Keys

    keys = Keys(Database.open(settings_of(given).database_url))
    if given.verb == "add":
        print(keys.add(given.name, given.scopes))
        print("Keep it now: only a hash of it is kept here.", file=sys.stderr)
    elif given.verb == "revoke":
        keys.revoke(given.name)
    else:
        _show(keys)


def _show(keys: "Keys") -> None:
    for key in keys.all():
        revoked = f", revoked {key.revoked:%Y-%m-%d}" if key.revoked else ""
        print(f"{key.name}: {', '.join(key.scopes)}, made {key.created:%Y-%m-%d}{revoked}")


if __name__ == "__main__":
    sys.exit(main())
