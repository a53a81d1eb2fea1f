"""Messages as customers type them, with the sentences that answer each.

A line of a file is an object, or a list of them for a conversation: ``question``; ``doc`` (ids of
articles joined by ``|``, any is right; none where nothing answers); ``support`` (sentences of them,
word for word, the best first); ``facts`` and ``forbidden``; ``alone`` (a later turn in words that
need no conversation); ``answer`` (a short one for training a generator, which those sentences
support); ``part``, or else every fourth line is for development. This project's own
are in ``tuning/data/customers``; others are read from ``customers`` in FRONTDESK_DATA.
"""

import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from knowledge.build_index import BANK, current_articles
from knowledge.documents import Article
from tuning.companies import load_companies
from tuning.json_lines import read_json_lines
from tuning.public_data import data_folder

FOLDER = Path(__file__).with_name("data") / "customers"
Part = Literal["train", "dev"]
# Help centres as they really look, by language: for training, and for choosing alone.
TRAINING_CENTRES = ("northgate-council", "qingshan-yiyuan")
OWN_CENTRES = (
    "larkfield-leisure", "tallow-street", "wexcombe-energy",
    "lanjing-chuxing", "shunda-kuaidi", "yunqiao-tongxin",
)  # fmt: skip
DEV_CENTRES = ("plumtree-software", "haitun-gouwu")
# Characters that Markdown adds to a sentence, and spaces.
_MARKS = re.compile(r"[\s*_`|>#]")


@dataclass(frozen=True, slots=True)
class CustomerMessage:
    """A message.

    Attributes:
        question: What the customer typed; a later turn in words that need no conversation.
        articles: The ids of the articles that answer; empty where none does.
        support: The sentences that answer, the best first.
        facts: What the answer must say, each with alternatives joined by ``|``.
        forbidden: What it must not say.
        is_later: Whether it is a later turn of a conversation.
        answer: A short answer in words of its own; "" where none was written.
    """

    question: str
    articles: tuple[str, ...] = ()
    support: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    is_later: bool = False
    answer: str = ""


@dataclass(frozen=True, slots=True)
class HelpCentre:
    """A company's articles in one language, with its customers' messages."""

    name: str
    lang: str
    articles: Sequence[Article]
    messages: Sequence[CustomerMessage]


def help_centres(part: Part, lang: str | None = None) -> list[HelpCentre]:
    """Return the help centres whose customers wrote messages of a part.

    Training knows the bank, the companies of ``tuning/data/companies`` and the help centres named
    above; development the bank's other messages and the ``DEV_CENTRES``. Without FRONTDESK_DATA the
    messages of this project remain.

    Args:
        part: ``train`` or ``dev``.
        lang: "en" or "zh"; None for both.
    """
    shared = shared_folder()
    centres = [bank_centre(part, of, shared) for of in ("en", "zh")]
    own: tuple[str, ...] = ()
    theirs = DEV_CENTRES
    if part == "train":
        centres += _companies()
        own, theirs = OWN_CENTRES, TRAINING_CENTRES
    centres += [centre_of(FOLDER / name, [FOLDER / name / "questions.jsonl"]) for name in own]
    if shared:
        for name in theirs:
            folder = shared / "companies" / name
            files = [folder / "questions.jsonl", FOLDER / name / "unanswered.jsonl"]
            files += [folder / "talks.jsonl"] if part == "train" else []
            centres.append(centre_of(folder, [file for file in files if file.is_file()]))
    return [centre for centre in centres if lang in (None, centre.lang)]


def folder_of(centre: HelpCentre) -> Path:
    """Return the knowledge folder of a help centre that has one: not a training company.

    Raises:
        FileNotFoundError: It is part of the public data, and FRONTDESK_DATA names no folder.
    """
    if centre.name.startswith("bank-"):
        return BANK
    own = FOLDER / centre.name / "docs"
    return own if own.is_dir() else data_folder() / "customers" / "companies" / centre.name / "docs"


def shared_folder() -> Path | None:
    """Return the folder of other people's messages; None without FRONTDESK_DATA."""
    try:
        folder = data_folder() / "customers"
    except FileNotFoundError:
        return None
    return folder if folder.is_dir() else None


