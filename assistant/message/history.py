"""Earlier messages with their decisions: sent back by the client, or recovered from their text."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from assistant.message.safety import readable
from assistant.messages import Action, Citation, Message, Reply
from knowledge.documents import Passage
from knowledge.retrieval.quotations import Quotations
from knowledge.segmenter import Span, language_of

# The fixed replies by the name of their saying, with what each does.
DECIDED = {
    "clarify": Action.CLARIFY,
    "not_found": Action.DECLINE,
    "not_found_again": Action.DECLINE,
    "out_of_scope": Action.DECLINE,
    "out_of_scope_again": Action.DECLINE,
    "greeting": Action.SMALL_TALK,
    "thanks": Action.SMALL_TALK,
    "goodbye": Action.SMALL_TALK,
    "who_are_you": Action.SMALL_TALK,
    "what_can_you_do": Action.SMALL_TALK,
    "abuse": Action.SMALL_TALK,
    "harm": Action.REFUSE,
    "injection": Action.REFUSE,
    "talk_to_a_person": Action.HANDOFF,
    "complaint": Action.HANDOFF,
    "upset": Action.HANDOFF,
    "fraud_in_progress": Action.HANDOFF,
    "distress": Action.HANDOFF,
    "coercion": Action.HANDOFF,
    "threat": Action.HANDOFF,
    "repeated_failure": Action.HANDOFF,
}
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


def recover_decision(message: Message, sayings: Mapping[str, Sequence[str]]) -> Message:
    """Return a message with the decision that its text shows, for clients that keep text alone.

    A message of the user, or one that came with its decision, is returned unchanged.

    Args:
        message: Any message of the history.
        sayings: How the fixed replies of ``DECIDED`` begin, by name, in each language.
    """
    if message.role == "user" or message.action is not None:
        return message
    for name, action in DECIDED.items():
        if message.text.startswith(tuple(sayings[name])):
            is_choice = action is Action.CLARIFY
            choices = tuple(_CHOICE_LINE.findall(message.text)) if is_choice else ()
            return dataclasses.replace(message, action=action, reason=name, choices=choices)
    return message


def with_citations(message: Message, quotations: Quotations) -> Message:
    """Return an assistant's message with what it quotes; one that has its decision is unchanged.

    Args:
        message: Any message of the history.
        quotations: The sentences of the company's passages.
    """
    is_silent = message.action in (None, Action.HANDOFF) and not message.citations
    if message.role == "user" or not is_silent:
        return message
    places = quotations.in_text(message.text, "zh" if language_of(message.text) == "zh" else "en")
    if not places:
        return message
    citations = tuple(_citation(number, *place) for number, place in enumerate(places, 1))
    action = message.action or Action.ANSWER
    return dataclasses.replace(message, action=action, citations=citations)


def _citation(number: int, passage: Passage, span: Span) -> Citation:
    start, end = passage.start + span.start, passage.start + span.end
    quote = span.of(passage.text)
    return Citation(number, passage.article, passage.lang, passage.title, quote, start, end)
