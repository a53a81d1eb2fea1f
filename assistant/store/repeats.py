"""Tells whether a customer asks again what was replied to."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import SequenceMatcher

# Asked again within so long, the first reply did not help.
WITHIN = timedelta(hours=24)
# Latin words, numbers, and each Chinese character.
_WORD = re.compile(r"[^\W_\u3400-\u9fff]+|[\u3400-\u9fff]")
# What changes nothing about a question.
_FILLERS = frozenset(
    ("a", "an", "and", "hello", "hey", "hi", "ok", "please", "so", "sorry", "the", "um", "well")
) | frozenset("了吗呢啊您你好请问的呀吧")
# The letters of the shortest text that is a question, not a pick, and of a word with a slip in it.
SHORTEST, SLIP = 4, 4
LIKE = 0.8
# The questions before one in which slips are looked for; equal words are found in all.
LATEST = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that got a reply.

    Attributes:
        text: What the customer typed, masked.
        created: When.
    """

    text: str
    created: datetime
    words: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Find its words."""
        object.__setattr__(self, "words", words_of(self.text))

    @property
    def is_question(self) -> bool:
        """Whether there is enough of it to be asked again."""
        # A Chinese character says as much as two letters.
        size = sum(len(word) if word.isascii() else 2 for word in self.words)
        return size >= SHORTEST and not all(word.isdigit() for word in self.words)


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text that make a difference, whatever their order and case."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return frozenset(_WORD.findall(folded)) - _FILLERS


def is_same(first: frozenset[str], second: frozenset[str]) -> bool:
    """Return whether two questions have the same words, but for a slip in one of them."""
    only_first, only_second = first - second, second - first
    if not only_first and not only_second:
        return True
    if len(only_first) != 1 or len(only_second) != 1:
        return False
    one, other = *only_first, *only_second
    is_long = min(len(one), len(other)) >= SLIP and one.isalpha() and other.isalpha()
    return is_long and SequenceMatcher(None, one, other).ratio() >= LIKE


def is_repeated(asked: Sequence[Asked], begins: int = 0) -> bool:
    """Return whether a question was asked within a day before.

    Args:
        asked: The questions of a customer, oldest first.
        begins: The place of the first one that counts as asked again.
    """
    latest: dict[frozenset[str], datetime] = {}
    known: list[Asked] = []
    for place, question in enumerate(asked):
        if not question.is_question:
            continue
        if place >= begins:
            before = latest.get(question.words)
            if before and question.created - before <= WITHIN:
                return True
            near = (q for q in known[-LATEST:] if question.created - q.created <= WITHIN)
            if any(is_same(q.words, question.words) for q in near):
                return True
        latest[question.words] = question.created
        known.append(question)
    return False
