"""What is known of a message before a word of the reply is said, and how long each step took."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.evidence.ranked_sentences import Evidence
from assistant.intents.classifier import Prediction
from assistant.messages import Message
from assistant.routing import Route
from knowledge.documents import Hit


class Stopwatch:
    """Milliseconds of each step, by name."""

    def __init__(self) -> None:
        """Start now."""
        self._laps: dict[str, float] = {}
        self._start = self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Note what has passed since the lap before."""
        now = time.perf_counter()
        self._laps[name] = round((now - self._last) * 1000, 1)
        self._last = now

    def total(self) -> dict[str, float]:
        """Return the laps with the time since the start as ``total``."""
        return {**self._laps, "total": round((time.perf_counter() - self._start) * 1000, 1)}


@dataclass(frozen=True, slots=True)
class Findings:
    """One message with all that was found out about it before a word is said.

    ``query`` is the message with the earlier question that it refers to; ``failures`` counts the
    replies just before it that did not help.
    """

    text: str
    query: str
    history: Sequence[Message]
    failures: int
    prediction: Prediction
    hits: Sequence[Hit]
    chosen: Sequence[Evidence]
    route: Route
    clock: Stopwatch

    @property
    def lang(self) -> str:
        """The language of the reply."""
        return "zh" if self.prediction.language == "zh" else "en"
