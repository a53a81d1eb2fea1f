"""Training rows written by hand: kinds of answers that no article's own questions bring out.

Each line of ``tuning/data/worded.<language>.jsonl`` is a question, the sentences that a turn chose
from a company's articles, and the answer in few words. ``lang`` is the language of question and
answer; a company in the other language makes it an answer across languages.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.grounding.claims import values
from assistant.grounding.grounder import figures
from assistant.messages import Message
from assistant.writing.templates import PromptTemplate
from knowledge.documents import Hit, Passage
from tuning.companies import DEV, Company
from tuning.dataset.answer_rows import DATA, Row

Kind = Literal["across", "choice", "complaint", "decline_near", "table", "two_articles", "yes_no"]


Lang = Literal["en", "zh"]


class Sentence(BaseModel):
    """A sentence as an article has it; a row of a table as it is read aloud, under its title."""

    model_config = ConfigDict(extra="forbid")

    article: str
    text: str = Field(min_length=2)


class WrittenRow(BaseModel):
    """A question, the chosen sentences and the answer in few words; "" if they do not answer."""

    model_config = ConfigDict(extra="forbid")

    company: str
    """Empty for rows of tables, which no company's articles have."""
    lang: Lang
    kind: Kind
    question: str = Field(min_length=2)
    last: tuple[str, str] | None = None
    sentences: list[Sentence] = Field(min_length=1, max_length=6)
    answer: str
    author: str


def load_written_rows(lang: Lang, part: str) -> list[WrittenRow]:
    """Return the rows of a language and part; the part is the company's.

    Raises:
        ValueError: A line is not a row; the message names it.
    """
    file = DATA / f"worded.{lang}.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(WrittenRow.model_validate_json(line))
        except ValueError as error:
            raise ValueError(f"{file}:{number}: expected a row, found: {error}") from None
    return [row for row in rows if (row.company in DEV) == (part == "dev")]


def written_rows(lang: Lang, part: str) -> Iterator[Row]:
    """Yield the rows of a language and part as the other makers make them."""
    from tuning.companies import load_companies

    decline = PromptTemplate.load("answer_tuned", lang).decline
    known = {c.id: c for of in ("train", "dev") for c in load_companies(of)}
    for row in load_written_rows(lang, part):
        articles = known[row.company].articles if row.company else ()
        titles = {article.id: (article.title, article.lang) for article in articles}
        passages = []
        for sentence in row.sentences:
            text = " ".join(sentence.text.split())
            title, of = titles.get(sentence.article, (sentence.article, lang))
            passages.append(Passage(sentence.article, of, title, "", text, 0, len(text)))
        yield Row(
            company=row.company or "tables",
            lang=lang,
            kind=row.kind,
            question=row.question,
            hits=tuple(Hit(passage, 1.0) for passage in passages),
            completion=row.answer or decline,
            history=_history(row),
        )


def _history(row: WrittenRow) -> tuple[Message, ...]:
    if not row.last:
        return ()
    asked, answered = row.last
    return Message("user", asked), Message("assistant", answered)


def problems(row: WrittenRow, company: Company | None) -> list[str]:
    """Return what is wrong with a row: sentences in no article, values in no sentence."""
    articles = {a.id: " ".join(a.text.split()) for a in (company.articles if company else ())}
    found = [
        f"the article {sentence.article} has no sentence {sentence.text!r}"
        for sentence in row.sentences
        if company and " ".join(sentence.text.split()) not in articles.get(sentence.article, "")
    ]
    given = " ".join(sentence.text for sentence in row.sentences)
    if (row.kind == "table") != (company is None):
        found.append("no company, which only the kind table has")
    if company and (row.kind == "across") != (row.lang != company.lang):
        found.append(f"{row.kind}: answered in {row.lang} from {company.lang}")
    if (row.kind == "decline_near") != (not row.answer):
        found.append("an empty answer, which only the kind decline_near has")
    if more := figures(row.answer) - figures(given):
        found.append(f"figures in no sentence: {', '.join(sorted(more))}")
    if row.kind != "across" and (more_values := values(row.answer) - values(given)):
        found.append(f"values in no sentence: {sorted(more_values)}")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is wrong with files of rows; return 1 if anything is."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.dataset.written_rows",
        description="Checks rows written by hand, for their authors.",
        epilog="Example: python -m tuning.dataset.written_rows tuning/data/worded.en.jsonl",
    )
    parser.add_argument("files", nargs="+", type=Path, help="JSON lines")
    options = parser.parse_args(arguments)
    from tuning.companies import load_companies

    companies = {c.id: c for part in ("train", "dev") for c in load_companies(part)}
    found = [line for file in options.files for line in _checked(file, companies)]
    print("\n".join([*found, f"{len(found)} problems"]))
    return int(bool(found))


def _checked(file: Path, companies: dict[str, Company]) -> Iterator[str]:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = WrittenRow.model_validate_json(line)
            wrong = problems(row, companies[row.company] if row.company else None)
        except (ValueError, KeyError) as error:
            wrong = [str(error)]
        yield from (f"{file}:{number}: {problem}" for problem in wrong)


if __name__ == "__main__":
    raise SystemExit(main())
