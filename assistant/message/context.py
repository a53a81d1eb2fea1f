"""Reads a message in its conversation: what a follow-up refers to, and what a pick answers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.messages import Action, Message
from knowledge.segmenter import length

# A follow-up is short and points back: with a pronoun, with a conjunction at its start, or by
# having nearly no words of its own.
_POINTER = re.compile(
    r"^(and|but|or|so|then|what about|how about|what if|also)\b"
    r"|\b(it|its|that|this|one|ones|they|them|those|these|there|instead|else)\b"
    r"|^(那|还有|然后|但是|如果|要是)|(它|这个|那个|这张|那张|这种|这样)|呢[？?]?$",
    re.IGNORECASE,
)
MAX_WORDS = 14
FEW_WORDS = 3
# Reasons of replies that did not help.
UNHELPFUL = ("not_found", "clarify")
# What may surround a pick: "2." or "(b)".
_AROUND = " .。)）"


@dataclass(frozen=True, slots=True)
class Asked:
    """The question to answer: the message itself, or the one that a pick completes.

    ``history`` is the conversation before that question. ``picked`` is the choice that the customer
    made; None where the message is no pick.
    """

    question: str
    history: Sequence[Message]
    picked: str | None = None


def is_followup(question: str) -> bool:
    """Return whether a question needs what was said before it."""
    words = length(question)
    return words <= FEW_WORDS or (words <= MAX_WORDS and _POINTER.search(question) is not None)


def antecedent(question: str, history: Sequence[Message]) -> str | None:
    """Return the earlier question that a follow-up refers to; None if it stands alone.

    Args:
        question: The customer's message.
        history: The messages before it, oldest first.
    """
    if not is_followup(question):
        return None
    asked = [message.text.strip() for message in history if message.role == "user"]
    complete = [text for text in asked if not is_followup(text)]
    # "This morning" refers to nothing. If every message seems to refer back, take the first one.
    return (complete[-1:] or asked[:1] or [""])[0] or None


def what_is_asked(text: str, history: Sequence[Message]) -> Asked:
    """Return what a message asks; a pick asks the question that we asked back about.

    Args:
        text: The customer's message; a choice is picked by its words or by its number.
        history: The messages before it, oldest first.
    """
    for at in range(len(history) - 1, 0, -1):
        said, before = history[at], history[at - 1]
        if said.action is not Action.CLARIFY:
            continue
        later = [message.text for message in history[at + 1 :] if message.role == "user"]
        picks = [_pick(one, said.choices) for one in [*later, text]]
        # A customer who has moved on to something else no longer answers that question.
        if before.role == "user" and all(picks):
            return Asked(before.text, history[: at - 1], picks[-1])
        break
    return Asked(text, history)


def failures_in_a_row(history: Sequence[Message]) -> int:
    """Return how many of the last replies in a row did not help."""
    count = 0
    for message in reversed(history):
        if message.role == "assistant":
            if message.reason not in UNHELPFUL:
                break
            count += 1
    return count


def _pick(text: str, choices: Sequence[str]) -> str | None:
    wanted = text.strip().strip(_AROUND).casefold()
    for number, choice in enumerate(choices, 1):
        if wanted in (str(number), choice.strip(_AROUND).casefold()):
            return choice
    return None
