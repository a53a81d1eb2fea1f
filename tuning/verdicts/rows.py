"""The rows of the training: questions, what a help page says, and whether that is a yes.

A line of ``tuning/data/verdicts.*.jsonl`` is a page: ``title``, ``text``, ``author`` and
``questions``, each with ``q`` and ``say``, one of ``VERDICTS``. A line of ``verdicts_dev`` is a
question of another author about the demo bank or a company for development: ``company``,
``article``, ``q``, ``say``, ``author`` and ``sentence``, the article's sentence that settles it.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.config import BANK
from assistant.evidence.verdict import VERDICTS
from knowledge.build_index import current_articles
from tuning.companies import load_companies
from tuning.json_lines import read_json_lines

DATA = Path(__file__).parent.parent / "data"
LANGUAGES = ("en", "zh")
# For each page so many of its questions are asked of another page too, which leaves them open.
ASTRAY = 1
# How the answers of the companies' training questions begin that say yes or no.
OPENINGS = {
    "en": {"yes, ": "yes", "yes. ": "yes", "no, ": "no", "no. ": "no"},
    "zh": {
        "可以": "yes", "能": "yes", "是的": "yes", "会": "yes",
        "不可以": "no", "不能": "no", "不用": "no", "不会": "no", "不是": "no",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A question, a page's title and sentences, and the verdict."""

    question: str
    title: str
    said: str
    verdict: str
    lang: str


def verdict_rows() -> list[VerdictRow]:
    """Return the rows for training, in both languages.

    Raises:
        ValueError: A verdict is unknown.
    """
    chance = random.Random(0)
    rows = []
    for lang in LANGUAGES:
        file = DATA / f"verdicts.{lang}.jsonl"
        pages = read_json_lines(file)
        for number, page in enumerate(pages, 1):
            for asked in page["questions"]:
                if asked["say"] not in VERDICTS:
                    raise ValueError(
                        f"{file}:{number}: expected one of {VERDICTS}, found {asked['say']!r}."
                    )
                rows.append(VerdictRow(asked["q"], page["title"], page["text"], asked["say"], lang))
            other = pages[chance.randrange(len(pages))]
            if other is not page:
                astray = chance.sample(page["questions"], ASTRAY)
                rows += [
                    VerdictRow(asked["q"], other["title"], other["text"], "open", lang)
                    for asked in astray
                ]
        rows += _of_companies(lang)
    return rows


def _of_companies(lang: str) -> Iterator[VerdictRow]:
    """Yield the companies' questions that have an answer which says yes or no."""
    for company in load_companies("train"):
        if company.lang != lang:
            continue
        articles = {article.id: article for article in company.articles}
        for pair in company.pairs:
            answer = pair.answer.lower()
            said = next((v for o, v in OPENINGS[lang].items() if answer.startswith(o)), None)
            if said and pair.article and _is_polar(pair.question, lang):
                article = articles[pair.article]
                yield VerdictRow(pair.question, article.title, article.text, said, lang)


def _is_polar(question: str, lang: str) -> bool:
    """Return whether a Chinese question has the form of one; English answers tell by themselves."""
    return lang == "en" or question.rstrip("?？").endswith(("吗", "不", "么", "没", "吧"))


def dev_rows() -> list[VerdictRow]:
    """Return the rows for development, with the sentence that settles each.

    Where nothing settles it, the sentences are the article's first ones.
    """
    rows = []
    articles = {
        ("bank", article.id, str(article.lang)): article for article in current_articles(BANK)
    }
    for company in load_companies("dev"):
        articles |= {(company.id, own.id, str(own.lang)): own for own in company.articles}
    for lang in LANGUAGES:
        for row in read_json_lines(DATA / f"verdicts_dev.{lang}.jsonl"):
            article = articles[row["company"], row["article"], lang]
            said = row["sentence"] or article.text
            rows.append(VerdictRow(row["q"], article.title, said, row["say"], lang))
    return rows


def by_language(rows: Sequence[VerdictRow], lang: str) -> list[int]:
    """Return the places of a language's rows."""
    return [number for number, row in enumerate(rows) if row.lang == lang]
