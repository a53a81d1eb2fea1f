"""Gives out, erases or purges what is kept of customers: ``frontdesk data``."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

EPILOG = """examples:
  %(prog)s export 0b7c… --out customer.json
  %(prog)s erase 0b7c…
  %(prog)s purge --days 30
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
    for verb in (export, erase, purge):
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
    from assistant.store.conversations import Conversations
    from assistant.store.database import Database
    from assistant.store.retention import purge

    settings = settings_of(given)
    database = Database.open(settings.database_url)
    if given.verb == "purge":
        days = given.days or settings.keep_days
        return f"Deleted {purge(database, days)} conversations older than {days} days."
    conversations = Conversations(database)
    if given.verb == "erase":
        conversations.messages(given.conversation)  # tells an unknown one
        conversations.delete(given.conversation)
        return f"Deleted {given.conversation}."
    text = json.dumps(everything(conversations, given.conversation), ensure_ascii=False, indent=1)
    if not given.out:
        return text
    given.out.write_text(text + "\n", encoding="utf-8")
    return f"Written to {given.out}."


def everything(conversations: Any, conversation: str) -> dict[str, Any]:
    """Return all that is kept of a conversation.

    Args:
        conversations: Keeps what is said.
        conversation: The id of the conversation.

    Raises:
        ConversationError: There is no such conversation.
    """
    import dataclasses

    from assistant.store.quotes import quoted

    told = []
    for message in conversations.messages(conversation):
        row = dataclasses.asdict(message)
        row |= {"created": message.created.isoformat()}
        row |= {"reply": message.reply.to_dict() if message.reply else None}
        quotes = quoted(conversations.database, conversation, message.number)
        told.append({**row, "quoted": [dataclasses.asdict(quote) for quote in quotes]})
    return {"conversation": conversation, "messages": told}


if __name__ == "__main__":
    sys.exit(main())
