"""Plays canned dialogues and reports failures: ``python -m tuning.dialogues FOLDER``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuning.evaluate.played_dialogues import PlayedDialogue


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the dialogues; return 1 if any failed, 2 if they cannot be read."""
    from assistant.config import settings_of
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError

    given = _parser().parse_args(arguments)
    try:
        from tuning.evaluate.dialogue_files import load_dialogues

        dialogues = load_dialogues(given.folder)
        settings = settings_of(given)
        from assistant.assistant import Assistant
        from tuning.evaluate.played_dialogues import play

        assistant = Assistant.from_config(settings)
        played = play(assistant, dialogues, plain_history=given.plain_history)
    except (ValueError, AssistantError, KnowledgeError) as error:
        print(f"dialogues: {error}", file=sys.stderr)
        return 2
    return _report(played, given.junit, given.html)


def _parser() -> argparse.ArgumentParser:
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog="python -m tuning.dialogues",
        description="Play canned dialogues against the assistant.",
        epilog="Example: python -m tuning.dialogues tests/dialogues/passing --html report.html",
    )
    parser.add_argument("folder", type=Path, help="a folder of dialogue files, or one file")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML to FILE")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write an HTML page to FILE")
    parser.add_argument(
        "--plain-history",
        action="store_true",
        help="keep only role and text of earlier messages, as many clients do",
    )
    add_arguments(parser)
    return parser


def _report(played: "Sequence[PlayedDialogue]", junit: Path | None, html: Path | None) -> int:
    from tuning.evaluate.dialogue_reports import write_junit, write_page

    if junit:
        write_junit(played, junit)
    if html:
        write_page(played, html)
    failed = [entry for entry in played if entry.failures]
    for entry in failed:
        print(f"FAILED {entry.file}: {entry.dialogue.test_case}")
        print("\n".join(f"    {line}" for line in entry.failures))
    print(f"{len(played) - len(failed)} of {len(played)} dialogues passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
