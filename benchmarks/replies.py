"""Whether two versions of the code reply alike: ``python -m benchmarks.replies --out FILE``.

Asks every question set, every question of the development companies and every canned dialogue, and
answers what the assistant asks back by picking its first choice. Replies are written one a line,
without timings. ``--compare BEFORE AFTER`` then names each reply that differs.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.messages import Message

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tuning" / "data"
WORDED = ("zero_shot", "few_shot", "tuned")
# Fields that differ from run to run.
VOLATILE = ("timings_ms",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write replies, or compare two files of them; return 1 if they differ."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.replies",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.replies --compare before.jsonl after.jsonl",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write the replies")
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("BEFORE", "AFTER"))
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument(
        "--strategies",
        nargs="+",
        default=["auto", *WORDED],
        metavar="STRATEGY",
        help="default: all of them; a generator's own only for the question sets and dialogues",
    )
    given = parser.parse_args(arguments)
    if (given.out is None) == (given.compare is None):
        parser.error("expected --out FILE or --compare BEFORE AFTER, one of the two")
    if given.compare:
        return _compare(*given.compare)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with given.out.open("w", encoding="utf-8") as file:
        for entry in _replies(given.state, given.strategies):
            file.write(json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n")
    return 0


def _replies(state: Path, strategies: Sequence[str]) -> Iterator[dict[str, Any]]:
    from tqdm import tqdm

    from assistant.assistant import Assistant
    from assistant.config import load_settings

    for name, folder, talks, worded in _material():
        with ExitStack() as stack:
            knowledge = stack.enter_context(folder)
            assistant = Assistant.from_config(load_settings(knowledge=knowledge, state=state))
            asked = [s for s in strategies if worded or s not in WORDED]
            for strategy in asked:
                for talk in tqdm(talks, desc=f"{name} {strategy}", unit="talk"):
                    yield from _played(assistant, name, strategy, *talk)


Talk = tuple["list[Message]", list[str]]


def _material() -> Iterator[tuple[str, Any, list[Talk], bool]]:
    """Yield a name, a folder of articles, its conversations, and whether to compare their words."""
    from contextlib import nullcontext

    import yaml

    from tuning.companies import as_folder, load_companies, load_company

    bank = ROOT / "knowledge" / "bank"
    cases = [
        case
        for file in sorted((ROOT / "tests" / "dialogues").rglob("*.yml"))
        for case in yaml.safe_load(file.read_text(encoding="utf-8"))["test_cases"]
    ]
    played: list[Talk] = [([], [step["user"] for step in case["steps"]]) for case in cases]
    yield "dialogues", nullcontext(bank), played, True
    for file in sorted(DATA.glob("lantern_questions.*.jsonl")):
        yield file.stem, nullcontext(bank), _talks(file), True
    for file in sorted((DATA / "evaluation").glob("*.jsonl")):
        company = load_company(file.with_suffix(".yml"))
        yield file.stem, as_folder(company), _talks(file), True
    for company in load_companies("dev"):
        talks: list[Talk] = [([], [pair.question]) for pair in company.pairs]
        yield company.id, as_folder(company), talks, False


def _talks(file: Path) -> list[Talk]:
    from assistant.messages import Message

    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [
        ([Message(said["role"], said["text"]) for said in row["history"]], [row["question"]])
        for row in rows
    ]


def _played(
    assistant: "Assistant", name: str, strategy: str, before: "list[Message]", messages: list[str]
) -> Iterator[dict[str, Any]]:
    from assistant.messages import Message

    history, waiting, picks = list(before), list(messages), 0
    while waiting:
        message = waiting.pop(0)
        reply = assistant.reply(message, history, strategy)
        told = {key: value for key, value in reply.to_dict().items() if key not in VOLATILE}
        earlier = [said.text for said in history]
        yield {"set": name, "asked_for": strategy, "earlier": earlier, "message": message, **told}
        history += [Message("user", message), reply.message()]
        if reply.choices and not waiting and not picks:
            waiting, picks = ["1"], 1


def _compare(before: Path, after: Path) -> int:
    old, new = (
        [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for file in (before, after)
    )
    pairs = [(a, b) for a, b in zip(old, new, strict=False) if a != b]
    changed = Counter((b["set"], b["asked_for"]) for _, b in pairs)
    for was, now in pairs[:20]:
        keys = [key for key in now if was.get(key) != now[key]]
        print(f"{now['set']} {now['asked_for']}: {now['message']!r} differs in {', '.join(keys)}")
    print(f"{len(old)} and {len(new)} replies; {len(pairs)} differ")
    for (name, strategy), count in changed.items():
        print(f"  {name} {strategy}: {count}")
    return 1 if pairs or len(old) != len(new) else 0


if __name__ == "__main__":
    sys.exit(main())
