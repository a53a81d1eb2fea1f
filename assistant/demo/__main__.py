"""Fills the console with invented conversations, or takes them out: ``frontdesk demo``."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.config import Settings
    from assistant.demo.messages import Messages

EPILOG = """examples:
  %(prog)s                             two weeks of conversations, some minutes of answering
  %(prog)s --conversations 100 --distinct 20
  %(prog)s --knowledge ./help-centre   asks about that folder's articles
  %(prog)s --remove                    takes all of them out again
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.demo") -> int:
    """Do what the command line says; return 2 if it cannot be done."""
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog=prog,
        description="Invent conversations that the console can show. They are marked and never "
        "counted with real ones; those of an earlier call are replaced.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--remove", action="store_true", help="take out what was invented")
    known = {
        "seed": (1, "the same seed gives the same conversations"),
        "conversations": (300, "how many"),
        "days": (14, "in how many days until now"),
        "distinct": (60, "how many different questions are answered"),
    }
    for name, (usual, meaning) in known.items():
        parser.add_argument(
            f"--{name}", type=int, default=usual, help=f"{meaning}; default: %(default)s"
        )
    add_arguments(parser)
    given = parser.parse_args(arguments)
    if min(given.conversations, given.days, given.distinct) < 1:
        parser.error("expected numbers of at least 1")
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError

    try:
        print(_do(given))
    except (AssistantError, KnowledgeError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    return 0


def _do(given: argparse.Namespace) -> str:
    from assistant.config import settings_of
    from assistant.demo.fill import Demo, fill, remove
    from assistant.store.database import Database

    settings = settings_of(given)
    # A database that cannot be used is told before the models are loaded.
    database = Database.open(settings.database_url)
    if given.remove:
        return f"Took out {remove(database)} invented conversations."
    from tqdm import tqdm

    from assistant.assistant import Assistant

    assistant = Assistant.from_config(settings)
    people = assistant.responder.company.people
    demo = Demo(
        given.seed, given.conversations, given.days, given.distinct,
        people.timezone if people else "UTC",
    )  # fmt: skip
    with tqdm(unit="message") as bar:

        def tell(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        filled = fill(database, assistant, _messages(assistant, settings), demo, tell)
    return (
        f"Kept {filled} invented conversations. The console shows them with ?demo=1; "
        "`frontdesk demo --remove` takes them out."
    )


def _messages(assistant: "Assistant", settings: "Settings") -> "Mapping[str, Messages]":
    from assistant.config import BANK
    from assistant.demo.messages import LANGUAGES, bank_messages, company_messages
    from assistant.errors import SettingsError

    if settings.knowledge.resolve() == BANK.resolve():
        return {lang: bank_messages(lang) for lang in LANGUAGES}
    snapshot = assistant.finder.knowledge.current().snapshot
    articles = [article for article in snapshot.articles if article.is_valid(snapshot.day)]
    found = {lang: company_messages(lang, articles) for lang in LANGUAGES}
    messages = {lang: said for lang, said in found.items() if said}
    if not messages:
        raise SettingsError(f"Expected articles in {settings.knowledge}, found none.")
    return messages


if __name__ == "__main__":
    sys.exit(main())
