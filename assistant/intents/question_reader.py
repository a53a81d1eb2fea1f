"""Tells what a message asks: in which form, how many things, and of whose account.

``python -m tuning.questions`` trains the weights.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
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
# The labels of the network's layers. The last two are a token's: it goes on, or a question begins;
# it belongs to the name of what is compared, or not.
LABELS: Mapping[str, Sequence[str]] = {
    "shape": SHAPES,
    "account": ("no", "yes"),
    "parts": ("one", "several"),
    "cut": ("goes_on", "begins"),
    "side": ("no", "yes"),
}
MAX_TOKENS = 200
# From here on, a message holds several questions; one begins at a word; a word names a side.
SEVERAL, BEGINS, SIDE = 0.4, 0.5, 0.5
# More are a list, not a comparison. Characters of the shortest name.
MAX_SIDES, SHORTEST_SIDE = 3, 2
# What stands between two names, and in none.
JOINTS = "和跟与同或比还及"
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
        sides: Where the names of what is compared stand, two or three; () if nothing is.
    """

    shapes: Mapping[str, float]
    account: float
    parts: Sequence[Span]
    sides: Sequence[Span] = ()

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
        sides = self.network.likely("side", states)[:, 1]
        places = places_of(self.network.tokenizer, text)
        return ReadQuestion(
            shapes=self.network.named("shape", mean),
            account=self.network.named("account", mean)["yes"],
            parts=self._with_stories(message, parts_of(message, several, cuts)),
            sides=sides_of(message, zip(map(float, sides), places, strict=True)),
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
    starts = []
    for token, place in enumerate(places_of(tokenizer, text)):
        start = place.start + len(PREFIX)
        if place.start < place.end and text[start].isalnum() and _is_start(text, start):
            starts.append((token, place.start))
    return starts


def places_of(tokenizer: Any, text: str) -> list[Span]:
    """Return the place of each token in the message; an empty one where it has none.

    Args:
        tokenizer: A fast tokenizer.
        text: What ``text_of`` returned.
    """
    places = []
    for first, end in tokenizer(text, return_offsets_mapping=True)["offset_mapping"]:
        start = end - len(text[first:end].lstrip()) - len(PREFIX)
        places.append(Span(start, end - len(PREFIX)) if start >= 0 else Span(0, 0))
    return places


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


def sides_of(message: str, tokens: Iterable[tuple[float, Span]]) -> list[Span]:
    """Return where the names of what is compared stand in a message; [] unless two or three do.

    Args:
        message: The message.
        tokens: In the message's order, the probability that a token belongs to a name, and where
            it stands.
    """
    sides: list[Span] = []
    for likely, place in tokens:
        if place.start == place.end or likely < SIDE:
            continue
        if sides and _is_one_name(message[sides[-1].end : place.start]):
            sides[-1] = Span(sides[-1].start, place.end)
        else:
            sides.append(place)
    # A single letter names nothing.
    sides = [side for side in sides if side.end - side.start >= SHORTEST_SIDE]
    named = {side.of(message).lower(): side for side in reversed(sides)}
    found = sorted(named.values(), key=lambda side: side.start)
    return found if 1 < len(found) <= MAX_SIDES else []


def _is_one_name(between: str) -> bool:
    """Return whether what stands between two pieces of a name belongs to it."""
    letter = between.strip()
    is_chinese = len(letter) == 1 and letter.isalnum() and not letter.isascii()
    return not letter or (is_chinese and letter not in JOINTS)
