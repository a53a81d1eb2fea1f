"""What is known of a message before the reply is written, and how long each step took."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.evidence.ranked_sentences import Evidence
from assistant.intents.classifier import Prediction
from assistant.message.context import EarlierTurn
from assistant.messages import Message
from assistant.routing import Route
from knowledge.documents import Hit


class Stopwatch:
    """Measures the milliseconds of each step, by name."""

    def __init__(self) -> None:
        """Start the first step."""
        self._laps: dict[str, float] = {}
        self._start = self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Record the time since the previous lap."""
        now = time.perf_counter()
        self._laps[name] = round((now - self._last) * 1000, 1)
        self._last = now

    def total(self) -> dict[str, float]:
        """Return the laps and, as ``total``, the time since the start."""
        return {**self._laps, "total": round((time.perf_counter() - self._start) * 1000, 1)}


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of one message before the reply is written.

    ``last`` is the turn before it that says what it may be about; ``failures`` counts the
    replies just before it that did not help; ``risks`` gives the probability of each risk.
    """

    text: str
    last: EarlierTurn | None
    history: Sequence[Message]
    failures: int
    prediction: Prediction
    risks: Mapping[str, float]
    hits: Sequence[Hit]
    chosen: Sequence[Evidence]
    route: Route
    clock: Stopwatch

    @property
    def lang(self) -> str:
        """The language of the reply."""
        return "zh" if self.prediction.language == "zh" else "en"
