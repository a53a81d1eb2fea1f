"""Real customers' questions through ``--batch``: ``python -m benchmarks.real_questions``.

Draws 200 development rows of BANKING77 and 20 out-of-scope rows of CLINC150 from the folder
FRONTDESK_DATA, answers them with ``python -m assistant --batch`` and counts the outcomes.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SEED = 11


def main() -> int:
    """Print the table; return 2 if the data is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.real_questions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m benchmarks.real_questions --failures",
    )
    parser.add_argument(
        "--rows", type=int, default=200, help="BANKING77 rows; default: %(default)s"
    )
    parser.add_argument(
        "--strange", type=int, default=20, help="CLINC150 rows; default: %(default)s"
    )
    parser.add_argument("--failures", action="store_true", help="list the wrong replies")
    given = parser.parse_args()
    from assistant.config import BANK
    from assistant.intents.intent_files import load_intents
    from tuning.public_data import banking77, out_of_scope

    try:
        rows = random.Random(SEED).sample(banking77("dev"), given.rows)
        strange = random.Random(SEED).sample(out_of_scope("en", "dev"), given.strange)
    except FileNotFoundError as error:
        print(f"real_questions: {error}", file=sys.stderr)
        return 2
    article = {intent.name: intent.article for intent in load_intents(BANK, "en")}
    expected = [article[label] for _, label in rows] + [None] * len(strange)
    replies = _batch([text for text, _ in rows] + strange)
    _print(list(zip(expected, replies, strict=True)), failures=given.failures)
    return 0


def _batch(questions: list[str]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "questions.jsonl", Path(folder) / "replies.jsonl"
        lines = (json.dumps({"question": question}) for question in questions)
        asked.write_text("\n".join(lines), encoding="utf-8")
        command = [sys.executable, "-m", "assistant", "--batch", str(asked), "--out", str(answered)]
        subprocess.run(command, check=True)  # noqa: S603  # our own command line
        return [json.loads(line) for line in answered.read_text(encoding="utf-8").splitlines()]


def _print(results: list[tuple[str | None, dict[str, Any]]], *, failures: bool) -> None:
    from tuning.metrics import share

    asked = [(article, reply) for article, reply in results if article]
    strange = [reply for article, reply in results if not article]
    right = [bool(_cited(reply)) and _cited(reply)[0] == article for article, reply in asked]
    actions = {
        name: share([r["action"] == name for _, r in asked])
        for name in ("answer", "clarify", "decline", "handoff", "small_talk", "refuse")
    }
    answered = [ok for ok, (_, reply) in zip(right, asked, strict=True) if reply["citations"]]
    wild = [bool(_wild(reply)) for _, reply in results]
    held = [reply["action"] in ("decline", "clarify") for reply in strange]
    print("| measure | value |\n| --- | --- |")
    print(f"| questions from BANKING77's development rows | {len(asked)} |")
    print(f"| the first cited article is the right one | {share(right):.1%} |")
    print(f"| … of those that cite anything | {share(answered):.1%} |")
    for name, value in actions.items():
        print(f"| action `{name}` | {value:.1%} |")
    print(f"| any number that stands in no cited passage | {share(wild):.1%} |")
    print(f"| out-of-scope questions declined or clarified | {sum(held)} of {len(held)} |")
    for article, reply in results if failures else ():
        good = _cited(reply)[:1] == [article] if article else reply["action"] != "answer"
        if not good:
            print(
                f"- {reply['question']}\n    {reply['action']} {reply['intent']} "
                f"{_cited(reply)} expected {article}; {reply['choices']}"
            )


def _cited(reply: dict[str, Any]) -> list[str]:
    return [citation["article"] for citation in reply["citations"]]


def _wild(reply: dict[str, Any]) -> set[str]:
    from assistant.grounding.grounder import figures
    from assistant.message.history import choice_lines

    cited: set[str] = set()
    for citation in reply["citations"]:
        cited |= figures(citation["quote"])
    # The number before a choice and the figures in its title are no claims.
    offered = choice_lines(reply["choices"])
    said = [entry["sentence"] for entry in reply["support"] if entry["sentence"] not in offered]
    return figures(" ".join(said)) - cited


if __name__ == "__main__":
    sys.exit(main())
