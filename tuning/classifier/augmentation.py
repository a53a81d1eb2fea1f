"""Varies training texts as customers do: typing errors, missing words, synonyms."""

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
# Shorter words are rarely mistyped, and a wrong letter turns them into other words.
SHORTEST = 4
PARAPHRASE = "Say this in other words, as a customer would type it. Answer with that alone: "
_WORD = re.compile(r"[A-Za-z]+")


def augmented(
    rows: Sequence[Labelled], options: Augmentation, seed: int, generator: "Generator | None" = None
) -> list[Labelled]:
    """Return the rows and their varied copies.

    Args:
        rows: The rows to vary.
        options: How much to vary them.
        seed: The seed of all random choices.
        generator: Writes paraphrases, if the options ask for them.
    """
    synonyms = _synonyms()
    varied = list(rows)
    for row in tqdm(rows, desc="Varying", unit="text", disable=generator is None):
        draw = random.Random(f"{seed} {row.text}")
        for _ in range(options.copies):
            text = _without_words(row.text, options.dropped_words, draw)
            text = _with_synonyms(text, options.synonyms, synonyms, draw)
            text = with_typing_errors(text, options.typing_errors, draw)
            varied.append(replace(row, text=text))
        if options.paraphrase and generator:
            prompt = [{"role": "user", "content": PARAPHRASE + row.text}]
            paraphrase = "".join(generator.generate(prompt))
            varied.append(replace(row, text=paraphrase.strip() or row.text))
    return list(_changed_in_place(varied, options, seed))


def _changed_in_place(
    rows: Sequence[Labelled], options: Augmentation, seed: int
) -> Iterator[Labelled]:
    polite = yaml.safe_load(POLITENESS.read_text(encoding="utf-8"))
    # The random choices depend on the text, so that a new text leaves all others as they were.
    seen: Counter[str] = Counter()
    for row in rows:
        seen[row.text] += 1
        draw = random.Random(f"{seed} {seen[row.text]} {row.text}")
        yield replace(row, text=_changed(row.text, options, polite, draw))


def _changed(
    text: str,
    options: Augmentation,
    polite: Mapping[str, Mapping[str, Sequence[str]]],
    draw: random.Random,
) -> str:
    if draw.random() < options.wrapped:
        phrases = polite["zh" if language_of(text) == "zh" else "en"]
        before, after = (draw.choice([*phrases[side], ""]) for side in ("before", "after"))
        between = "" if language_of(text) == "zh" else " "
        text = between.join(part for part in (before, text, after) if part)
    if draw.random() < options.lower_case:
        text = text.lower()
    if draw.random() < options.mistyped:
        text = with_typing_errors(text, options.typing_errors, draw)
    return text


def with_typing_errors(text: str, share: float, draw: random.Random) -> str:
    """Return a text with one edit in a share of its longer Latin words.

    Chinese stays as it is: wrong characters come from input methods, not from single keys.
    """

    def mistyped(match: re.Match[str]) -> str:
        word = match.group()
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
    """Yield the words of a text that have synonyms; Chinese words are found without spaces."""
    latin = set(_WORD.findall(text))
    for word in synonyms:
        if word in latin or (not word.isascii() and word in text):
            yield word


def _synonyms() -> dict[str, list[str]]:
    groups: list[str] = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    synonyms: dict[str, list[str]] = {}
    for group in groups:
        words = [word.strip() for word in group.split(",")]
        for word in words:
            synonyms[word] = [other for other in words if other != word]
    return synonyms
