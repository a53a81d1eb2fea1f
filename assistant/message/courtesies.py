"""Takes off what customers say around their question: greetings before it, thanks after it."""

import functools
import re
from pathlib import Path

import yaml

from knowledge.segmenter import language_of, length

FILE = Path(__file__).with_name("courtesies.yml")
# Words, in Chinese characters, that must be left: "hi, how are you?" is no question.
ENOUGH = {"en": 4, "zh": 4}
# Courtesies on one side, and characters of the longest.
MOST, LONGEST = 4, 80
_BETWEEN = " \t\n,.!;:~，。！；：、～…"


def without_courtesies(text: str) -> str:
    """Return a message without its courtesies; as it is where little else would be left.

    They outvote a short question otherwise: an encoder averages over all words.
    """
    before, after = _patterns()
    rest = whole = text.strip(_BETWEEN)
    for _ in range(MOST):
        if found := before.match(rest):
            rest = rest[found.end() :].lstrip(f"{_BETWEEN}?？")
        # The end alone is searched, so that a long message takes no longer.
        at = max(0, len(rest) - LONGEST)
        if found := after.search(rest, at):
            rest = rest[: found.start()].rstrip(_BETWEEN)
    lang = "zh" if language_of(rest) == "zh" else "en"
    return text if rest == whole or length(rest) < ENOUGH[lang] else rest


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    listed = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    first, last = ("|".join(listed[side].split("\n")[:-1]) for side in ("before", "after"))
    # A Latin word ends where its letters end.
    return (
        re.compile(rf"(?:{first})(?![a-z'])", re.IGNORECASE),
        re.compile(rf"(?<![a-z'])(?:{last})[?？]?$", re.IGNORECASE),
    )
