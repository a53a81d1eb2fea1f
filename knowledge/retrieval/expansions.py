"""Expansions: messages that a generator wrote for a passage, as customers would type them.

Search finds the passage by them (doc2query, Nogueira et al. 2019, arXiv 1904.08375). No customer
ever sees one, and none is evidence.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from knowledge.documents import Passage

logger = logging.getLogger(__name__)

FILE = "expansions.jsonl"


class MessageWriter(Protocol):
    """Writes messages that a passage answers, in the languages that it knows."""

    @property
    def name(self) -> str:
        """The model and its adapter: another one writes all messages again."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages of the passages that it writes for."""

    def write(self, passage: Passage) -> list[str]:
        """Return messages, none twice; an empty list where it has none."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """What was written for a passage, and the name of its writer."""

    writer: str
    messages: tuple[str, ...]


class ExpansionStore:
    """The expansions of one knowledge folder on disk, a line for each passage.

    A passage whose text changes has none. A line that was cut off, by a process that was killed,
    costs its own passage alone.
    """

    def __init__(self, folder: Path) -> None:
        """Read what is there; the folder need not exist."""
        self._file = folder / FILE
        self._lock = threading.Lock()
        self._known = _read(self._file)

    def of(self, passage: Passage) -> Expansion | None:
        """Return a passage's expansion, or None."""
        return self._known.get(_key(passage))

    def missing(self, passages: Sequence[Passage], writer: MessageWriter) -> list[Passage]:
        """Return the passages in a writer's languages that it has not written for."""
        wanted = [passage for passage in passages if passage.lang in writer.languages]
        return [p for p in wanted if (known := self.of(p)) is None or known.writer != writer.name]

    def add(self, passage: Passage, expansion: Expansion) -> None:
        """Keep a passage's expansion.

        Raises:
            OSError: It cannot be written.
        """
        row = {"passage": _key(passage), "writer": expansion.writer, "messages": expansion.messages}
        with self._lock:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                # A line that was cut off must not swallow this one.
                file.write(f"\n{json.dumps(row, ensure_ascii=False)}\n")
            self._known[_key(passage)] = expansion


def _key(passage: Passage) -> str:
    return hashlib.sha256(f"{passage.lang}\0{passage.name}\0{passage.text}".encode()).hexdigest()


def _read(file: Path) -> dict[str, Expansion]:
    if not file.is_file():
        return {}
    found, damaged = {}, 0
    # Not ``splitlines``: a message may hold one of the rarer marks at which that splits.
    for line in file.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            if line:
                row = json.loads(line)
                messages = tuple(str(message) for message in row["messages"])
                found[str(row["passage"])] = Expansion(str(row["writer"]), messages)
        except (ValueError, KeyError, TypeError):
            damaged += 1
    if damaged:
        logger.warning("%s: %d damaged lines; their passages have no expansions.", file, damaged)
    return found
