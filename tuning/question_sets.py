"""Question sets with key facts, each with the help centre that it asks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.messages import Message
from knowledge.build_index import BANK

DATA = Path(__file__).with_name("data")
KEYS = {"question", "history", "article", "facts", "forbidden", "bucket", "lang"}


class QuestionsError(ValueError):
    """A question set cannot be used; the message names file and line."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions of one language to one company."""

    name: str
    company: str
    lang: str
    rows: list[dict[str, Any]]
    articles: Path

    @contextmanager
    def knowledge(self) -> Iterator[Path]:
        """Give the folder of articles; a company kept in one YAML file is unpacked for the time."""
        if self.articles.is_dir():
            yield self.articles
            return
        from tuning.companies import as_folder, load_company

        with as_folder(load_company(self.articles)) as folder:
            yield folder


def load_question_sets(names: list[str] | None = None) -> list[QuestionSet]:
    """Return the sets that ship: the bank's, and those of companies that nothing was trained on.

    Args:
        names: Only these.

    Raises:
        QuestionsError: There is no set of that name, or a file breaks the shape.
    """
    found = [
        QuestionSet(
            f"lantern-{lang}",
            "Lantern Bank",
            lang,
            read_questions(DATA / f"lantern_questions.{lang}.jsonl"),
            BANK,
        )
        for lang in ("en", "zh")
    ]
    for file in sorted((DATA / "evaluation").glob("*.jsonl")):
        rows = read_questions(file)
        articles = file.with_suffix(".yml")
        found.append(QuestionSet(file.stem, "any", str(rows[0]["lang"]), rows, articles))
    if names is None:
        return found
    known = {entry.name: entry for entry in found}
    if unknown := set(names) - set(known):
        raise QuestionsError(
            f"Expected question sets among {', '.join(known)}, found {', '.join(sorted(unknown))}."
        )
    return [known[name] for name in names]


def read_questions(file: Path) -> list[dict[str, Any]]:
    """Read and check a question set.

    Raises:
        QuestionsError: It is missing, empty, or a line breaks the shape.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionsError(f"{file}: expected a question set, found {error}") from None
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            whole = set(row) == KEYS and (row["article"] is None or row["facts"])
        except (ValueError, TypeError):
            whole = False
        if not whole:
            raise QuestionsError(
                f"{file}:{number}: expected the keys {', '.join(sorted(KEYS))}, and facts where "
                f"there is an article; found {line[:80]!r}"
            )
        rows.append(row)
    if not rows:
        raise QuestionsError(f"{file}: expected at least one question, found none.")
    return rows


def history_of(row: dict[str, Any]) -> list[Message]:
    """Return a question's earlier messages."""
    return [Message(entry["role"], entry["text"]) for entry in row["history"]]
