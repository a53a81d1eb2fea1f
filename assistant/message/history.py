"""Earlier messages as data: sent back by a client, or recovered from their text alone."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from assistant.messages import Action, Citation, Message, Reply

# A line of ``choice_lines``.
_LISTED = re.compile(r"^\d+\. (.+)$", re.MULTILINE)


class SentCitation(BaseModel):
    """A citation as a client sends it back. It may be forged: nothing is quoted from it."""

    model_config = ConfigDict(extra="ignore")

    article: str
    lang: str
    title: str = ""
    quote: str = ""
    number: int = 0
    start: int = 0
    end: int = 0


class SentDecision(BaseModel):
    """The object ``frontdesk`` of a reply as a client sends it back; other fields are ignored."""

    model_config = ConfigDict(extra="ignore")

    action: Action
    reason: str = ""
    choices: list[str] = []
    citations: list[SentCitation] = []

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """Return what a reply decided, for a client that keeps it."""
        return cls.model_validate(reply.to_dict())


def earlier_message(
    role: Literal["user", "assistant"], text: str, decision: SentDecision | None = None
) -> Message:
    """Return an earlier message with what it decided, where its client sent that back."""
    if decision is None or role == "user":
        return Message(role, text)
    citations = tuple(Citation(**sent.model_dump()) for sent in decision.citations)
    choices = tuple(decision.choices)
    return Message(role, text, decision.action, decision.reason, choices, citations)


def choice_lines(choices: Sequence[str]) -> list[str]:
    """Return the lines in which a clarifying question offers its choices."""
    return [f"{number}. {choice}" for number, choice in enumerate(choices, 1)]


def recover_decision(message: Message, clarify: Sequence[str], not_found: Sequence[str]) -> Message:
    """Return a message with what its text alone shows of the decision.

    Many clients keep role and text only. Where the decision was sent, the text is not looked at.

    Args:
        message: Any message of the history.
        clarify: How our clarifying questions begin, in each language.
        not_found: What we say where nothing was found, in each language.
    """
    if message.role == "user" or message.action is not None:
        return message
    if message.text.startswith(tuple(clarify)):
        choices = tuple(_LISTED.findall(message.text))
        return dataclasses.replace(
            message, action=Action.CLARIFY, reason="clarify", choices=choices
        )
    if message.text.startswith(tuple(not_found)):
        return dataclasses.replace(message, action=Action.DECLINE, reason="not_found")
    return message
