"""Finds what a follow-up follows, so that both can be read together."""

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
