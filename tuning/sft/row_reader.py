"""Reads and checks training rows."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class RowsError(ValueError):
    """Rows cannot be used for training; the message names file and line."""


@dataclass(frozen=True, slots=True)
class RowParts:
    """The training and the development rows."""

    train: list[dict[str, Any]]
    dev: list[dict[str, Any]]


def read_rows(folder: Path) -> RowParts:
    """Read ``train.jsonl`` and ``dev.jsonl`` and check each row.

    Raises:
        RowsError: A file is missing or empty, a row has another shape, or the prompts were rendered
            with another template than the product's current one.
    """
    parts = RowParts(_read_part(folder / "train.jsonl"), _read_part(folder / "dev.jsonl"))
    _check_templates(folder)
    return parts


def _read_part(file: Path) -> list[dict[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RowsError(
            f"{file}: expected training rows, found {error}. Make them with tuning.dataset."
        ) from None
    rows = [_checked(file, number, line) for number, line in enumerate(lines, 1)]
    if not rows:
        raise RowsError(f"{file}: expected at least one row, found none.")
    return rows


def _checked(file: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        messages = [*row["prompt"], *row["completion"]]
        whole = all(isinstance(m["role"] + m["content"], str) and m["content"] for m in messages)
        roles = row["prompt"][-1]["role"], row["completion"][-1]["role"]
        if whole and roles == ("user", "assistant"):
            return {**row, "kind": str(row.get("kind", "answer"))}
    except (ValueError, KeyError, TypeError, IndexError):
        pass
    raise RowsError(
        f'{file}:{number}: expected {{"prompt": [… "user"], "completion": [{{"role": "assistant", '
        f'"content": "…"}}]}} without empty messages, found {line[:80]!r}'
    )


def _check_templates(folder: Path) -> None:
    from assistant.writing.templates import PromptTemplate

    report = folder / "report.json"
    if not report.exists():
        return  # rows that the user wrote
    for lang, made_with in json.loads(report.read_text(encoding="utf-8"))["templates"].items():
        template = PromptTemplate.load("answer_tuned", lang)
        current = f"{template.id}@{template.version}:{template.hash}"
        if current != made_with:
            raise RowsError(
                f"{folder}: expected rows rendered with the current template, {current}, found "
                f"{made_with}. Make them again with tuning.dataset."
            )