def bank_centre(part: Part, lang: str, shared: Path | None) -> HelpCentre:
    """Return the bank with its customers' messages.

    Args:
        part: ``train`` or ``dev``.
        lang: "en" or "zh".
        shared: The folder of other people's messages; None for this project's alone.
    """
    articles = [article for article in current_articles(BANK) if article.lang == lang]
    messages = read_messages(FOLDER / f"bank.{lang}.jsonl", part)
    if shared:
        messages += read_messages(shared / f"bank_first_{lang}.jsonl", part)
        # Later turns are for training alone here: how they are understood is another question.
        messages += read_messages(shared / f"bank_talks_{lang}.jsonl", part) * (part == "train")
    return HelpCentre(f"bank-{lang}", lang, articles, messages)


def _companies() -> list[HelpCentre]:
    """Return the training companies with their messages; a message names "company/article"."""
    found: dict[str, list[CustomerMessage]] = {}
    for lang in ("en", "zh"):
        file = FOLDER / f"companies.{lang}.jsonl"
        rows = read_json_lines(file)
        for row, message in zip(rows, read_messages(file), strict=True):
            names = [name.split("/") for name in message.articles] or [[row["company"], ""]]
            bare = tuple(article for _, article in names if article)
            own = dataclasses.replace(message, articles=bare)
            found.setdefault(names[0][0], []).append(own)
    return [
        HelpCentre(company.id, company.lang, company.articles, found[company.id])
        for company in load_companies("train")
        if company.id in found
    ]


def centre_of(folder: Path, files: Sequence[Path]) -> HelpCentre:
    """Return a help centre whose articles stand in ``docs``, with the messages of files."""
    articles = list(current_articles(folder / "docs"))
    messages = [message for file in files for message in read_messages(file)]
    return HelpCentre(folder.name, articles[0].lang, articles, messages)


def read_messages(file: Path, part: Part | None = None) -> list[CustomerMessage]:
    """Return the messages of a file that are answered or declined; small talk is left out.

    Args:
        file: A file as described above.
        part: Which lines; None for all.

    Raises:
        ValueError: A line is not as described; the message names it.
        FileNotFoundError: There is no such file.
    """
    messages: list[CustomerMessage] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        try:
            row = json.loads(line)
            turns = row if isinstance(row, list) else [row]
            own = turns[0].get("part") or ("train", "train", "train", "dev")[number % 4]
            if part in (None, own):
                counted = [(n, turn) for n, turn in enumerate(turns) if _counts(turn)]
                messages += [message_of(turn, n > 0) for n, turn in counted]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            raise ValueError(
                f"{file}:{number + 1}: expected a customer's message, found {line[:80]!r}"
            ) from None
    return messages


def _counts(turn: dict[str, Any]) -> bool:
    return turn.get("expect", "answer") == "decline" or bool(turn.get("doc"))


def message_of(turn: dict[str, Any], is_later: bool) -> CustomerMessage:
    """Return the message of an object as described above."""
    answered = bool(turn.get("doc")) and turn.get("expect", "answer") != "decline"
    return CustomerMessage(
        question=(is_later and turn.get("alone")) or turn["question"] + "",
        articles=tuple(turn["doc"].split("|")) if answered else (),
        support=tuple(turn.get("support", ())) if answered else (),
        facts=tuple(turn.get("facts", ())),
        forbidden=tuple(turn.get("forbidden", ())),
        is_later=is_later,
        answer=turn.get("answer", "") if answered else "",
    )


def supports(
    message: CustomerMessage, articles: Sequence[Article]
) -> Iterator[tuple[str, int, int]]:
    """Yield article, start and end of each place that holds a sentence of support, best first.

    Spaces and the marks of Markdown are ignored.

    Args:
        message: The message.
        articles: The company's.
    """
    texts = {article.id: article.text for article in articles if article.id in message.articles}
    bared = {name: _bared(text) for name, text in texts.items()}
    for sentence in message.support:
        wanted, _ = _bared(sentence)
        for name, (text, places) in bared.items():
            at = text.find(wanted)
            while wanted and at >= 0:
                yield name, places[at], places[at + len(wanted) - 1] + 1
                at = text.find(wanted, at + 1)


def _bared(text: str) -> tuple[str, list[int]]:
    """Return a text without marks, in lower case, and where each character stood."""
    kept = [(lower, at) for at, c in enumerate(text) if not _MARKS.match(c) for lower in c.lower()]
    return "".join(c for c, _ in kept), [at for _, at in kept]
