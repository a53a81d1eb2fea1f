"""Removes courtesies around a question: greetings before it, thanks after it."""

import functools
import re
from pathlib import Path

import yaml

from knowledge.segmenter import language_of, length

FILE = Path(__file__).with_name("courtesies.yml")
# The words (Chinese: characters) that must remain: "hi, how are you?" is not a question.
MIN_LENGTH = {"en": 4, "zh": 4}
# The most courtesies on each side, and the most characters of one.
MAX_COURTESIES, MAX_CHARACTERS = 4, 80
_SEPARATORS = " \t\n,.!;:~，。！；：、～…"


def without_courtesies(text: str) -> str:
    """Return a message without its courtesies, or unchanged if too little would remain.

    An encoder averages over all words, so courtesies would outweigh a short question.
    """
    before, after = _patterns()
    rest = whole = text.strip(_SEPARATORS)
    for _ in range(MAX_COURTESIES):
        if greeting := before.match(rest):
            rest = rest[greeting.end() :].lstrip(f"{_SEPARATORS}?？")
        # Searching the end alone keeps the time independent of the message's length.
        start = max(0, len(rest) - MAX_CHARACTERS)
        if thanks := after.search(rest, start):
            rest = rest[: thanks.start()].rstrip(_SEPARATORS)
    lang = "zh" if language_of(rest) == "zh" else "en"
    return text if rest == whole or length(rest) < MIN_LENGTH[lang] else rest


def unjoined(question: str, *, is_first: bool = False) -> str:
    """Return one question of several without the words that join it to its neighbours.

    "and how long does it take?" gives "how long does it take?".

    Args:
        question: The question.
        is_first: Whether it is the first one: "Plus" may be a name then.
    """
    joins = _joins()
    rest = question.strip(f"{_SEPARATORS}-–—")
    while not is_first and (found := joins.match(rest)):
        rest = rest[found.end() :].lstrip(_SEPARATORS)
    while found := joins.search(rest, max(0, len(rest) - MAX_CHARACTERS)):
        rest = rest[: found.start()].rstrip(_SEPARATORS)
    return rest or question


def is_joined(message: str, place: int) -> bool:
    """Return whether a word that joins another matter stands before a place or begins there."""
    before = message[:place].rstrip(f"{_SEPARATORS}-–—")
    joins = _joins()
    return bool(
        joins.match(message[place:]) or joins.search(before, max(0, len(before) - MAX_CHARACTERS))
    )


@functools.cache
def _joins() -> re.Pattern[str]:
    joins = "|".join(yaml.safe_load(FILE.read_text(encoding="utf-8"))["joins"].split("\n")[:-1])
    return re.compile(
        rf"\A(?:{joins})(?![a-z'])(?=.)|(?<=.)(?<![a-z'])(?:{joins})\Z", re.IGNORECASE | re.DOTALL
    )


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    courtesies = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    before, after = ("|".join(courtesies[side].split("\n")[:-1]) for side in ("before", "after"))
    # Whole words only: "hi" does not match the start of "hidden".
    return (
        re.compile(rf"(?:{before})(?![a-z'])", re.IGNORECASE),
        re.compile(rf"(?<![a-z'])(?:{after})[?？]?$", re.IGNORECASE),
    )
