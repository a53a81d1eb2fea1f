"""Whether answers fit their questions: ``python -m benchmarks.answer_forms``.

Asks the demo bank and the development companies what stands in ``tuning/data``: yes-or-no questions
(``verdicts_dev``), messages with two questions or one that looks like two, how-to questions
(``answer_forms_dev``), and, of the bank and of a company that is made of tables, questions for one
cell and comparisons (``tables_dev``). Prints how often the first word is given and right, both
questions are answered or the open one named, all steps come in order, a cell's figure is right and
its row and column are named, and both sides of a comparison are told.
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
    parser.add_argument("--kinds", nargs="+", help="only these, such as comparison; default: all")
    parser.add_argument("--languages", nargs="+", default=LANGUAGES, help="default: en zh")
    given = parser.parse_args(arguments)
    counts: dict[tuple[str, str], Counter[str]] = {}
    told = []
    for lang in given.languages:
        rows = _rows(lang, given.kinds)
        for company, assistant in _assistants(lang, given.state, set(rows)):
            for kind, row in rows[company]:
                reply = assistant.reply(row["q"])
                outcomes = JUDGED[kind](row, reply)
                counts.setdefault((lang, kind), Counter()).update(["questions", *outcomes])
                told.append({**row, "kind": kind, "outcomes": outcomes, "reply": reply.text})
            print(f"{company} ({lang}) asked", file=sys.stderr)
    for (lang, kind), counted in sorted(counts.items()):
        print(f"{lang} {kind}: " + ", ".join(f"{name} {n}" for name, n in counted.items()))
    if given.out:
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in told)
        given.out.write_text("".join(lines), encoding="utf-8")
    return 0


def _assistants(lang: str, state: Path, wanted: set[str]) -> "Iterator[tuple[str, Assistant]]":
    """Yield the assistants of the companies that are wanted, by their names in the rows."""
    from assistant.assistant import Assistant
    from assistant.config import load_settings
    from tuning.companies import as_folder, load_companies, load_company
    from tuning.verdicts.rows import DATA

    how = {"state": state, "strategy": "extractive"}
    if "bank" in wanted:
        yield "bank", Assistant.from_config(load_settings(**how))
    tables = load_company(DATA / f"tables_dev.{lang}.yml")
    for company in [*load_companies("dev"), tables]:
        name = company.id.split(".")[0]
        if company.lang == lang and name in wanted:
            with as_folder(company) as folder:
                yield (
                    company.id.split(".")[0],
                    Assistant.from_config(load_settings(knowledge=folder, **how)),
                )


def _rows(lang: str, kinds: Sequence[str] | None) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Return the rows of each company, each with its kind."""
    from tuning.json_lines import read_json_lines
    from tuning.verdicts.rows import DATA

    rows: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for name in ("verdicts_dev", "answer_forms_dev", "tables_dev"):
        for row in read_json_lines(DATA / f"{name}.{lang}.jsonl"):
            kind = _kind(row)
            if not kinds or kind in kinds:
                rows.setdefault(row["company"], []).append((kind, row))
    return rows


def _kind(row: dict[str, Any]) -> str:
    if "say" in row:
        return "yes or no"
    if "steps" in row:
        return "how to"
    if "parts" in row:
        return "two questions" if len(row["parts"]) > 1 else "one question"
    return "table cell" if row["kind"] == "cell" else "comparison"


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


def _cell(row: dict[str, Any], reply: "Reply") -> list[str]:
    answered = reply.action == "answer"
    text = _plain(reply.text)
    outcomes = ["answered"] * answered
    outcomes += ["figure"] * (answered and all(_holds(fact, text) for fact in row["facts"]))
    if answered and any("|" in citation.quote for citation in reply.citations):
        outcomes.append("from a table")
        named = [name for name in (row["row"], row["column"]) if name]
        if all(_plain(name) in text for name in named):
            outcomes.append("row and column named")
    return outcomes


def _sides(row: dict[str, Any], reply: "Reply") -> list[str]:
    text = _plain(reply.text)
    told = sum(all(_holds(fact, text) for fact in facts) for _, facts in row["sides"])
    outcomes = ["answered"] * (reply.action == "answer")
    return outcomes + ["both sides"] * (told == len(row["sides"])) + ["one side"] * (told == 1)


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
    figures = (rf"(?<![\d.,]){re.escape(_plain(one))}(?![\d]|[.,]\d)" for one in fact.split("|"))
    return any(re.search(figure, text) for figure in figures)


JUDGED = {
    "yes or no": _first_word,
    "how to": _steps,
    "two questions": _parts,
    "one question": _parts,
    "table cell": _cell,
    "comparison": _sides,
}

if __name__ == "__main__":
    sys.exit(main())
