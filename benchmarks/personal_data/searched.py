"""Searches what a server keeps and says for personal data, however it is written."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.personal_data.invented import Invented

# What people put between the parts of a number.
BETWEEN = re.compile(r"[\s.()+-]+")
ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
# So many characters of a number in a row count as a part of it.
PART = 8


@dataclass(frozen=True, slots=True)
class Result:
    """Where a text's personal data was found, whole or in part."""

    text: Invented
    whole: tuple[str, ...]
    part: tuple[str, ...]


class Places:
    """Texts to search in, as they are and without what stands between digits."""

    def __init__(self, found: Mapping[str, bytes], sent: Sequence[Invented]) -> None:
        """Take what each place holds, by its name, and all texts that were sent."""
        texts = {name: data.decode("utf-8", "replace") for name, data in found.items()}
        self._plain = {name: _plain(text) for name, text in texts.items()}
        self._squeezed = {name: _squeezed(text) for name, text in texts.items()}
        self._of = Counter(part for text in sent for part in set(_parts(text.secret)))

    def search(self, text: Invented) -> Result:
        """Search for a text's personal data: as typed, in plain digits, and without gaps."""
        plain, squeezed = _plain(text.secret), _squeezed(text.secret)
        whole = tuple(
            name
            for name in self._plain
            if plain in self._plain[name] or squeezed in self._squeezed[name]
        )
        # What another text has too, such as the host of an address, tells nothing.
        parts = [part for part in _parts(text.secret) if self._of[part] == 1]
        part = tuple(
            name for name, said in self._squeezed.items() if any(part in said for part in parts)
        )
        return Result(text, whole, part)


def _plain(text: str) -> str:
    """Return a text without JSON's escapes, in compatible characters and small letters."""
    text = ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return unicodedata.normalize("NFKC", text).casefold()


def _squeezed(text: str) -> str:
    return BETWEEN.sub("", _plain(text))


def _parts(secret: str) -> list[str]:
    squeezed = _squeezed(secret)
    return [squeezed[n : n + PART] for n in range(len(squeezed) - PART + 1)]
