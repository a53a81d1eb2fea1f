"""A conversation in the terminal that is kept: ``frontdesk chat``."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.desk import Desk

EPILOG = """examples:
  %(prog)s
  %(prog)s --conversation 0b7c…      goes on with an earlier one
  %(prog)s --knowledge ./help-centre
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.chat") -> int:
    """Talk until an empty line or Ctrl-D; return 2 if something cannot be used."""
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog=prog,
        description="Talk to the assistant in the terminal. An empty line ends the conversation.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--conversation", metavar="ID", help="the conversation to go on with")
    add_arguments(parser)
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError

    try:
        desk, conversation = _open(given)
        _talk(desk, conversation)
    except (AssistantError, KnowledgeError, OSError) as error:
        print(f"chat: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print()
    return 0


def _open(given: argparse.Namespace) -> "tuple[Desk, str]":
    from assistant.assistant import Assistant
    from assistant.config import settings_of
    from assistant.desk import Desk
    from assistant.store.conversations import Conversations
    from assistant.store.database import Database

    settings = settings_of(given)
    conversations = Conversations(Database.open(settings.database_url))
    for message in conversations.messages(given.conversation) if given.conversation else ():
        print(f"{'> ' if message.role == 'user' else ''}{message.text}\n")
    desk = Desk(Assistant.from_config(settings), conversations)
    return desk, given.conversation or conversations.start("terminal")


def _talk(desk: "Desk", conversation: str) -> None:
    from assistant.errors import InvalidMessageError
    from assistant.messages import Reply

    while text := _typed():
        try:
            for item in desk.serve(conversation, text):
                if not isinstance(item, Reply):
                    print(item, end="", flush=True)
                elif item.sources:
                    print("\n[" + "; ".join(source.title for source in item.sources) + "]", end="")
        except InvalidMessageError as error:
            print(error, end="")
        print("\n")
    print(f"Kept as {conversation}.")


def _typed() -> str:
    try:
        return input("> ").strip()
    except EOFError:
        print()
        return ""


if __name__ == "__main__":
    sys.exit(main())
