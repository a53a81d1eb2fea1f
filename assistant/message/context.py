"""Resolves follow-ups and picks: which question of the conversation a message is about."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.messages import Action, Message
from knowledge.segmenter import language_of, length

# What points back: a pronoun anywhere, or a conjunction at the start.
_POINTER = re.compile(
    r"^(and|but|or|so|then|what about|how about|what if|also)\b"
    r"|\b(it|its|that|this|one|ones|they|them|those|these|there|instead|else)\b"
    r"|^(那|还有|然后|但是|如果|要是)|(它|这个|那个|这张|那张|这种|这样)|呢[？?]?$",
    re.IGNORECASE,
)
# A longer message stands alone.
MAX_WORDS = 14
# A message of at most this length is always a follow-up.
FEW_WORDS = 3
# A first message of at most this length says too little, unless it is a known intent.
LITTLE = {"en": 2, "zh": 4}
# The reasons of replies that did not help.
UNHELPFUL = ("not_found", "clarify")
# A pick may be typed as "2." or "2)".
_PUNCTUATION = " .。)）"


@dataclass(frozen=True, slots=True)
class Asked:
    """The question to answer: the message itself or, if it is a pick, the earlier question.

    Attributes:
        question: The question.
        history: The conversation before the question.
        picked: The choice that the customer picked; None if the message is not a pick.
    """

    question: str
    history: Sequence[Message]
    picked: str | None = None


def is_followup(question: str) -> bool:
    """Return whether a message refers to an earlier one: it is short and points back."""
    words = length(question)
    return words <= FEW_WORDS or (words <= MAX_WORDS and _POINTER.search(question) is not None)


def says_little(question: str, history: Sequence[Message]) -> bool:
    """Return whether a message is a word or two ("fees", "不行") without a conversation."""
    return (
        not history and length(question) <= LITTLE["zh" if language_of(question) == "zh" else "en"]
    )


def antecedent(question: str, history: Sequence[Message]) -> str | None:
    """Return the earlier question that a follow-up refers to; None for any other message.

    Args:
        question: The customer's message.
        history: The messages before it, oldest first.
    """
    if not is_followup(question):
        return None
    earlier = [message.text.strip() for message in history if message.role == "user"]
    complete = [text for text in earlier if not is_followup(text)]
    # The first message has nothing to refer to, however it looks ("I lost it this morning").
    return (complete[-1:] or earlier[:1] or [""])[0] or None


def what_is_asked(text: str, history: Sequence[Message]) -> Asked:
    """Return what a message asks. A pick asks the question before the clarifying question.

    Args:
        text: The customer's message. It picks a choice by its words or its number.
        history: The messages before it, oldest first.
    """
    places = range(1, len(history))
    last = max((n for n in places if history[n].action is Action.CLARIFY), default=None)
    if last is None:
        return Asked(text, history)
    clarification, question = history[last], history[last - 1]
    later = [message.text for message in history[last + 1 :] if message.role == "user"]
    picks = [_pick(message, clarification.choices) for message in [*later, text]]
    # Several picks in a row are allowed; any other message in between ends the choice.
    if question.role == "user" and all(picks):
        return Asked(question.text, history[: last - 1], picks[-1])
    return Asked(text, history)


def failures_in_a_row(history: Sequence[Message]) -> int:
    """Return how many replies in a row, counted from the last one, did not help."""
    count = 0
    for message in reversed(history):
        if message.role == "assistant":
            if message.reason not in UNHELPFUL:
                break
            count += 1
    return count


def _pick(text: str, choices: Sequence[str]) -> str | None:
    typed = text.strip().strip(_PUNCTUATION).casefold()
    for number, choice in enumerate(choices, 1):
        if typed in (str(number), choice.strip(_PUNCTUATION).casefold()):
            return choice
    return None
