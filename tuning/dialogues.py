"""Plays canned dialogues and reports failures: ``python -m tuning.dialogues FOLDER``.

A dialogue with a reason is known to fail and is reported when it passes. ``--paraphrases`` plays
each critical dialogue in five wordings: a reply must not depend on how a customer words a message.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuning.evaluate.played_dialogues import PlayedDialogue


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the dialogues; return 1 if any is not as expected, 2 if they cannot be read."""
    from assistant.config import settings_of
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError

    given = _parser().parse_args(arguments)
    try:
        from tuning.evaluate.dialogue_files import load_dialogues

        dialogues = load_dialogues(given.folder)
        settings = settings_of(given)
        from assistant.assistant import Assistant
        from tuning.evaluate.played_dialogues import play, play_wordings

        assistant = Assistant.from_config(settings)
        play_all = play_wordings if given.paraphrases else play
        played = play_all(assistant, dialogues, plain_history=given.plain_history)
    except (ValueError, AssistantError, KnowledgeError) as error:
        print(f"dialogues: {error}", file=sys.stderr)
        return 2
    return _report(played, given)


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
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    parser.add_argument(
        "--plain-history",
        action="store_true",
        help="keep only role and text of earlier messages, as many clients do",
    )
    parser.add_argument(
        "--paraphrases",
        action="store_true",
        help="play each critical dialogue in its own wording and in four others",
    )
    add_arguments(parser)
    return parser


def _report(played: "Sequence[PlayedDialogue]", given: argparse.Namespace) -> int:
    from tuning.atomic_files import write_json
    from tuning.evaluate.dialogue_reports import (
        figures,
        findings,
        summary,
        write_junit,
        write_page,
    )

    if given.junit:
        write_junit(played, given.junit)
    if given.html:
        write_page(played, given.html)
    if given.json:
        write_json(given.json, figures(played))
    print(*findings(played), *summary(played), sep="\n")
    return 1 if any(entry.surprises for entry in played) else 0


if __name__ == "__main__":
    sys.exit(main())
