"""Replies by the form of the question, before and after: ``python -m benchmarks.shapes``.

Chooses the first ten of each form and language among the development rows about the demo bank,
asks them, and sets two files of replies side by side as Markdown.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "tuning" / "data"
LANGUAGES = ("en", "zh")
# Of each form and language.
CHOSEN = 10
EPILOG = """example:
  python -m benchmarks.shapes --choose rows.jsonl
  python -m benchmarks.shapes --rows rows.jsonl --out after.jsonl      # and with other code: before
  python -m benchmarks.shapes --merge before.jsonl after.jsonl > docs/replies.md
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.shapes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG,
    )
    parser.add_argument("--choose", type=Path, metavar="FILE", help="write the questions")
    parser.add_argument("--rows", type=Path, metavar="FILE", help="ask the questions of a file")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write the replies")
    parser.add_argument("--merge", type=Path, nargs=2, metavar=("BEFORE", "AFTER"))
    given = parser.parse_args(arguments)
    if given.choose:
        _write(given.choose, _chosen())
    elif given.rows and given.out:
        _write(given.out, _asked(_read(given.rows)))
    elif given.merge:
        print("\n".join(_merged(*map(_read, given.merge))))
    else:
        parser.error("expected --choose, --rows with --out, or --merge")
    return 0


def _read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _write(file: Path, rows: Iterator[dict[str, Any]]) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    file.write_text("".join(lines), encoding="utf-8")


def _chosen() -> Iterator[dict[str, Any]]:
    from assistant.config import load_settings
    from assistant.intents.question_reader import QuestionReader
    from knowledge.models.model_files import open_embedder

    settings = load_settings()
    reader = QuestionReader.open(open_embedder(settings.embedder, settings.state))
    assert reader  # noqa: S101  # it ships
    counts: dict[tuple[str, str], int] = {}
    for lang in LANGUAGES:
        for shape, question in _candidates(lang):
            form = shape or reader.read(question).shape
            if counts.get((lang, form), 0) < CHOSEN:
                counts[lang, form] = counts.get((lang, form), 0) + 1
                yield {"lang": lang, "shape": form, "q": question}


def _candidates(lang: str) -> Iterator[tuple[str, str]]:
    """Yield questions about the bank, each with its form, or "" if it is to be read."""
    for name in ("tables_dev", "answer_forms_dev", "verdicts_dev", "retrieval_dev"):
        for row in _read(DATA / f"{name}.{lang}.jsonl"):
            if row.get("company", "bank") == "bank" and len(row.get("parts", "??")) > 1:
                yield _form(row), row.get("q") or row["question"]
    for row in _read(DATA / f"lantern_questions.{lang}.jsonl"):
        if not row.get("history"):
            yield "", row["question"]


def _form(row: dict[str, Any]) -> str:
    """Return the form of a question as its file says it; "" where it does not."""
    marks = {"steps": "how", "parts": "two questions", "say": "yes_no"}
    kinds = {"cell": "table", "comparison": "choice"}
    marked = next((form for mark, form in marks.items() if mark in row), "")
    return marked or kinds.get(row.get("kind", ""), "")


def _asked(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    from tqdm import tqdm

    from assistant.assistant import Assistant
    from assistant.config import load_settings

    assistant = Assistant.from_config(load_settings(strategy="extractive"))
    for row in tqdm(rows, desc="asking"):
        yield {**row, "reply": assistant.reply(row["q"]).text}


def _merged(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> Iterator[str]:
    shapes = dict.fromkeys(row["shape"] for row in after)
    for shape in shapes:
        yield f"\n## {shape.replace('_', ' ')}\n"
        yield "| question | before | after |\n| --- | --- | --- |"
        for old, new in zip(before, after, strict=True):
            if new["shape"] == shape:
                same = "the same" if old["reply"] == new["reply"] else _cell(new["reply"])
                yield f"| {_cell(new['q'])} | {_cell(old['reply'])} | {same} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")


if __name__ == "__main__":
    sys.exit(main())
