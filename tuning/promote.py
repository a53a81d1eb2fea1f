"""The gate for a new adapter: ``python -m tuning.promote CANDIDATE``.

Compares the candidate with the serving adapter on the same cases: the question sets in the
generator's languages, on which nothing was trained, customers' conversations in them, the canned
dialogues, and general questions that show forgetting.

A reply scores 1 if it is right, minus --caution if it is a wrong answer, and 0 otherwise. The gain
is the candidate's score minus the serving adapter's, averaged over the questions. Its 95 % interval
comes from a paired bootstrap: 10,000 resamples of the questions, with replacement. A gain that
rests on one or a few questions has an interval that reaches zero. The later turns of conversations
have their own gain, computed in the same way.

The verdict is one of:
  approved  the whole interval lies above zero, and nothing below applies
  rejected  the interval reaches zero, that of later turns or of one language lies wholly below
            zero, a dialogue fails that passes with the serving adapter, or the share of right
            general answers is more than 15 points lower
  blocked   a critical dialogue fails, a figure has no support, a question or later turn lacks one
            of the two replies, there are fewer than 30 of either, or something breaks

An approved candidate serves from the next message on, also in a running assistant. The previous
adapter is kept, and --rollback serves it again. Each decision is added to decisions.jsonl in the
state folder.
"""

import argparse
import datetime as dt
import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tuning.evaluate.dialogue_files import DIALOGUES

if TYPE_CHECKING:
    from assistant.config import Settings
    from tuning.gate import Decision

DECISIONS = "decisions.jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge a candidate; return 0 if approved, 1 if not, 2 if nothing was judged."""
    from assistant.config import settings_of
    from assistant.errors import SettingsError
    from tuning.atomic_files import write_json

    parser = _parser()
    given = parser.parse_args(arguments)
    if given.candidate is None and not given.rollback:
        parser.error("expected the folder of an adapter, or --rollback")
    try:
        settings = settings_of(given)
        if given.rollback:
            return _roll_back(settings.state)
        decision = _decide(given, settings)
        _note(settings.state, given.candidate, decision)
        if given.json:
            write_json(given.json, {"candidate": str(given.candidate), **asdict(decision)})
    except (SettingsError, OSError, ValueError) as error:
        print(f"promote: {error}", file=sys.stderr)
        return 2
    print("\n".join([f"{decision.verdict}:", *(f"  {reason}" for reason in decision.reasons)]))
    return 0 if decision.verdict == "approved" else 1


def _parser() -> argparse.ArgumentParser:
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog="python -m tuning.promote",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tuning.promote var/sft/answers",
    )
    parser.add_argument("candidate", type=Path, nargs="?", help="the folder of an adapter")
    parser.add_argument("--rollback", action="store_true", help="serve the previous adapter again")
    parser.add_argument(
        "--limit", type=int, help="use at most this many questions, or conversations, of each set"
    )
    parser.add_argument("--dialogues", type=Path, default=DIALOGUES, help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the decision to FILE")
    add_arguments(parser)
    return parser


def _decide(given: argparse.Namespace, settings: "Settings") -> "Decision":
    """Compare the adapters, and install the candidate if it is approved."""
    from tuning.gate import Decision, compare

    try:
        decision = compare(given.candidate, settings, given.dialogues, given.limit)
        if decision.verdict == "approved":
            name = install(given.candidate, settings.state)
            print(f"{name} serves now; a running assistant uses it from its next message on")
    except Exception as error:  # whatever breaks, the candidate must not serve
        return Decision("blocked", [f"{type(error).__name__}: {error}"])
    return decision


def install(candidate: Path, state: Path) -> str:
    """Copy an adapter into the state folder and make it the serving one; return its name.

    Raises:
        OSError: The disk is full; the previous adapter goes on serving.
    """
    from assistant.generators.adapters import FOLDER, read_pointer
    from tuning.atomic_files import put_in_place, staged

    weights = (candidate / "adapter_model.safetensors").read_bytes()
    name = hashlib.sha256(weights).hexdigest()[:12]
    folder = state / FOLDER / name
    if not folder.is_dir():
        staging = staged(folder)
        shutil.copytree(candidate, staging, dirs_exist_ok=True)
        put_in_place(staging, folder)
    serving = read_pointer(state).get("serving")
    if serving != name:
        _point(state, {"serving": name, "former": serving})
    return name


def _roll_back(state: Path) -> int:
    from assistant.generators.adapters import read_pointer

    pointer = read_pointer(state)
    if not pointer:
        print("promote: expected a promotion to roll back, found none", file=sys.stderr)
        return 2
    _point(state, {"serving": pointer["former"], "former": pointer["serving"]})
    print(f"{pointer['former'] or 'the shipped adapter'} serves again")
    return 0


def _point(state: Path, pointer: dict[str, str | None]) -> None:
    from assistant.generators.adapters import FOLDER, POINTER
    from tuning.atomic_files import write_json

    write_json(state / FOLDER / POINTER, pointer)


def _note(state: Path, candidate: Path, decision: "Decision") -> None:
    from assistant.generators.adapters import FOLDER

    file = state / FOLDER / DECISIONS
    file.parent.mkdir(parents=True, exist_ok=True)
    entry = {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "candidate": str(candidate),
        **asdict(decision),
    }
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(entry, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
