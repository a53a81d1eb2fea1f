"""Finds what a message leans on: what a follow-up follows, and what a pick answers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.messages import Message
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
# A choice as ``listed`` writes it.
_LISTED = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: the message, or the question that was asked back about before it.

    ``history`` is what was said before that question; ``picked`` is the choice that the customer
    made of those offered, None where the message is no pick.
    """

    question: str
    history: Sequence[Message]
    picked: str | None = None


def is_followup(question: str) -> bool:
    """Tell whether a question needs what was said before it."""
    words = length(question)
    return words <= FEW_WORDS or (words <= MAX_WORDS and _POINTER.search(question) is not None)


def antecedent(question: str, history: Sequence[Message]) -> str | None:
    """Return the customer's own question that a follow-up follows; None if it stands alone.

    Args:
        question: The customer's message.
        history: The messages before it, oldest first.
    """
    if not is_followup(question):
        return None
    asked = [message.text.strip() for message in history if message.role == "user"]
    complete = [text for text in asked if not is_followup(text)]
    # "This morning" points nowhere, so where all messages seem to point back, the first one began.
    return (complete[-1:] or asked[:1] or [""])[0] or None


def listed(choices: Sequence[str]) -> list[str]:
    """Return the lines in which a question back offers its choices."""
    return [f"{number}. {choice}" for number, choice in enumerate(choices, 1)]


def what_is_asked(text: str, history: Sequence[Message], questions_back: Sequence[str]) -> Asked:
    """Return what a message asks; one that picks a choice asks the question before it.

    Args:
        text: The customer's message; a choice is picked by its words or by its number.
        history: The messages before it, oldest first.
        questions_back: How our questions back begin.
    """
    for at in range(len(history) - 1, 0, -1):
        said, before = history[at], history[at - 1]
        if said.role != "assistant" or not said.text.startswith(tuple(questions_back)):
            continue
        later = [message.text for message in history[at + 1 :] if message.role == "user"]
        picks = [_pick(one, said.text) for one in [*later, text]]
        # Whoever has gone on to something else no longer answers that question.
        if before.role == "user" and all(picks):
            return Asked(before.text, history[: at - 1], picks[-1])
        break
    return Asked(text, history)


def _pick(text: str, listing: str) -> str | None:
    wanted = text.strip().strip(" .。)）").casefold()
    for number, choice in _LISTED.findall(listing):
        if wanted in (number, choice.strip(" .。)）").casefold()):
            return str(choice)
    return None
