"""The gate for a new adapter: ``python -m tuning.promote CANDIDATE``.

The candidate is compared with what serves, on question sets of companies that it never saw, on
the canned dialogues and on general questions that guard against forgetting. It is ``approved`` and
then serves at once, also in a running assistant; ``rejected`` where it is no better; or ``blocked``
where a critical dialogue fails, a figure has no support, a case is missing or something breaks. The
former adapter is kept, and ``--rollback`` brings it back.
"""

import argparse
import datetime as dt
import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tuning.evaluate.judged_replies import DIALOGUES

if TYPE_CHECKING:
    from assistant.config import Settings
    from assistant.generators.generator import Generator

DATA = Path(__file__).with_name("data")
DECISIONS = "decisions.jsonl"
# General questions that a candidate may lose against what serves, as a share.
FORGETTING = 0.15
# What a candidate must gain at least, as a share; less is rounding.
TIE = 1e-9


@dataclass(slots=True)
class Measured:
    """What was found of one adapter; shares in [0, 1]."""

    right: float = 0.0
    wrong: float = 0.0
    declined: float = 0.0
    unsupported: int = 0
    cases: int = 0
    missing: int = 0
    general: float = 0.0
    dialogues: list[str] = field(default_factory=list)
    critical: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate says, with its reasons."""

    verdict: Literal["approved", "rejected", "blocked"]
    reasons: list[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge a candidate: 0 approved, 1 rejected or blocked, 2 if there was nothing to judge."""
    from assistant.config import settings_of
    from assistant.errors import SettingsError

    parser = _parser()
    given = parser.parse_args(arguments)
    if given.candidate is None and not given.rollback:
        parser.error("expected the folder of an adapter, or --rollback")
    try:
        settings = settings_of(given)
        if given.rollback:
            return _roll_back(settings.state)
        decision = _decided(given, settings)
        _note(settings.state, given.candidate, decision)
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
    parser.add_argument("--limit", type=int, help="use at most this many questions of each set")
    parser.add_argument("--dialogues", type=Path, default=DIALOGUES, help="default: %(default)s")
    add_arguments(parser)
    return parser


def _decided(given: argparse.Namespace, settings: "Settings") -> Decision:
    """Judge the candidate, and install it if it is approved."""
    try:
        decision = judge(given.candidate, settings, given.dialogues, given.limit)
        if decision.verdict == "approved":
            name = install(given.candidate, settings.state)
            print(f"{name} serves now; a running assistant uses it from its next message on")
    except Exception as error:  # whatever breaks, the candidate must not serve
        return Decision("blocked", [f"{type(error).__name__}: {error}"])
    return decision


def judge(candidate: Path, settings: "Settings", dialogues: Path, limit: int | None) -> Decision:
    """Measure the candidate and what serves, and decide.

    Raises:
        OSError: The candidate is no adapter.
        AssistantError: It cannot be loaded.
    """
    from assistant.generators.adapters import serving_adapter

    if not (candidate / "adapter_config.json").is_file():
        raise OSError(f"Expected an adapter with adapter_config.json in {candidate}, found none.")
    serving = serving_adapter(settings)
    print(f"candidate: {candidate}\nserving: {serving or 'none, answers are extractive'}")
    new = measure(settings.model_copy(update={"adapter": candidate}), dialogues, limit, "tuned")
    strategy = "tuned" if serving else "extractive"
    old = measure(settings.model_copy(update={"adapter": serving}), dialogues, limit, strategy)
    print(json.dumps({"candidate": asdict(new), "serving": asdict(old)}, indent=1))
    return decide(new, old)


