"""Earlier messages with their decisions: sent back by the client, or recovered from their text."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from assistant.message.safety import readable
from assistant.messages import Action, Citation, Message, Reply

# A line of ``choice_lines``.
_CHOICE_LINE = re.compile(r"^\d+\. (.+)$", re.MULTILINE)


class SentCitation(BaseModel):
    """A citation as a client sends it back. It may be forged, so no reply quotes it."""

    model_config = ConfigDict(extra="ignore")

    article: str
    lang: str
    title: str = ""
    quote: str = ""
    number: int = 0
    start: int = 0
    end: int = 0


class SentDecision(BaseModel):
    """The fields of the object ``frontdesk`` that later turns use; others are ignored."""

    model_config = ConfigDict(extra="ignore")

    action: Action
    reason: str = ""
    choices: list[str] = []
    citations: list[SentCitation] = []

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """Return the decision of a reply, for a client to keep."""
        return cls.model_validate(reply.to_dict())


def earlier_message(
    role: Literal["user", "assistant"], text: str, decision: SentDecision | None = None
) -> Message:
    """Return an earlier message. A decision counts only for the assistant's messages."""
    text = readable(text)
    if decision is None or role == "user":
        return Message(role, text)
    citations = tuple(Citation(**sent.model_dump()) for sent in decision.citations)
    choices = tuple(decision.choices)
    return Message(role, text, decision.action, decision.reason, choices, citations)


def choice_lines(choices: Sequence[str]) -> list[str]:
    """Return the numbered lines of a clarifying question, one for each choice."""
    return [f"{number}. {choice}" for number, choice in enumerate(choices, 1)]


def recover_decision(message: Message, clarify: Sequence[str], not_found: Sequence[str]) -> Message:
    """Return a message with the decision that its text shows, for clients that keep text alone.

    A message of the user, or one that came with its decision, is returned unchanged.

    Args:
        message: Any message of the history.
        clarify: How clarifying questions begin, in each language.
        not_found: How a decline without any hit begins, in each language.
    """
    if message.role == "user" or message.action is not None:
        return message
    if message.text.startswith(tuple(clarify)):
        choices = tuple(_CHOICE_LINE.findall(message.text))
        return dataclasses.replace(
            message, action=Action.CLARIFY, reason="clarify", choices=choices
        )
    if message.text.startswith(tuple(not_found)):
        return dataclasses.replace(message, action=Action.DECLINE, reason="not_found")
    return message
