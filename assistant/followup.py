"""Makes a question self-contained: a follow-up is read together with what it follows."""

import re
from collections.abc import Sequence

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


def is_followup(question: str) -> bool:
    """Tell whether a question needs what was said before it."""
    words = length(question)
    return words <= FEW_WORDS or (words <= MAX_WORDS and _POINTER.search(question) is not None)


def self_contained(question: str, history: Sequence[Message]) -> str:
    """Return the question, after the customer's last own question if it is a follow-up to it.

    Args:
        question: The customer's message.
        history: The messages before it, oldest first.
    """
    if not is_followup(question):
        return question
    for message in reversed(history):
        if message.role == "user" and not is_followup(message.text):
            return f"{message.text.strip()} {question}"
    return question