def decide(new: Measured, old: Measured) -> Decision:
    """Return the verdict on what was measured."""
    blocking = [f"a critical dialogue fails: {name}" for name in new.critical]
    if new.unsupported:
        blocking.append(f"{new.unsupported} figures without support")
    if new.missing or new.cases < old.cases:
        blocking.append(f"{new.missing or old.cases - new.cases} cases gave no result")
    if blocking:
        return Decision("blocked", blocking)
    worse = []
    if new.right - new.wrong <= old.right - old.wrong + TIE:
        worse.append(
            f"right less wrong {new.right - new.wrong:.1%}, what serves has "
            f"{old.right - old.wrong:.1%}"
        )
    if new.general < old.general - FORGETTING:
        worse.append(f"general questions {new.general:.0%}, what serves has {old.general:.0%}")
    lost = sorted(set(new.dialogues) - set(old.dialogues))
    worse += [f"a dialogue fails that passed: {name}" for name in lost]
    if worse:
        return Decision("rejected", worse)
    return Decision(
        "approved",
        [f"right {old.right:.1%} → {new.right:.1%}, wrong {old.wrong:.1%} → {new.wrong:.1%}"],
    )


def measure(settings: "Settings", dialogues: Path, limit: int | None, strategy: str) -> Measured:
    """Run question sets, dialogues and general questions with one adapter."""
    from tqdm import tqdm

    from assistant.assistant import Assistant
    from tuning.dialogues import load_dialogues, play_dialogue
    from tuning.evaluate.judged_replies import evaluate
    from tuning.metrics import share
    from tuning.question_sets import load_question_sets

    sets = [s for s in load_question_sets() if s.lang == "en"]
    judged = [j for s in sets for j in evaluate(s, settings, [strategy], limit)]
    asked = [j for j in judged if j.answerable]
    unknown = [j for j in judged if not j.answerable]
    found = Measured(
        right=share([j.outcome == "right" for j in asked]),
        wrong=share([j.outcome == "answered wrongly" for j in asked]),
        declined=share([j.outcome == "right" for j in unknown]),
        unsupported=sum(j.unsupported for j in judged),
        cases=len(judged),
        missing=sum(len(s.rows[:limit]) for s in sets) - len(judged),
    )
    assistant = Assistant.from_config(settings.model_copy(update={"strategy": strategy}))
    for file, case in tqdm(load_dialogues(dialogues), unit="dialogue"):
        if play_dialogue(assistant, file, case).failures:
            found.dialogues.append(case.test_case)
            if case.metadata.critical:
                found.critical.append(case.test_case)
    if assistant.generator:
        found.general = general(assistant.generator, adapter=strategy == "tuned")
    return found


def general(generator: "Generator", *, adapter: bool) -> float:
    """Return the share of general questions that are answered right, in [0, 1]."""
    lines = (DATA / "general_questions.jsonl").read_text(encoding="utf-8").splitlines()
    right = []
    for row in map(json.loads, lines):
        asked = [{"role": "user", "content": row["question"]}]
        said = "".join(generator.generate(asked, max_tokens=40, adapter=adapter)).lower()
        right.append(all(any(v in said for v in fact.split("|")) for fact in row["facts"]))
    return sum(right) / len(right)


def install(candidate: Path, state: Path) -> str:
    """Copy an adapter into the state folder and let it serve, in one step; return its name.

    Raises:
        OSError: The disk is full; what served goes on serving.
    """
    from assistant.generators.adapters import FOLDER, read_pointer
    from tuning.atomic_files import put_in_place, staged

    weights = (candidate / "adapter_model.safetensors").read_bytes()
    name = hashlib.sha256(weights).hexdigest()[:12]
    folder = state / FOLDER / name
    if not folder.is_dir():
        beside = staged(folder)
        shutil.copytree(candidate, beside, dirs_exist_ok=True)
        put_in_place(beside, folder)
    serving = read_pointer(state).get("serving")
    if serving != name:
        _point(state, {"serving": name, "former": serving})
    return name


def _roll_back(state: Path) -> int:
    from assistant.generators.adapters import read_pointer

    pointer = read_pointer(state)
    if not pointer:
        print("promote: expected a promoted adapter to go back from, found none", file=sys.stderr)
        return 2
    _point(state, {"serving": pointer["former"], "former": pointer["serving"]})
    print(f"{pointer['former'] or 'the adapter that ships'} serves again")
    return 0


def _point(state: Path, pointer: dict[str, str | None]) -> None:
    from assistant.generators.adapters import FOLDER, POINTER
    from tuning.atomic_files import write_json

    write_json(state / FOLDER / POINTER, pointer)


def _note(state: Path, candidate: Path, decision: Decision) -> None:
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
