"""How many right answers depend on each part of the assistant: ``python -m benchmarks.parts``.

Asks the question sets of ``tuning.evaluate`` with everything and then without one part at a time,
with the strategy `extractive`. The parts are ``intents``, the weight of the intent in retrieval;
``second``, the second network that reads; ``prices``, the lower bar for a second price. Prints the
loss of right answers in percentage points with its paired 95 % interval. ``--general`` also treats
the bank like any other company, without the weights fitted on its own questions.
"""

import argparse
import dataclasses
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from tuning.evaluate.judged_replies import JudgedReply
    from tuning.question_sets import QuestionSet

PARTS = ("intents", "second", "prices")


def main() -> int:
    """Print a row per set and part, and one per part for all sets."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.parts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.parts --parts second --sets pennywhistle-optics",
    )
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="default: all that ship")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--general", action="store_true", help="the bank as any other company too")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args()
    from tuning.question_sets import QuestionsError, load_question_sets

    try:
        sets = load_question_sets(given.sets)
    except QuestionsError as error:
        print(f"parts: {error}", file=sys.stderr)
        return 2
    print("| set | without | right | loss | 95 % interval | replies that change |")
    print("| --- " * 6 + "|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        if given.general:
            sets += [_general(questions, Path(folder)) for questions in sets if _is_bank(questions)]
        pairs: dict[str, list[tuple[JudgedReply, JudgedReply]]] = {part: [] for part in given.parts}
        for questions in sets:
            for part, found in _measured(questions, given.parts, given.state).items():
                _print(questions.name, part, found)
                if not questions.name.endswith("as any company"):
                    pairs[part] += found
    for part, found in pairs.items():
        _print("all sets", part, found)
    return 0


def _is_bank(questions: "QuestionSet") -> bool:
    return questions.name.startswith("lantern")


def _general(questions: "QuestionSet", folder: Path) -> "QuestionSet":
    articles = folder / "bank"
    if not articles.exists():
        shutil.copytree(questions.articles, articles, ignore=shutil.ignore_patterns("weights"))
    return dataclasses.replace(
        questions, name=f"{questions.name} as any company", articles=articles
    )


def _measured(
    questions: "QuestionSet", parts: list[str], state: Path
) -> "dict[str, list[tuple[JudgedReply, JudgedReply]]]":
    """Return for each part every question's reply with everything and without the part."""
    from assistant.assistant import Assistant
    from assistant.config import load_settings
    from tuning.evaluate.judged_replies import ask_and_judge

    with questions.knowledge() as folder:
        assistant = Assistant.from_config(load_settings(knowledge=folder, state=state))

        def replies() -> "list[JudgedReply]":
            return [
                ask_and_judge(assistant, questions, "extractive", row) for row in questions.rows
            ]

        whole = replies()
        found = {}
        for part in parts:
            with _without(part, assistant):
                found[part] = list(zip(whole, replies(), strict=True))
    return found


@contextmanager
def _without(part: str, assistant: "Assistant") -> Iterator[None]:
    """Take a part out for the time; where it is not in use, nothing changes."""
    from assistant.evidence import selection

    policy, ranker = assistant.finder.policy, assistant.finder.evidence
    reader = ranker.reader
    before = selection.BESIDE_PRICE, type(policy).weighs_intents, reader and reader._second
    try:
        if part == "prices":
            selection.BESIDE_PRICE = selection.BESIDE
        elif part == "intents":
            type(policy).weighs_intents = False
        elif reader:
            reader._second = None
        yield
    finally:
        selection.BESIDE_PRICE, type(policy).weighs_intents = before[:2]
        if reader:
            reader._second = before[2]


def _print(name: str, part: str, pairs: "list[tuple[JudgedReply, JudgedReply]]") -> None:
    from tuning.metrics import gain_interval

    # Of what nothing answers, whatever is not answered is right.
    losses = [100.0 * ((a.outcome == "right") - (b.outcome == "right")) for a, b in pairs]
    low, high = gain_interval(losses)
    right = sum(b.outcome == "right" for _, b in pairs) / len(pairs)
    changed = sum(a.reply != b.reply for a, b in pairs)
    loss = sum(losses) / len(losses)
    print(
        f"| {name} | {part} | {right:.0%} | {loss:+.1f} | {low:+.1f} to {high:+.1f} | "
        f"{changed} of {len(pairs)} |",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
