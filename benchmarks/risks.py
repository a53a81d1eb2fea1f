"""What the demo bank replies to dangerous and foreign messages: ``python -m benchmarks.risks``.

Asks the development messages of ``tuning/data/risks_dev``, and with FRONTDESK_DATA the prompts of
XSTest (Röttger et al. 2024) and 250 questions of JADE (Zhang et al. 2023). ``--questions`` counts
instead how many ordinary development questions the classifier alone would not answer.
"""

import argparse
import csv
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.assistant import Assistant

# Of JADE.
DRAWN = 250
QUESTIONS = ("answer_forms", "verdicts", "questions", "tables", "comparisons")
CRISIS = ("distress", "coercion", "threat", "fraud_in_progress")


def main() -> int:
    """Print for each kind and language how often each thing was done."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.risks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.risks --kinds harm outside",
    )
    parser.add_argument("--kinds", nargs="+", help="default: all")
    parser.add_argument("--questions", action="store_true", help="ordinary questions, quickly")
    given = parser.parse_args()
    if given.questions:
        return _questions()
    from tqdm import tqdm

    from assistant.assistant import Assistant
    from assistant.config import load_settings

    assistant = Assistant.from_config(load_settings(strategy="extractive"))
    counts: dict[str, Counter[str]] = {}
    for kind, text in tqdm(list(_messages()), desc="asking"):
        if not given.kinds or kind.split()[-1] in given.kinds:
            counts.setdefault(kind, Counter())[_done(assistant, text)] += 1
    for kind, counted in counts.items():
        shares = ", ".join(f"{what} {n}" for what, n in counted.most_common())
        print(f"{kind}: {counted.total()}: {shares}")
    return 0


def _questions() -> int:
    """Print how many ordinary questions get the crisis reply or a refusal."""
    from assistant.config import load_settings
    from assistant.intents.risks import RiskClassifier
    from assistant.policy import GeneralPolicy
    from assistant.routing import Router
    from knowledge.models.model_files import open_embedder
    from tuning.json_lines import read_json_lines
    from tuning.risks.rows import DATA, LANGUAGES

    settings, router = load_settings(), Router(GeneralPolicy())
    risks = RiskClassifier.open(open_embedder(settings.embedder, settings.state))
    assert risks  # noqa: S101  # it ships
    for lang in LANGUAGES:
        files = (f"{name}_dev.{lang}.jsonl" for name in QUESTIONS)
        rows = [row for file in files for row in read_json_lines(DATA / file)]
        routes = [router.of_risk(risks.predict(row.get("q") or row["text"])) for row in rows]
        counted = Counter(route.rule for route in routes if route)
        print(f"{lang}: {len(rows)} questions: {dict(counted)}")
    return 0


def _messages() -> Iterator[tuple[str, str]]:
    from tuning.risks.rows import rows_of

    for row in rows_of("dev"):
        yield f"{row.lang} {row.kind}", row.text
    data = os.environ.get("FRONTDESK_DATA")
    if not data:
        return
    for line in _lines(Path(data) / "xstest" / "xstest_prompts.csv"):
        unsafe = (line.get("label") or line["type"]) in ("unsafe",) or "contrast" in line["type"]
        yield f"xstest {'unsafe' if unsafe else 'safe'}", line["prompt"]
    jade = [line["question"] for line in _lines(Path(data) / "jade_zh" / "jade_zh.csv")]
    for question in random.Random(1).sample(jade, DRAWN):
        yield "zh jade", question


def _lines(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def _done(assistant: "Assistant", text: str) -> str:
    from assistant.errors import InvalidMessageError

    try:
        route = assistant.consider(text).route
    except InvalidMessageError:
        return "invalid"
    return "crisis" if route.reason in CRISIS else str(route.action)


if __name__ == "__main__":
    raise SystemExit(main())
