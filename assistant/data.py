"""Gives out, erases, purges or shows what is kept of customers: ``frontdesk data``."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.config import Settings
    from assistant.store.database import Database

# Who uses this command, in the audit.
WHO = "terminal"

EPILOG = """examples:
  %(prog)s export 0b7c… --out customer.json
  %(prog)s erase 0b7c…
  %(prog)s purge --days 30
  %(prog)s unanswered --days 7     what came nearest stands beside each question
  %(prog)s audit
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.data") -> int:
    """Do what the command line says; return 2 if it cannot be done."""
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog=prog,
        description="What is kept of customers: one conversation's everything out, or gone.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    export = verbs.add_parser("export", help="write all that is kept of a conversation")
    export.add_argument("--out", type=Path, metavar="FILE", help="default: the terminal")
    erase = verbs.add_parser("erase", help="delete a conversation and all that belongs to it")
    for verb in (export, erase):
        verb.add_argument("conversation", help="its id")
    purge = verbs.add_parser("purge", help="delete the conversations that are too old")
    purge.add_argument("--days", type=int, help="how long they are kept; default: the settings'")
    shown = verbs.add_parser("unanswered", help="show the questions that got no answer")
    shown.add_argument("--days", type=int, default=7, help="of how many days; default: %(default)s")
    audit = verbs.add_parser("audit", help="show who did what")
    audit.add_argument("--count", type=int, default=50, help="how much; default: %(default)s")
    for verb in (export, erase, purge, shown, audit):
        add_arguments(verb)
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError

    try:
        print(_do(given))
    except (AssistantError, OSError) as error:
        print(f"data: {error}", file=sys.stderr)
        return 2
    return 0


def _do(given: argparse.Namespace) -> str:
    from assistant.config import settings_of
    from assistant.store.audit import Audit
    from assistant.store.conversations import Conversations
    from assistant.store.database import Database
    from assistant.store.retention import purge

    settings = settings_of(given)
    database = Database.open(settings.database_url)
    if given.verb == "unanswered":
        return _unanswered(database, given.days)
    if given.verb == "audit":
        return _audit(database, given.count)
    if given.verb == "purge":
        days = given.days or settings.keep_days
        deleted = purge(database, days)
        Audit(database).note(WHO, "purge")
        return f"Deleted {deleted} conversations older than {days} days."
    if given.verb == "export":
        told = _everything(given, settings, database)
    else:
        conversations = Conversations(database)
        conversations.messages(given.conversation)  # tells an unknown one
        conversations.delete(given.conversation)
        told = f"Deleted {given.conversation}."
    Audit(database).note(WHO, given.verb, given.conversation)
    return told


def _everything(given: argparse.Namespace, settings: "Settings", database: "Database") -> str:
    from assistant.secret_key import revealed, secret_key
    from assistant.store.contacts import Contacts
    from assistant.store.everything import everything

    told: dict[str, Any] = everything(database, given.conversation)
    if told.pop("contact", None):
        secret = revealed(settings.contact_key)
        secret = secret or secret_key(settings.state, revealed(settings.secret_key))
        told["contact"] = Contacts(database, secret, settings.contact_days).read(given.conversation)
    text = json.dumps(told, ensure_ascii=False, indent=1)
    if not given.out:
        return text
    given.out.write_text(text + "\n", encoding="utf-8")
    return f"Written to {given.out}."


def _unanswered(database: "Database", days: int) -> str:
    from datetime import timedelta

    from assistant.store.tables import now
    from assistant.store.unanswered import unanswered

    lines = []
    for one in unanswered(database, now() - timedelta(days=days)):
        near = max(one.nearest, key=lambda near: near.answers, default=None)
        best = f" | {near.title}: {near.sentence} ({near.answers:.2f})" if near else ""
        thumb = ", thumb down" if one.thumb < 0 else ""
        lines.append(f"{one.created:%Y-%m-%d %H:%M} {one.action}{thumb}: {one.question}{best}")
    return "\n".join(lines) or f"No question was left unanswered in {days} days."


def _audit(database: "Database", count: int) -> str:
    from assistant.store.audit import Audit

    deeds = Audit(database).latest(count)
    return "\n".join(f"{d.created:%Y-%m-%d %H:%M} {d.who}: {d.did} {d.on}".strip() for d in deeds)


if __name__ == "__main__":
    sys.exit(main())
