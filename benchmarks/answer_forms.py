"""Whether answers fit their questions: ``python -m benchmarks.answer_forms``.

Asks the demo bank and the development companies what stands in ``tuning/data``: yes-or-no questions
(``verdicts_dev``), messages with two questions or one that looks like two, and how-to questions
(``answer_forms_dev``). Prints how often the first word is given and right, both questions are
answered or the open one named, and all steps come in order.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.messages import Reply

LANGUAGES = ("en", "zh")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; write the replies if a file is named."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.answer_forms",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.answer_forms --out var/forms.jsonl",
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--out", type=Path, help="a file for all replies, one a line")
    parser.add_argument("--languages", nargs="+", default=LANGUAGES, help="default: en zh")
    given = parser.parse_args(arguments)
    counts: dict[tuple[str, str], Counter[str]] = {}
    told = []
    for lang in given.languages:
        for company, assistant in _assistants(lang, given.state):
            for row in _rows(lang, company):
                reply = assistant.reply(row["q"])
                kind, outcomes = _judged(row, reply)
                counts.setdefault((lang, kind), Counter()).update(["questions", *outcomes])
                told.append({**row, "kind": kind, "outcomes": outcomes, "reply": reply.text})
            print(f"{company} ({lang}) asked", file=sys.stderr)
    for (lang, kind), counted in sorted(counts.items()):
        print(f"{lang} {kind}: " + ", ".join(f"{name} {n}" for name, n in counted.items()))
    if given.out:
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in told)
        given.out.write_text("".join(lines), encoding="utf-8")
    return 0


def _assistants(lang: str, state: Path) -> "Iterator[tuple[str, Assistant]]":
    from assistant.assistant import Assistant
    from assistant.config import load_settings
    from tuning.companies import as_folder, load_companies

    how = {"state": state, "strategy": "extractive"}
    yield "bank", Assistant.from_config(load_settings(**how))
    for company in load_companies("dev"):
        if company.lang == lang:
            with as_folder(company) as folder:
                yield company.id, Assistant.from_config(load_settings(knowledge=folder, **how))


def _rows(lang: str, company: str) -> list[dict[str, Any]]:
    from tuning.json_lines import read_json_lines
    from tuning.verdicts.rows import DATA

    files = (f"verdicts_dev.{lang}.jsonl", f"answer_forms_dev.{lang}.jsonl")
    rows = [row for name in files for row in read_json_lines(DATA / name)]
    return [row for row in rows if row["company"] == company]


def _judged(row: dict[str, Any], reply: "Reply") -> tuple[str, list[str]]:
    """Return the kind of a question and what is true of its reply."""
    if "say" in row:
        return "yes or no", _first_word(row, reply)
    if "steps" in row:
        return "how to", _steps(row, reply)
    kind = "two questions" if len(row["parts"]) > 1 else "one question"
    return kind, _parts(row, reply)


def _first_word(row: dict[str, Any], reply: "Reply") -> list[str]:
    answered = reply.action == "answer"
    said = verdict_in(reply.text) if answered else ""
    outcomes = ["answered"] * answered
    if answered and any(c.article == row["article"] for c in reply.citations):
        outcomes.append("right article")
    if said:
        outcomes.append("first word")
        outcomes.append("first word right" if said == row["say"] else "first word wrong")
    return outcomes


def _steps(row: dict[str, Any], reply: "Reply") -> list[str]:
    places = [_plain(reply.text).find(_plain(step)) for step in row["steps"]]
    answered = reply.action == "answer"
    cited = answered and any(c.article == row["article"] for c in reply.citations)
    whole = cited and min(places) >= 0
    in_order = whole and places == sorted(places)
    return (
        ["answered"] * answered + ["right article"] * cited
        + ["all steps"] * whole + ["in order"] * in_order
    )  # fmt: skip


def _parts(row: dict[str, Any], reply: "Reply") -> list[str]:
    outcomes = ["answered"] * (reply.action == "answer")
    headings = len(re.findall(r"”[:：]|“[^”]+”\.|关于“[^”]+”，", reply.text))
    outcomes += ["split"] * (headings > 1)
    text = _plain(reply.text)
    known = [part for part in row["parts"] if part["article"]]
    told = [all(_holds(fact, text) for fact in part["facts"]) for part in known]
    if all(told) and len(known) == len(row["parts"]):
        outcomes.append("all told")
    named = headings > 1 and re.search(r"nothing sure on|没有找到可靠", reply.text)
    if len(row["parts"]) > 1 and (("all told" in outcomes) or (any(told) and named)):
        outcomes.append("told or named")
    return outcomes


def verdict_in(text: str) -> str:
    """Return what a reply begins with: "yes", "no", "depends", or ""."""
    from assistant.writing.templates import Sayings

    for sayings in Sayings.load_all().values():
        for opening in sayings.openings:
            for verdict in ("depends", "no", "yes"):
                if text.startswith(getattr(opening, verdict)):
                    return verdict
    return ""


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).lower()


def _holds(fact: str, text: str) -> bool:
    return any(_plain(one) in text for one in fact.split("|"))


if __name__ == "__main__":
    sys.exit(main())
