"""Question sets of messages as customers type them, which are not part of the project.

The folder holds ``bank_first_en.jsonl`` and ``bank_first_zh.jsonl``, first messages to the bank,
and for each development help centre ``companies/<name>/questions.jsonl`` with the documents that
answer them in ``companies/<name>/docs``. ``tuning.customer_messages`` describes the lines. Only
what is for development is asked, since the rest trains.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from knowledge.build_index import BANK, current_articles
from tuning.customer_messages import DEV_CENTRES, CustomerMessage, read_messages
from tuning.question_sets import QuestionsError, QuestionSet

BANK_FILES = {"en": "bank_first_en.jsonl", "zh": "bank_first_zh.jsonl"}
CENTRES = [f"companies/{name}" for name in DEV_CENTRES]
EXPECTED = [
    *BANK_FILES.values(),
    *(f"{centre}/{part}" for centre in CENTRES for part in ("docs", "questions.jsonl")),
]


def customer_sets(folder: Path) -> list[QuestionSet]:
    """Return the sets of a folder: the bank's in each language, then one per help centre.

    A message without facts needs only the right article.

    Args:
        folder: As described above.

    Raises:
        QuestionsError: Something is missing, or a file has no message for development.
        ValueError: A line is not as described; the message names it.
        KnowledgeFolderError: A help centre has no valid article.
    """
    _check(folder)
    sets = [_bank_set(folder / name, lang) for lang, name in BANK_FILES.items()]
    return sets + [_centre_set(folder / centre) for centre in CENTRES]


def _check(folder: Path) -> None:
    missing = [name for name in EXPECTED if not (folder / name).exists()]
    if missing:
        found = f"no {', '.join(missing)}" if folder.is_dir() else "no such folder"
        raise QuestionsError(
            f"{folder}: expected customers' messages in {', '.join(EXPECTED)}; found {found}. "
            f"Give --customers a folder that holds all of these, such as $FRONTDESK_DATA/customers."
        )


def _bank_set(file: Path, lang: str) -> QuestionSet:
    rows = _rows(file, read_messages(file, "dev"), lang)
    return QuestionSet(f"lantern-{lang}-customers", "Lantern Bank", lang, rows, BANK)


def _centre_set(folder: Path) -> QuestionSet:
    file, docs = folder / "questions.jsonl", folder / "docs"
    lang = current_articles(docs)[0].lang
    rows = _rows(file, read_messages(file), lang)
    return QuestionSet(folder.name, "any", lang, rows, docs)


def _rows(file: Path, messages: Sequence[CustomerMessage], lang: str) -> list[dict[str, Any]]:
    # A later turn needs its conversation, which a set of single questions does not play.
    rows = [_row(message, lang) for message in messages if not message.is_later]
    if not rows:
        raise QuestionsError(
            f"{file}: expected at least one first message for development, found none. "
            f'In the bank\'s files that is every fourth line, or one with "part": "dev".'
        )
    return rows


def _row(message: CustomerMessage, lang: str) -> dict[str, Any]:
    return {
        "question": message.question,
        "history": [],
        "article": "|".join(message.articles) or None,
        "facts": list(message.facts),
        "forbidden": list(message.forbidden),
        "bucket": "customer",
        "lang": lang,
    }
