"""Answers what customers write in Chatwoot, and leaves to its people what people should answer."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from assistant.chatwoot import Chatwoot
from assistant.desk import Desk
from assistant.errors import InvalidMessageError, StoreError
from assistant.handover import summary_of
from assistant.messages import Action, Reply, Stream
from assistant.store.handoff import ELSEWHERE
from assistant.store.outside import OutsideConversations
from assistant.store.tables import now
from knowledge.segmenter import language_of

# WhatsApp refuses a message with a longer choice. The text has the choices too, with numbers.
LONGEST_CHOICE = {"Channel::Whatsapp": 20}
SOURCES: Mapping[str, str] = {"en": "Sources:", "zh": "来源："}
# What stands before each part of a summary; the gap is filled with it.
NOTE: Mapping[str, Mapping[str, str]] = {
    "en": {
        "wanted": "The customer wrote: {}",
        "tried": "Frontdesk tried: {}",
        "intent": "Intent: {}",
        "sentiment": "Sentiment: {}",
    },
    "zh": {
        "wanted": "客户说：{}",
        "tried": "Frontdesk 已尝试：{}",
        "intent": "意图：{}",
        "sentiment": "情绪：{}",
    },
}
ACTIONS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "answer": "回答",
        "clarify": "请客户选择",
        "handoff": "转人工",
        "decline": "未能回答",
        "small_talk": "寒暄",
        "refuse": "拒绝",
    }
}
# Lets a turn in, and counts it.
Through = Callable[[Stream], Stream]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a customer wrote or picked in Chatwoot.

    Attributes:
        place: The conversation: ``ACCOUNT/conversations/NUMBER``.
        key: What tells the message from all others.
        text: The words; "" for a picture or another file alone.
        channel: Chatwoot's name of the channel, such as Channel::WebWidget.
        received: When it came, in UTC.
    """

    place: str
    key: str
    text: str
    channel: str = ""
    received: datetime = field(default_factory=now)


class ChatwootBot:
    """Answers customers in one Chatwoot."""

    def __init__(self, desk: Desk, chatwoot: Chatwoot, public_url: str | None = None) -> None:
        """Take ready parts.

        Args:
            desk: Holds the conversations.
            chatwoot: Where customers write.
            public_url: Where they can read the articles; None for titles without links.
        """
        self.chatwoot = chatwoot
        self._desk, self._public_url = desk, public_url
        self._outside = OutsideConversations(desk.conversations.database, ELSEWHERE)

    def answer(self, heard: Heard, through: Through) -> None:
        """Answer a message, if nobody has taken it before.

        Args:
            heard: The message.
            through: Lets the turn in.

        Raises:
            Exception: What ``through`` or the turn raises, or ``httpx.HTTPError``.
        """
        conversation = self._outside.take(heard.place, heard.key, heard.received)
        if conversation is None:
            return
        if not heard.text.strip():
            self.open(heard)
            return
        self._take_back(conversation)
        try:
            *_, reply = through(self._desk.serve(conversation, heard.text, heard.key))
        except InvalidMessageError as error:
            self.chatwoot.say(heard.place, self._saying(error.code, heard))
            return
        assert isinstance(reply, Reply)  # noqa: S101  # the stream's contract
        self._say(heard, reply)
        if reply.action is Action.HANDOFF or reply.urgent:
            self._hand_over(heard, conversation, reply)

    def fail(self, heard: Heard) -> None:
        """Say that something went wrong, and leave the conversation to people."""
        with _logged("nothing could be said"):
            self.chatwoot.say(heard.place, self._saying("failed", heard))
        self.open(heard)

    def open(self, heard: Heard) -> None:
        """Leave the conversation to people."""
        with _logged("a conversation could not be left to people"):
            self.chatwoot.open(heard.place)
            self._outside.leave(heard.place)

    def _take_back(self, conversation: str) -> None:
        """End what Chatwoot's people had: what is pending there is the assistant's again."""
        handoffs = self._desk.handover.handoffs
        handoff = handoffs.of(conversation)
        if handoff and handoff.agent == ELSEWHERE:
            handoffs.give_back(handoff.id, ELSEWHERE)

    def _say(self, heard: Heard, reply: Reply) -> None:
        longest = LONGEST_CHOICE.get(heard.channel)
        fits = longest is None or all(len(choice) <= longest for choice in reply.choices)
        text = f"{reply.text}{sources_of(reply, self._public_url)}"
        self.chatwoot.say(heard.place, text, reply.choices if fits else ())

    def _hand_over(self, heard: Heard, conversation: str, reply: Reply) -> None:
        said = self._desk.conversations.messages(conversation)
        summary = summary_of([message for message in said if message.number < reply.number], reply)
        with _logged("no summary could be written"):
            self.chatwoot.note(heard.place, note_of(summary))
        self.open(heard)

    def _saying(self, name: str, heard: Heard) -> str:
        return self._desk.assistant.responder.saying(name, language_of(heard.text))


def sources_of(reply: Reply, public_url: str | None) -> str:
    """Return the sources of a reply as a paragraph to go after it; "" if there are none.

    Args:
        reply: The reply.
        public_url: Where customers can read the articles; None for titles alone.
    """
    if not reply.sources:
        return ""
    lines = [SOURCES.get(reply.language, SOURCES["en"])]
    urls = {citation.number: citation.url for citation in reply.citations}
    for source in reply.sources:
        link = f": {public_url.rstrip('/')}{urls[source.citations[0]]}" if public_url else ""
        lines.append(f"- {source.title}{link}")
    return "\n\n" + "\n".join(lines)


def note_of(summary: Mapping[str, Any]) -> str:
    """Return a summary as a person reads it, a line for each part; see ``summary_of``."""
    said = NOTE.get(summary["language"], NOTE["en"])
    actions, tried = ACTIONS.get(summary["language"], {}), []
    for one in summary["tried"]:
        articles = f" ({', '.join(one['articles'])})" if one["articles"] else ""
        tried.append(f"{actions.get(one['action'], one['action'])}{articles}")
    parts = {**summary, "wanted": " / ".join(summary["wanted"]), "tried": ", ".join(tried)}
    return "\n".join(text.format(parts[name]) for name, text in said.items() if parts[name])


@contextlib.contextmanager
def _logged(what: str) -> Iterator[None]:
    """Log an error of the network or the store instead of raising it."""
    import httpx

    try:
        yield
    except (httpx.HTTPError, StoreError) as error:
        logger.error("%s: %s", what, error)
