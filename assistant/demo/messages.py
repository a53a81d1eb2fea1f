"""What invented customers and agents say, in each language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from knowledge.documents import Article

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Messages:
    """The messages of one language.

    Attributes:
        questions: What customers ask.
        unanswered: Groups of questions that no article answers; those of a group ask for the same.
        urgent: Of somebody who may be in danger.
        more: What is said later in a conversation, by kind: person, thanks, unhappy, after_person,
            agent, note and wrong.
    """

    questions: Sequence[str]
    unanswered: Sequence[Sequence[str]]
    urgent: Sequence[str]
    more: Mapping[str, Sequence[str]]


def bank_messages(lang: str) -> Messages:
    """Return what customers of the demo bank say."""
    said = _said(lang)
    groups = [[str(one) for one in group] for group in said["unanswered"]]
    return Messages(said["questions"], groups, said["urgent"], said)


def company_messages(lang: str, articles: Sequence[Article]) -> Messages | None:
    """Return what customers of any other company may say: questions from its articles' titles.

    Args:
        lang: Their language.
        articles: The company's articles; those of another language are left out.

    Returns:
        The messages; None where there is no article in the language.
    """
    said = _said(lang)
    titles = sorted({article.title for article in articles if str(article.lang) == lang})
    forms = said["titles"]
    questions = [
        forms[place % len(forms)].format(title=title if lang == "zh" else title.lower())
        for place, title in enumerate(titles)
    ]
    return Messages(questions, said["unanswered"], (), said) if questions else None


@cache
def _said(lang: str) -> dict[str, Any]:
    text = (FOLDER / f"messages.{lang}.yml").read_text(encoding="utf-8")
    said: dict[str, Any] = yaml.safe_load(text)
    return said
