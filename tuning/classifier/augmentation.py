"""Varies training texts as customers vary them: typing errors, left-out words, synonyms."""

import random
import re
import string
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from tqdm import tqdm

from knowledge.segmenter import language_of
from tuning.classifier.config import Augmentation
from tuning.classifier.labelled_texts import Labelled

if TYPE_CHECKING:
    from assistant.generators.generator import Generator

SYNONYMS = Path(__file__).parent.parent / "data" / "synonyms.yml"
POLITENESS = Path(__file__).parent.parent / "data" / "politeness.yml"
# Shorter words are mistyped less, and a wrong letter makes another word of them.
SHORTEST = 4
PARAPHRASE = "Say this in other words, as a customer would type it. Answer with that alone: "
_WORD = re.compile(r"[A-Za-z]+")


def augmented(
    rows: Sequence[Labelled], wanted: Augmentation, seed: int, generator: "Generator | None" = None
) -> list[Labelled]:
    """Return the rows with their varied copies, and the lower-case ones lowered.

    Args:
        rows: What to vary.
        wanted: How much.
        seed: What the drawing begins with.
        generator: What words paraphrases, if they are wanted.
    """
    synonyms = _synonyms()
    found = list(rows)
    for row in tqdm(rows, desc="Varying", unit="text", disable=generator is None):
        draw = random.Random(f"{seed} {row.text}")
        for _ in range(wanted.copies):
            text = _without_words(row.text, wanted.dropped_words, draw)
            text = _with_synonyms(text, wanted.synonyms, synonyms, draw)
            text = with_typing_errors(text, wanted.typing_errors, draw)
            found.append(replace(row, text=text))
        if wanted.paraphrase and generator:
            said = "".join(generator.generate([{"role": "user", "content": PARAPHRASE + row.text}]))
            found.append(replace(row, text=said.strip() or row.text))
    polite = yaml.safe_load(POLITENESS.read_text(encoding="utf-8"))
    # Each text draws for itself, so that a new one leaves all others as they were.
    seen: Counter[str] = Counter()
    varied = []
    for row in found:
        seen[row.text] += 1
        draw = random.Random(f"{seed} {seen[row.text]} {row.text}")
        varied.append(replace(row, text=_in_place(row.text, wanted, polite, draw)))
    return varied


def _in_place(
    text: str,
    wanted: Augmentation,
    polite: Mapping[str, Mapping[str, Sequence[str]]],
    draw: random.Random,
) -> str:
    if draw.random() < wanted.wrapped:
        words = polite["zh" if language_of(text) == "zh" else "en"]
        before, after = (draw.choice([*words[side], ""]) for side in ("before", "after"))
        between = "" if language_of(text) == "zh" else " "
        text = between.join(part for part in (before, text, after) if part)
    if draw.random() < wanted.lower_case:
        text = text.lower()
    if draw.random() < wanted.mistyped:
        text = with_typing_errors(text, wanted.typing_errors, draw)
    return text


def with_typing_errors(text: str, share: float, draw: random.Random) -> str:
    """Return a text with one edit in a share of its longer Latin words.

    Chinese is left alone: wrong characters come from input methods, not from single keys.
    """

    def mistyped(found: re.Match[str]) -> str:
        word = found.group()
        if len(word) < SHORTEST or draw.random() >= share:
            return word
        return _edited(word, draw)

    return _WORD.sub(mistyped, text)


def _edited(word: str, draw: random.Random) -> str:
    at = draw.randrange(len(word) - 1)
    letter = draw.choice(string.ascii_lowercase)
    return draw.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        )
    )


def _without_words(text: str, share: float, draw: random.Random) -> str:
    words = text.split(" ")
    kept = [word for word in words if draw.random() >= share]
    return " ".join(kept) if kept else text


def _with_synonyms(
    text: str, share: float, synonyms: Mapping[str, Sequence[str]], draw: random.Random
) -> str:
    for word in _present(text, synonyms):
        if draw.random() < share:
            text = text.replace(word, draw.choice(synonyms[word]), 1)
    return text


def _present(text: str, synonyms: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the words of a text that have synonyms; Chinese has no blanks to look for."""
    latin = set(_WORD.findall(text))
    for word in synonyms:
        if word in latin or (not word.isascii() and word in text):
            yield word


def _synonyms() -> dict[str, list[str]]:
    groups: list[str] = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    found: dict[str, list[str]] = {}
    for group in groups:
        words = [word.strip() for word in group.split(",")]
        for word in words:
            found[word] = [other for other in words if other != word]
    return found
