"""Tells what a message asks: in which form, how many things, and of whose account.

``python -m tuning.questions`` trains the weights.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.intents.adapted_network import NetworkReader
from assistant.message.courtesies import is_joined
from knowledge.models.turn_before import shortened
from knowledge.segmenter import Span

WEIGHTS = Path(__file__).parent.parent / "weights" / "questions"
# Is it so? Which or how much? When, or how long? Which of several? What belongs to it? Something
# has happened. Anything else.
SHAPES = (
    "yes_no", "figure", "when", "where", "how", "why", "choice", "list", "trouble", "other",
)  # fmt: skip
# The labels of the network's layers. The last is that of a token: it goes on, or a question begins.
LABELS: Mapping[str, Sequence[str]] = {
    "shape": SHAPES,
    "account": ("no", "yes"),
    "parts": ("one", "several"),
    "cut": ("goes_on", "begins"),
}
MAX_TOKENS = 200
# From here on, a message holds several questions; and one begins at a word.
SEVERAL, BEGINS = 0.5, 0.5
# The forms that ask nothing by themselves.
STATEMENTS = ("trouble", "other")
PREFIX = "query: "


@dataclass(frozen=True, slots=True)
class ReadQuestion:
    """What a message asks.

    Attributes:
        shapes: The probability of each of ``SHAPES``.
        account: The probability, in [0, 1], that only the customer's own account can tell.
        parts: Where its questions stand; one span if it holds one.
    """

    shapes: Mapping[str, float]
    account: float
    parts: Sequence[Span]

    @property
    def shape(self) -> str:
        """The likeliest of ``SHAPES``."""
        return max(self.shapes, key=self.shapes.__getitem__)


def unread(message: str) -> ReadQuestion:
    """Return what a message asks of which nothing is known: one thing, in no special form."""
    shapes = {shape: float(shape == "other") for shape in SHAPES}
    return ReadQuestion(shapes, 0.0, [Span(0, len(message))])


class QuestionReader(NetworkReader):
    """Reads what a message asks with a network."""

    weights = WEIGHTS

    def read(self, message: str) -> ReadQuestion:
        """Return what a message asks."""
        text = text_of(self.network.tokenizer, message)
        states = self.network.states(text)
        mean = states.mean(axis=0)
        begins = self.network.likely("cut", states)[:, 1]
        starts = starts_of(self.network.tokenizer, text)
        several = self.network.named("parts", mean)["several"]
        cuts = [(float(begins[token]), start) for token, start in starts]
        return ReadQuestion(
            shapes=self.network.named("shape", mean),
            account=self.network.named("account", mean)["yes"],
            parts=self._with_stories(message, parts_of(message, several, cuts)),
        )

    def _with_stories(self, message: str, parts: Sequence[Span]) -> list[Span]:
        """Return parts of which none is a story that only leads up to the next question.

        "I lost my card. By the way, how do I …" are two matters, "I lost my card. How do I …" one.
        """
        whole = [parts[0]]
        for part in parts[1:]:
            before = whole[-1]
            if self._is_statement(before.of(message)) and not is_joined(message, part.start):
                whole[-1] = Span(before.start, part.end)
            else:
                whole.append(part)
        return whole

    def _is_statement(self, text: str) -> bool:
        states = self.network.states(text_of(self.network.tokenizer, text))
        shapes = self.network.named("shape", states.mean(axis=0))
        return max(shapes, key=shapes.__getitem__) in STATEMENTS


def text_of(tokenizer: Any, message: str) -> str:
    """Return what the network reads, the same in training and in serving."""
    return PREFIX + shortened(tokenizer, message, MAX_TOKENS)


def starts_of(tokenizer: Any, text: str) -> list[tuple[int, int]]:
    """Return the tokens at which a question may begin, with their places in the message.

    Args:
        tokenizer: A fast tokenizer.
        text: What ``text_of`` returned.
    """
    found = tokenizer(text, return_offsets_mapping=True)
    starts = []
    for token, (first, end) in enumerate(found["offset_mapping"]):
        start = end - len(text[first:end].lstrip())
        place = start - len(PREFIX)
        if place >= 0 and end > start and text[start].isalnum() and _is_start(text, start):
            starts.append((token, place))
    return starts


def _is_start(text: str, place: int) -> bool:
    """Return whether a word begins; every Chinese character does."""
    return not (text[place - 1].isalnum() and text[place].isascii() and text[place - 1].isascii())


def parts_of(message: str, several: float, cuts: Sequence[tuple[float, int]]) -> list[Span]:
    """Return where the questions of a message stand.

    Args:
        message: The message.
        several: The probability that it holds several.
        cuts: The probability that a question begins at a place, and the place.
    """
    cuts = [cut for cut in cuts if cut[1]]
    whole = [Span(0, len(message))]
    if several < SEVERAL or not cuts:
        return whole
    likely = sorted(place for begins, place in cuts if begins >= BEGINS)
    places = [0, *(likely or [max(cuts)[1]]), len(message)]
    return [Span(start, end) for start, end in itertools.pairwise(places)]
