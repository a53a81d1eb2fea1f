"""What is known of a message before the reply is written, and how long each step took."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from assistant.evidence.ranked_sentences import Evidence
from assistant.intents.classifier import Prediction
from assistant.intents.question_reader import ReadQuestion
from assistant.message.context import EarlierTurn
from assistant.messages import Message, Nearest, Weighed
from assistant.routing import Route
from knowledge.documents import Hit
from knowledge.models.embedder import Vectors


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
class Understood:
    """A message, or one question of it, in its conversation.

    Attributes:
        text: What the customer typed.
        bared: The same as it is searched and read.
        asked: What it asks.
        earlier: The turns before it, the latest first.
        last: The one of them that says what it may be about; None for a first message.
        history: The conversation before it.
        picked: The choice that the customer picked; None if the message is not a pick.
        failures: How many of the replies just before it did not help.
        vectors: The ways in which it is searched, with their vectors of shape (dimension,).
        prediction: Its intent, language and sentiment.
        kinds: The probability of each kind of a later message; None for a first one.
        risks: The probability of each risk.
        injection: Whether it tries to give the assistant orders.
    """

    text: str
    bared: str
    asked: ReadQuestion
    earlier: Sequence[EarlierTurn]
    last: EarlierTurn | None
    history: Sequence[Message]
    picked: str | None
    failures: int
    vectors: Mapping[str, Vectors]
    prediction: Prediction
    kinds: Mapping[str, float] | None
    risks: Mapping[str, float]
    injection: bool

    @property
    def lang(self) -> Literal["en", "zh"]:
        """The language of the reply."""
        return "zh" if self.prediction.language == "zh" else "en"

    @property
    def vector(self) -> Vectors:
        """That of the message with what it refers to, of shape (dimension,)."""
        *_, last = self.vectors.values()
        return last


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of one message before the reply is written.

    Attributes:
        message: The message.
        route: What the reply does.
        clock: How long each step took.
        hits: What was found.
        chosen: The sentences to quote.
        verdict: Whether they say "yes" or "no" or that it "depends"; "" where that is not asked.
        parts: The findings of each of several questions; () for one.
        nearest: What the likeliest articles have nearest to it.
        weighed: What the policy decided by.
        suggestions: The titles of articles that may be wanted next.
    """

    message: Understood
    route: Route
    clock: Stopwatch
    hits: Sequence[Hit] = ()
    chosen: Sequence[Evidence] = ()
    verdict: str = ""
    parts: Sequence["Findings"] = ()
    nearest: tuple[Nearest, ...] = ()
    weighed: Weighed = field(default_factory=Weighed)
    suggestions: tuple[str, ...] = ()

    @property
    def lang(self) -> Literal["en", "zh"]:
        """The language of the reply."""
        return self.message.lang

    @property
    def is_trouble(self) -> bool:
        """Whether the customer tells of something that went wrong, and minds."""
        is_trouble = self.message.asked.shape == "trouble"
        return is_trouble and self.message.prediction.sentiment == "negative"
