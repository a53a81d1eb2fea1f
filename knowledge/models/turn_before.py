"""What a later message follows, and how an encoder reads both."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TurnBefore:
    """The turn before a message.

    Attributes:
        question: What the customer asked.
        answer: The first sentence that answered; "" where nothing did.
    """

    question: str
    answer: str = ""


def in_conversation(
    tokenizer: Any, message: str, before: TurnBefore, limits: tuple[int, int, int]
) -> str:
    """Return the text that an encoder reads for a message, the same in training and in serving.

    Args:
        tokenizer: The encoder's, a fast one.
        message: What the customer types now.
        before: The turn before it.
        limits: The most tokens of the message, of the question and of the answer.
    """
    texts = (message, before.question, before.answer)
    now, asked, answered = (
        shortened(tokenizer, text, most) for text, most in zip(texts, limits, strict=True)
    )
    return f"{now}\nasked before: {asked}\nanswered: {answered}"


def shortened(tokenizer: Any, text: str, most: int) -> str:
    """Return the start of a text that is longer than ``most`` tokens."""
    # A token has at least a byte, but for one that may mark the start: most texts are short.
    if len(text.encode()) < most - 1:
        return text
    offsets = tokenizer(
        text,
        add_special_tokens=False,
        truncation=True,
        max_length=most,
        return_offsets_mapping=True,
    )["offset_mapping"]
    return text[: offsets[-1][1]] if len(offsets) == most else text
