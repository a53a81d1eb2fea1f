"""Compares the strategies side by side: ``python -m tuning.evaluate --out FOLDER``.

Question sets with key facts, forbidden facts and the right article go through the whole assistant,
once a strategy: Lantern Bank's, and those of companies that nothing was trained on. So do canned
dialogues. Written to the folder: ``evaluation.json`` and one self-contained page. ``--choose`` also
writes what the strategy ``auto`` means from now on, into the state folder.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuning.evaluate.judged_replies import DIALOGUES, STRATEGIES, evaluate


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate and report; 2 where something cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tuning.evaluate --strategies tuned extractive --out var/eval",
    )
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES), metavar="STRATEGY")
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="default: all that ship")
    parser.add_argument(
        "--dialogues",
        type=Path,
        metavar="FOLDER",
        help="canned dialogues for the articles of --knowledge; default: Lantern Bank's, where all "
        "sets are asked",
    )
    parser.add_argument(
        "--limit", type=int, help="only so many questions of each set, and dialogues"
    )
    parser.add_argument("--out", type=Path, default=Path("var/evaluation"))
    parser.add_argument("--choose", action="store_true", help="renew what `auto` means")
    from assistant.config import add_arguments, settings_of

    add_arguments(parser)
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError
    from tuning.dialogues import load_dialogues
    from tuning.evaluate.played_dialogues import play
    from tuning.evaluate.report import dialogue_table, summarise, write_report
    from tuning.question_sets import QuestionsError, load_question_sets

    try:
        if wrong := set(given.strategies) - {*STRATEGIES, "auto"}:
            raise QuestionsError(f"Expected strategies among {STRATEGIES}, found {sorted(wrong)}.")
        settings = settings_of(given)
        folder = given.dialogues or _own_dialogues(given.sets, settings)
        cases = load_dialogues(folder)[: given.limit] if folder else []
        judged = [
            entry
            for questions in load_question_sets(given.sets)
            for entry in evaluate(questions, settings, given.strategies, given.limit)
        ]
        played = play(cases, settings, given.strategies) if cases else []
        write_report(judged, played, given.out)
    except (ValueError, AssistantError, KnowledgeError, OSError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    print(summarise(judged).table())
    if played:
        print(f"\n{dialogue_table(played)}")
    if given.choose:
        from tuning.evaluate.auto_strategy import write_choices

        print(f"auto: {write_choices(judged, settings)}")
    print(f"evaluation.json and report.html in {given.out}")
    return 0


def _own_dialogues(sets: Sequence[str] | None, settings: Any) -> Path | None:
    from assistant.config import BANK

    is_whole = sets is None and settings.knowledge == BANK and DIALOGUES.is_dir()
    return DIALOGUES if is_whole else None


if __name__ == "__main__":
    sys.exit(main())
