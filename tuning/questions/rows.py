"""The rows of the training: messages, marked by what they ask.

A line of ``tuning/data/questions.*.jsonl`` is an object with ``text``, ``shape``, ``account``,
``parts`` (the questions one by one, each as it would be asked alone; [] for one question) and
``author``. A line of ``comparisons.*.jsonl`` has ``text``, ``shape``, ``author`` and ``sides``, the
words that name what is compared, in the text's order; [] where nothing is. Those of ``…_dev`` are
other authors': for choosing and reporting alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.intents.question_reader import SHAPES
from knowledge.segmenter import Span
from tuning.customer_messages import Part
from tuning.json_lines import read_labelled_lines

DATA = Path(__file__).parent.parent / "data"
LANGUAGES = ("en", "zh")
# The forms in which things are compared.
COMPARING = ("choice", "yes_no", "figure", "when")
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+(?:['’][^\W_\u3400-\u9fff]+)*")


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A message, and what it asks.

    Attributes:
        text: The message.
        shape: The form of its answer.
        account: Whether only the customer's account can tell; None where nobody said.
        cuts: Where its second question begins, and each after it; None where nobody said.
        lang: Its language.
        sides: Where the names of what it compares stand; None where nobody said.
    """

    text: str
    shape: str
    account: bool | None
    cuts: tuple[int, ...] | None
    lang: str
    sides: tuple[Span, ...] | None = None


def question_rows(part: Part) -> list[QuestionRow]:
    """Return the messages of a part, in both languages.

    Raises:
        ValueError: A shape is unknown, or a message has fewer words than parts.
    """
    name = "questions" if part == "train" else "questions_dev"
    rows = []
    cuts: tuple[int, ...] | None
    sides: tuple[Span, ...] | None
    for lang in LANGUAGES:
        for row in read_labelled_lines(DATA / f"{name}.{lang}.jsonl", "shape", SHAPES):
            cuts = cuts_of(row["text"], row["parts"])
            # Nobody marked what these compare; those of other forms compare nothing.
            sides = None if row["shape"] in COMPARING else ()
            rows.append(QuestionRow(row["text"], row["shape"], row["account"], cuts, lang, sides))
        file = DATA / f"{name.replace('questions', 'comparisons')}.{lang}.jsonl"
        for row in read_labelled_lines(file, "shape", SHAPES):
            sides = marked(row["text"], row["sides"])
            cuts = () if sides else None
            rows.append(QuestionRow(row["text"], row["shape"], None, cuts, lang, sides))
    return rows


def marked(text: str, sides: Sequence[str]) -> tuple[Span, ...]:
    """Return where words stand in a text, each after the one before.

    Raises:
        ValueError: A side is not among the words that are left.
    """
    spans: list[Span] = []
    for side in sides:
        start = text.find(side, spans[-1].end if spans else 0)
        if start < 0:
            raise ValueError(f"expected {side!r} after the sides before it, found {text!r}")
        spans.append(Span(start, start + len(side)))
    return tuple(spans)


def cuts_of(text: str, parts: Sequence[str]) -> tuple[int, ...]:
    """Return where the second question of a message begins, and each one after it.

    The parts stand alone, so that they have words that the message leaves out. The cuts are those
    for which the pieces share most words with their parts, and begin as questions do; a word that
    joins them belongs to the second.

    Args:
        text: The message.
        parts: The questions one by one; [] for one question.

    Raises:
        ValueError: The message has fewer words than parts.
    """
    words = list(_WORD.finditer(text.lower()))
    known = [set(_WORD.findall(part.lower())) for part in parts]
    if len(parts) < 2:  # noqa: PLR2004  # one question has no cut
        return ()
    if len(words) < len(parts):
        raise ValueError(f"expected at least {len(parts)} words, found {text!r}")
    # Dynamic programming: the best cuts of the first words into the first parts.
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
    for own in known:
        found: dict[int, tuple[float, tuple[int, ...]]] = {}
        for end in range(1, len(words) + 1):
            options = [
                (score + _worth(words[start:end], own, text), (*cuts, words[start].start()))
                for start, (score, cuts) in best.items()
                if start < end
            ]
            found[end] = max(options, default=(-np.inf, ()))
        best = found
    return best[len(words)][1][1:]


def _worth(words: Sequence[re.Match[str]], own: set[str], text: str) -> float:
    """Return how many words a piece shares with its part, and whether it begins as a question."""
    first = words[0].start()
    gap = text[:first].rstrip("\"'“‘(（")
    is_marked = bool(gap) and (not gap[-1].isalnum() or _JOINS.match(text, first) is not None)
    return sum(word.group() in own for word in words) + (MARKED if is_marked and first else 0)


# What a piece that follows a mark or begins with one of these words is worth, in shared words.
MARKED = 1.6
_JOINS = re.compile(
    r"(?:and|also|plus|or|n|btw|oh|another|different|second|separately|while)\b|&|\+"
    r"|另外|还有|顺便|顺带|对了|以及|再有|再问|再说|然后|那|还|并且|同时",
    re.IGNORECASE,
)
