"""Sets of conversations as customers type them: this project's own, and others' outside it.

A line of a file is a conversation, a list of turns. A turn has ``question``, ``kind`` and
``expect`` (one of ``EXPECTED``), and where articles answer it ``doc`` (their ids joined by ``|``),
``facts`` and ``forbidden``. A later turn has ``alone``, the same in words that need no
conversation. The first has ``company`` where a file has several: ``bank``, or a company of
``tuning/data/companies``. Only what is for development is played, since the rest trains.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.build_index import BANK, current_articles
from tuning.companies import FOLDER as COMPANIES
from tuning.customer_messages import DEV_CENTRES, FOLDER
from tuning.question_sets import QuestionsError

EXPECTED = ("answer", "decline", "small_talk", "handoff", "clarify_or_answer")
LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Turn:
    """What a customer types, and what the reply must do.

    ``articles`` are ids joined by ``|``, "" if none answers. ``alone`` needs no conversation.
    """

    question: str
    kind: str
    expect: str
    articles: str
    facts: tuple[str, ...]
    forbidden: tuple[str, ...]
    alone: str

    @property
    def expected(self) -> str:
        """The articles with the facts or, where no answer is expected, the action."""
        return f"{self.articles}: {', '.join(self.facts)}" if self.articles else self.expect

    def as_row(self) -> dict[str, Any]:
        """Return the turn as a row of a question set, which ``judge_reply`` takes."""
        article = self.articles or None
        return {"article": article, "facts": self.facts, "forbidden": self.forbidden}


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation of a set.

    ``line`` is its number in the set's file, from 1. ``articles`` is a folder of articles, or the
    YAML file of a company.
    """

    set: str
    lang: str
    line: int
    articles: Path
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class ConversationSet:
    """Conversations in one language."""

    name: str
    lang: str
    conversations: Sequence[Conversation]


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a set is read, and which lines of the file are its: by number from 1 and company."""

    name: str
    file: Path
    articles: Callable[[str], Path]
    lang: str | None = None
    takes: Callable[[int, str], bool] = lambda number, company: True


def load_conversation_sets(
    names: Sequence[str] | None = None, customers: Path | None = None
) -> list[ConversationSet]:
    """Return this project's sets and, of a folder, the customers'.

    Args:
        names: The sets to return; None for all. Other names are left out.
        customers: A folder as ``tuning.evaluate.customer_sets`` describes it, with
            ``bank_talks_en.jsonl``, ``bank_talks_zh.jsonl`` and a ``talks.jsonl`` per help centre.

    Raises:
        QuestionsError: A file is missing, empty, or has another format.
        KnowledgeFolderError: A help centre has no valid article.
    """
    sources = _sources(customers)
    return [_loaded(source) for source in sources if names is None or source.name in names]


def conversation_set_names(customers: Path | None = None) -> set[str]:
    """Return the names of all sets; no file is read."""
    return {source.name for source in _sources(customers)}


def _sources(customers: Path | None) -> list[_Source]:
    return [*_own(), *(_theirs(customers) if customers else ())]


def _own() -> Iterator[_Source]:
    for lang in LANGUAGES:
        file = FOLDER / f"talks_dev.{lang}.jsonl"
        # Apart, because the bank has its own policy and was trained on.
        yield _Source(f"lantern-{lang}-talks", file, _articles, lang, lambda _, c: c == "bank")
        yield _Source(f"companies-{lang}-talks", file, _articles, lang, lambda _, c: c != "bank")


def _theirs(folder: Path) -> Iterator[_Source]:
    for lang in LANGUAGES:
        file = folder / f"bank_talks_{lang}.jsonl"
        name = f"lantern-{lang}-customers-talks"
        yield _Source(name, file, lambda _: BANK, lang, lambda number, _: number % 4 == 0)
    yield from (_of_centre(folder / "companies" / name) for name in DEV_CENTRES)


def _of_centre(folder: Path) -> _Source:
    return _Source(f"{folder.name}-talks", folder / "talks.jsonl", lambda _: folder / "docs")


def _articles(company: str) -> Path:
    return BANK if company == "bank" else COMPANIES / f"{company}.yml"


def _loaded(source: _Source) -> ConversationSet:
    try:
        lines = source.file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionsError(
            f"{source.file}: expected conversations, found {error}. Add them, or leave "
            f"conversations out with --no-conversations."
        ) from None
    found = [_conversation(source, number, line) for number, line in enumerate(lines, 1)]
    chosen = [conversation for conversation in found if conversation]
    if not chosen:
        raise QuestionsError(f"{source.file}: expected conversations of {source.name}, found none.")
    return ConversationSet(source.name, chosen[0].lang, chosen)


def _conversation(source: _Source, number: int, line: str) -> Conversation | None:
    """Return the conversation of a line; None if the set does not take it."""
    try:
        first, *later = json.loads(line)
        company = first.get("company", "bank")
        if not source.takes(number, company):
            return None
        turns = (_turn(first), *map(_turn, later))
        articles = source.articles(company)
    except (ValueError, KeyError, TypeError, AttributeError):
        turns, articles = (), Path()
    if not turns or not articles.exists():
        raise QuestionsError(
            f"{source.file}:{number}: expected a list of turns, each with question, kind and "
            f"expect ({', '.join(EXPECTED)}), with a known company; found {line[:80]!r}"
        )
    lang = source.lang or current_articles(articles)[0].lang
    return Conversation(source.name, lang, number, articles, turns)


def _turn(row: dict[str, Any]) -> Turn:
    if row["expect"] not in EXPECTED:
        raise ValueError(row["expect"])
    return Turn(
        question=row["question"],
        kind=row["kind"],
        expect=row["expect"],
        articles=row.get("doc") or "",
        facts=tuple(row.get("facts", ())),
        forbidden=tuple(row.get("forbidden", ())),
        alone=row.get("alone") or row["question"],
    )
