"""Question sets with key facts, each for one help centre."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.messages import Message
from knowledge.build_index import BANK

DATA = Path(__file__).with_name("data")
# The company of a set whose questions are in another language than its articles.
ACROSS = "across"
KEYS = {"question", "history", "article", "facts", "forbidden", "bucket", "lang"}


class QuestionsError(ValueError):
    """Raised when a question set cannot be used; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions to one company, in one language.

    ``articles`` is a folder of articles, or the YAML file of a company.
    """

    name: str
    company: str
    lang: str
    rows: list[dict[str, Any]]
    articles: Path

    @contextmanager
    def knowledge(self) -> Iterator[Path]:
        """Yield the folder of articles, as ``knowledge_folder`` does."""
        with knowledge_folder(self.articles) as folder:
            yield folder


@contextmanager
def knowledge_folder(articles: Path) -> Iterator[Path]:
    """Yield a folder of articles; a company's YAML file is unpacked for the ``with`` block."""
    if articles.is_dir():
        yield articles
        return
    from tuning.companies import as_folder, load_company

    with as_folder(load_company(articles)) as folder:
        yield folder


def load_question_sets(names: list[str] | None = None) -> list[QuestionSet]:
    """Return the shipped sets: the bank's, and those of companies on which nothing was trained.

    Args:
        names: The sets to return; None for all of them but those that end in ``-across``, which ask
            in another language than the articles'.

    Raises:
        QuestionsError: A name is unknown, or a file has another format.
    """
    sets = [
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
        sets.append(QuestionSet(file.stem, "any", str(rows[0]["lang"]), rows, articles))
    if names is None:
        return sets
    for file in sorted((DATA / "evaluation" / ACROSS).glob("*.jsonl")):
        rows = read_questions(file)
        articles = file.parent.parent / f"{file.stem}.yml"
        name, lang = f"{file.stem}-{ACROSS}", str(rows[0]["lang"])
        sets.append(QuestionSet(name, ACROSS, lang, rows, articles))
    known = {entry.name: entry for entry in sets}
    if unknown := set(names) - set(known):
        raise QuestionsError(
            f"Expected question sets among {', '.join(known)}, found {', '.join(sorted(unknown))}."
        )
    return [known[name] for name in names]


def read_questions(file: Path) -> list[dict[str, Any]]:
    """Read and check a question set.

    Raises:
        QuestionsError: The file is missing or empty, or a line has another format.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionsError(f"{file}: expected a question set, found {error}") from None
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            is_valid = set(row) == KEYS and (row["article"] is None or row["facts"])
        except (ValueError, TypeError):
            is_valid = False
        if not is_valid:
            raise QuestionsError(
                f"{file}:{number}: expected the keys {', '.join(sorted(KEYS))}, and facts if there "
                f"is an article; found {line[:80]!r}"
            )
        rows.append(row)
    if not rows:
        raise QuestionsError(f"{file}: expected at least one question, found none.")
    return rows


def history_of(row: dict[str, Any]) -> list[Message]:
    """Return the messages before a question."""
    return [Message(entry["role"], entry["text"]) for entry in row["history"]]
