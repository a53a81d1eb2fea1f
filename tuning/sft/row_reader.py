"""Reads and checks training rows, and judges generated answers by them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.grounding.grounder import figures
from knowledge.segmenter import words

# Words that a right answer shares with the written one, as an F1.
SAME = 0.5


class RowsError(ValueError):
    """Rows cannot be trained on; the message names file and line."""


@dataclass(frozen=True, slots=True)
class ReadRows:
    """Rows of both parts."""

    train: list[dict[str, Any]]
    dev: list[dict[str, Any]]


def read_rows(folder: Path) -> ReadRows:
    """Read ``train.jsonl`` and ``dev.jsonl`` and check each row.

    Raises:
        RowsError: A file is missing or empty, a row breaks the shape, or a prompt was not rendered
            by the template that serves now.
    """
    parts = ReadRows(_read(folder / "train.jsonl"), _read(folder / "dev.jsonl"))
    _check_templates(folder)
    return parts


def _read(file: Path) -> list[dict[str, Any]]:
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
        spoken = [*row["prompt"], *row["completion"]]
        whole = all(isinstance(m["role"] + m["content"], str) and m["content"] for m in spoken)
        ends = row["completion"][-1]["role"] == "assistant" and row["prompt"][-1]["role"] == "user"
        if whole and ends:
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
        return  # rows of a user's own
    for lang, made_with in json.loads(report.read_text(encoding="utf-8"))["templates"].items():
        template = PromptTemplate.load("answer_tuned", lang)
        now = f"{template.id}@{template.version}:{template.hash}"
        if now != made_with:
            raise RowsError(
                f"{folder}: expected rows rendered by {now}, which serves, found rows rendered by "
                f"{made_with}. Make them again with tuning.dataset."
            )


def is_right(said: str, written: str, declines: Sequence[str]) -> bool:
    """Tell whether a generated answer does what the written one does.

    It must decline where that declines and nowhere else, hold the same figures, and share half of
    its words.

    Args:
        said: What the model generated.
        written: The row's completion.
        declines: The sentences that decline, of all languages.
    """
    said_no, written_no = (any(no in text for no in declines) for text in (said, written))
    if said_no != written_no or figures(said) != figures(written):
        return False
    mine, theirs = set(words(said)), set(words(written))
    return 2 * len(mine & theirs) >= SAME * (len(mine) + len(theirs))
