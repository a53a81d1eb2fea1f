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
  %(prog)s export --customer 42     everything of a customer whom the site has signed
  %(prog)s purge --days 30
  %(prog)s unanswered --days 7     what came nearest stands beside each question
  %(prog)s unanswered --groups     those that mean the same together, the most frequent first
  %(prog)s audit
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.data") -> int:
    """Do what the command line says; return 2 if it cannot be done."""
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog=prog,
        description="What is kept of customers: everything of a conversation out, or gone.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    export = verbs.add_parser("export", help="write all that is kept of a conversation")
    export.add_argument("--out", type=Path, metavar="FILE", help="default: the terminal")
    erase = verbs.add_parser("erase", help="delete a conversation and all that belongs to it")
    for verb in (export, erase):
        whose = verb.add_mutually_exclusive_group(required=True)
        whose.add_argument("conversation", nargs="?", help="its id")
        whose.add_argument(
            "--customer", metavar="ID", help="all conversations of a customer with a signed id"
        )
    purge = verbs.add_parser("purge", help="delete the conversations that are too old")
    purge.add_argument("--days", type=int, help="how long they are kept; default: the settings'")
    shown = verbs.add_parser("unanswered", help="show the questions that got no answer")
    shown.add_argument("--days", type=int, default=7, help="of how many days; default: %(default)s")
    shown.add_argument("--groups", action="store_true", help="group them by meaning")
    audit = verbs.add_parser("audit", help="show who did what")
    audit.add_argument("--who", default="", metavar="NAME", help="of one alone")
    audit.add_argument("--did", default="", metavar="WHAT", help="of one kind alone, such as take")
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
    from assistant.store.database import Database
    from assistant.store.retention import purge

    settings = settings_of(given)
    database = Database.open(settings.database_url)
    if given.verb == "unanswered":
        groups = given.groups
        return (
            _groups(database, given.days, settings) if groups else _unanswered(database, given.days)
        )
    if given.verb == "audit":
        return _audit(database, given)
    if given.verb == "purge":
        days = given.days or settings.keep_days
        deleted = purge(database, days)
        Audit(database).note(WHO, "purge")
        return f"Deleted {deleted} conversations older than {days} days."
    wanted = _wanted(given, database)
    if given.verb == "export":
        told = _export(given, wanted, settings, database)
    else:
        told = _erase(wanted, database)
    # Whose they were is not kept: what is erased is to be gone.
    for conversation in wanted:
        Audit(database).note(WHO, given.verb, conversation)
    return told


def _wanted(given: argparse.Namespace, database: "Database") -> list[str]:
    """Return the conversations that are meant: one, or all of a customer."""
    from assistant.store.everything import conversations_of

    if given.customer is None:
        return [given.conversation]
    return conversations_of(database, given.customer)


def _erase(wanted: Sequence[str], database: "Database") -> str:
    from assistant.store.conversations import Conversations

    conversations = Conversations(database)
    for conversation in wanted:
        conversations.messages(conversation)  # tells an unknown one
        conversations.delete(conversation)
    return f"Deleted {', '.join(wanted)}."


def _export(
    given: argparse.Namespace, wanted: Sequence[str], settings: "Settings", database: "Database"
) -> str:
    found = [_everything(conversation, settings, database) for conversation in wanted]
    told: Any = found[0]
    if given.customer is not None:
        told = {"customer": given.customer, "conversations": found}
    text = json.dumps(told, ensure_ascii=False, indent=1)
    if not given.out:
        return text
    given.out.write_text(text + "\n", encoding="utf-8")
    return f"Written to {given.out}."


def _everything(conversation: str, settings: "Settings", database: "Database") -> dict[str, Any]:
    from assistant.secret_key import revealed, secret_key
    from assistant.store.contacts import Contacts
    from assistant.store.everything import everything

    told: dict[str, Any] = everything(database, conversation)
    if told.pop("contact", None):
        secret = revealed(settings.contact_key)
        secret = secret or secret_key(settings.state, revealed(settings.secret_key))
        told["contact"] = Contacts(database, secret, settings.contact_days).read(conversation)
    return told


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


def _groups(database: "Database", days: int, settings: "Settings") -> str:
    from datetime import timedelta

    from assistant.articles.listing import ArticleFolder
    from assistant.reports.likeness import Likeness
    from assistant.reports.question_groups import languages_of, question_groups
    from assistant.store.tables import now
    from assistant.store.unanswered import unanswered
    from knowledge.models.model_files import open_embedder

    questions = unanswered(database, now() - timedelta(days=days))
    likeness = Likeness(open_embedder(settings.embedder, settings.state))
    likeness.read(question.question for question in questions)
    articles = ArticleFolder(settings.knowledge).articles()
    lines = []
    for group in question_groups(questions, likeness):
        seen = f"{group.first:%Y-%m-%d} to {group.last:%Y-%m-%d}"
        lines.append(f"{len(group.questions)} times, {seen}, missing: {group.missing}")
        lines += [f"  {text}" for text in group.texts]
        if near := group.nearest:
            _, without = languages_of(near, articles)
            gap = f", not in {', '.join(without)}" if without else ""
            lines.append(f"  nearest: {near.title}{gap}: {near.sentence} ({near.answers:.2f})")
    return "\n".join(lines) or f"No question was left unanswered in {days} days."


def _audit(database: "Database", given: argparse.Namespace) -> str:
    from assistant.store.audit import Audit

    deeds, _ = Audit(database).find(given.who, given.did, count=given.count)
    return "\n".join(f"{d.created:%Y-%m-%d %H:%M} {d.who}: {d.did} {d.on}".strip() for d in deeds)


if __name__ == "__main__":
    sys.exit(main())
