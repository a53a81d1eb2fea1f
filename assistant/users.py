"""Adds, shows and removes the people who sign in: ``frontdesk users``."""

import argparse
import getpass
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.store.users import Users

EPILOG = """examples:
  %(prog)s add ann                            asks for a password
  %(prog)s add bo --role administrator < FILE  reads it from the first line of a file
  %(prog)s password ann
  %(prog)s role ann editor
  %(prog)s list
  %(prog)s remove ann
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.users") -> int:
    """Do what the command line says; return 2 if it cannot be done."""
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog=prog,
        description="The people of the company who sign in. Passwords are kept as hashes alone.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    add = verbs.add_parser("add", help="let somebody sign in")
    add.add_argument(
        "--role",
        default="agent",
        choices=["agent", "editor", "administrator"],
        help="agents answer customers, editors also write articles, administrators do everything; "
        "default: %(default)s",
    )
    password = verbs.add_parser("password", help="give somebody a new password")
    remove = verbs.add_parser("remove", help="let somebody sign in no more")
    shown = verbs.add_parser("list", help="show all")
    role = verbs.add_parser("role", help="give somebody another role")
    for verb in (add, password, remove, role):
        verb.add_argument("name", help="their name")
    role.add_argument("role", choices=["agent", "editor", "administrator"], help="their role")
    for verb in (add, password, remove, role, shown):
        add_arguments(verb)
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError

    try:
        _do(given)
    except (AssistantError, OSError) as error:
        print(f"users: {error}", file=sys.stderr)
        return 2
    return 0


def _do(given: argparse.Namespace) -> None:
    from assistant.config import settings_of
    from assistant.store.audit import Audit
    from assistant.store.database import Database
    from assistant.store.users import Users

    database = Database.open(settings_of(given).database_url)
    users = Users(database)
    if given.verb == "list":
        _show(users)
        return
    if given.verb == "add":
        users.add(given.name, _password(), given.role)
    elif given.verb == "password":
        users.change(given.name, _password())
    elif given.verb == "role":
        users.give_role(given.name, given.role)
    else:
        users.remove(given.name)
    Audit(database).note("terminal", f"users {given.verb}", given.name)


def _password() -> str:
    """Return a password that is typed twice, or the first line of what is piped in."""
    from assistant.errors import SettingsError

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise SettingsError("Expected the same password twice, found two.")
    return password


def _show(users: "Users") -> None:
    for user in users.all():
        print(f"{user.name}: {user.role}, since {user.created:%Y-%m-%d}")


if __name__ == "__main__":
    sys.exit(main())
