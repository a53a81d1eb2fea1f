"""Has the invented messages answered by the real assistant, each once."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from assistant.demo.plan import Plan
from assistant.messages import Message, Reply, Stream
from assistant.store.summaries import FIRST_WORD

# What was said, message by message, and the reply to the last one.
Answers = Mapping[tuple[str, ...], Reply]


class Answering(Protocol):
    """What answers a message in its conversation, as ``assistant.assistant.Assistant`` does."""

    def stream(self, question: str, history: Sequence[Message] = ()) -> Stream:
        """Yield text and, at the end, the whole reply."""


def answered(
    assistant: Answering, plans: Sequence[Plan], tell: Callable[[int, int], object]
) -> Answers:
    """Return the reply to everything that is said in some plans.

    Later messages that depend on the one before alone, such as thanks, are answered after one
    question of their language and taken for all: what is said there is the same.

    Args:
        assistant: Answers.
        plans: The conversations.
        tell: Is told how many messages of how many are answered.
    """
    wanted = list(dict.fromkeys(key for plan in plans for key in keys_of(plan)))
    # The question comes before what is said after it.
    wanted.sort(key=len)
    answers: dict[tuple[str, ...], Reply] = {}
    before = _before(plans)
    for number, key in enumerate(wanted, 1):
        history: list[Message] = []
        if len(key) > 1:
            history = [Message("user", before[key]), answers[before[key],].message()]
        answers[key] = _reply(assistant, key[-1], history)
        tell(number, len(wanted))
    return answers


def keys_of(plan: Plan) -> list[tuple[str, ...]]:
    """Return under which key each of a plan's messages has its reply."""
    first, *later = plan.said
    if plan.way == "two":
        return [(first,), *((one,) for one in later)]
    return [(first,), *((plan.lang, plan.way, one) for one in later)]


def _before(plans: Sequence[Plan]) -> dict[tuple[str, ...], str]:
    """Return after which question each later message is answered."""
    found: dict[tuple[str, ...], str] = {}
    for plan in plans:
        for key in keys_of(plan)[1:]:
            found.setdefault(key, plan.said[0])
    return found


def _reply(assistant: Answering, text: str, history: Sequence[Message]) -> Reply:
    start = time.perf_counter()
    stream = assistant.stream(text, history)
    item = next(stream)
    first = time.perf_counter() - start
    *_, last = (item, *stream)
    assert isinstance(last, Reply)  # noqa: S101  # the stream's contract
    timings = {**last.timings_ms, FIRST_WORD: round(first * 1000, 1)}
    return dataclasses.replace(last, timings_ms=timings)
