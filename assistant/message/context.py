"""Reads the conversation: what a message picks, and what was asked and answered before it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.messages import Action, Citation, Message
from knowledge.models.turn_before import TurnBefore
from knowledge.segmenter import language_of, length

# A first message of at most this length says too little, unless it is a known intent.
LITTLE = {"en": 2, "zh": 4}
# A message is read with the last turn; what this many turns cited is read, too.
TURNS = 4
# Replies with these actions have no subject, unless they quote an article.
ASIDE = (Action.SMALL_TALK, Action.REFUSE, Action.HANDOFF)
# The reasons of replies that did not help.
UNHELPFUL = (
    "not_found",
    "not_found_again",
    "out_of_scope",
    "out_of_scope_again",
    "account_unread",
    "clarify",
)
# A pick may be typed as "2." or "2)", in words, or as a few words of one choice.
_PUNCTUATION = " .。)）"
_ORDINAL = re.compile(
    r"(?:the |number |option |no\.? ?|第|选第?)?"
    r"(?:(first|1st|one|一|1)|(second|2nd|two|二|2)|(third|3rd|three|三|3)|(fourth|4th|four|四|4)"
    r"|(last|最后一?))"
    r"(?: one| option|个|项)?(?:,? please|吧)?"
)
# Chinese words have no spaces, so that each character counts.
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")
MOST_WORDS = 6


@dataclass(frozen=True, slots=True)
class EarlierTurn(TurnBefore):
    """A turn before the message, with ``citations``: all that the reply quoted."""

    citations: Sequence[Citation] = ()


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


def says_little(question: str, history: Sequence[Message]) -> bool:
    """Return whether a message is a word or two ("fees", "不行") without a conversation."""
    return (
        not history and length(question) <= LITTLE["zh" if language_of(question) == "zh" else "en"]
    )


def turns_before(history: Sequence[Message], most: int = TURNS) -> list[EarlierTurn]:
    """Return the last turns that say what a message may be about, the latest first.

    Small talk, refusals and bare handoffs are no subject.

    Args:
        history: The messages before the message, oldest first. Neither roles nor order are certain.
        most: The largest number of turns.
    """
    turns: list[EarlierTurn] = []
    reply: Message | None = None
    for message in reversed(history):
        if message.role == "assistant":
            reply = reply or message
            continue
        is_subject = not reply or reply.action not in ASIDE or reply.citations
        if message.text.strip() and is_subject:
            cited = reply.citations if reply else ()
            turns.append(EarlierTurn(message.text.strip(), cited[0].quote if cited else "", cited))
        reply = None
        if len(turns) == most:
            break
    return turns


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


def asks_back(history: Sequence[Message]) -> bool:
    """Return whether the last reply was a clarifying question."""
    replies = (message for message in reversed(history) if message.role == "assistant")
    return next((reply.action is Action.CLARIFY for reply in replies), False)


def _pick(text: str, choices: Sequence[str]) -> str | None:
    typed = text.strip().strip(_PUNCTUATION).casefold()
    for number, choice in enumerate(choices, 1):
        if typed in (str(number), choice.strip(_PUNCTUATION).casefold()):
            return choice
    return _numbered(typed, choices) or _named(typed, choices)


def _numbered(typed: str, choices: Sequence[str]) -> str | None:
    """Return the choice that "the second one" or "第二个" names."""
    found = _ORDINAL.fullmatch(typed)
    if not found:
        return None
    *offered, _ = choices
    number = next(n for n, group in enumerate(found.groups(), 1) if group)
    # The last group is "the last one"; the very last choice is "none of these".
    place = len(offered) if number == len(found.groups()) else number
    return offered[place - 1] if place <= len(offered) else None


def _named(typed: str, choices: Sequence[str]) -> str | None:
    """Return the only choice that has all words of a short message, such as "transfers"."""
    words = set(_WORD.findall(typed))
    named = [choice for choice in choices if words <= set(_WORD.findall(choice.casefold()))]
    return named[0] if len(named) == 1 and words and len(words) <= MOST_WORDS else None
