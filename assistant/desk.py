"""Holds conversations: keeps each message, has it answered, and keeps the reply."""

import contextlib
import dataclasses
import time

from assistant.assistant import Assistant
from assistant.errors import StoreError
from assistant.grounding.known_figures import KnownFigures
from assistant.handover import Handover
from assistant.message import safety
from assistant.messages import Action, Reply, Stream, Support
from assistant.store.conversations import Conversations, KeptMessage
from assistant.store.handoffs import Handoffs, Tell
from assistant.store.summaries import FIRST_WORD

# Why a reply is empty.
WITH_PERSON = "with_person"


class Desk:
    """Answers messages of conversations that are kept."""

    def __init__(
        self, assistant: Assistant, conversations: Conversations, tell: Tell | None = None
    ) -> None:
        """Take ready parts.

        Args:
            assistant: Answers a message.
            conversations: Keeps what is said.
            tell: Keeps what another system is told of handoffs; None if none is.
        """
        self.assistant, self.conversations = assistant, conversations
        self.figures = KnownFigures(assistant)
        responder = assistant.responder
        self.handover = Handover(
            Handoffs(conversations.database, tell),
            conversations,
            responder.company,
            responder.saying,
        )

    def begin(self, text: str, channel: str) -> str:
        """Return the id of a new conversation for a first message.

        Args:
            text: The message; a conversation is begun for a valid one alone.
            channel: Where it takes place: page, api, terminal or chatwoot.

        Raises:
            InvalidMessageError: The message is empty, too long or unreadable.
            StoreError: The conversation cannot be kept.
        """
        safety.check(text, self.assistant.responder.max_characters)
        return self.conversations.start(channel)

    def serve(
        self,
        conversation: str,
        text: str,
        key: str = "",
        after: int | None = None,
        *,
        begins: str = "",
        customer: str = "",
    ) -> Stream:
        """Yield checked pieces of the reply to a message and, once it is kept, the whole reply.

        While a person has the conversation, the reply is empty: the person answers later.

        The message is kept before it is answered. Whoever stops reading early, and a process that
        ends, leaves it interrupted.

        Args:
            conversation: The id of the conversation.
            text: The customer's message.
            key: The client's idempotency key: the same key gives the same reply; "" for none.
            after: The number of the last message that it follows, where a customer changed an
                earlier one; None for all.
            begins: The channel of a conversation that begins with this message, which is kept with
                it: page or api; "" for one that is kept already.
            customer: Who it is that begins it, as the company's site has signed; "" for anybody.

        Raises:
            InvalidMessageError: The message is empty, too long or unreadable; it is not kept.
            ConversationError: There is no such conversation.
            BusyError: A message with this key is being answered.
            StoreError: The message or its reply cannot be kept.
            GeneratorError: The generator fails before it has written anything.
        """
        safety.check(text, self.assistant.responder.max_characters)
        of_person = not begins and self.handover.is_taken(conversation)
        asked = self.conversations.ask(
            conversation,
            text,
            key,
            after=after,
            begins=begins,
            customer=customer,
            of_person=of_person,
        )
        if asked.state == "said":
            yield Reply("", Action.HANDOFF, WITH_PERSON, "", asked=asked.number)
            return
        if asked.reply:
            yield asked.reply.text
            yield asked.reply
            return
        yield from self._answered(conversation, asked, text)

    def again(self, conversation: str) -> Stream:
        """Answer the last message of a conversation if its reply was interrupted; see ``serve``."""
        asked = self.conversations.claim(conversation)
        if asked:
            yield from self._answered(conversation, asked, asked.text)

    def suggest(self, conversation: str) -> Reply | None:
        """Return what the assistant would reply to a customer's last message; nothing is kept.

        Args:
            conversation: The id of the conversation.

        Returns:
            The reply; None where the customer has said nothing.

        Raises:
            ConversationError: There is no such conversation.
            GeneratorError: The generator fails.
        """
        said = self.conversations.messages(conversation)
        asked = next((m for m in reversed(said) if m.role == "user"), None)
        if asked is None:
            return None
        history = self.conversations.history(conversation, before=asked.follows + 1)
        *_, reply = self.assistant.stream(asked.text, history)
        assert isinstance(reply, Reply)  # noqa: S101  # the stream's contract
        return reply

    def _answered(self, conversation: str, asked: KeptMessage, text: str) -> Stream:
        history = self.conversations.history(conversation, before=asked.follows + 1)
        is_kept, start, first = False, time.perf_counter(), 0.0
        try:
            for item in self.assistant.stream(text, history):
                first = first or round((time.perf_counter() - start) * 1000, 1)
                if isinstance(item, str):
                    yield item
                    continue
                timings = {**item.timings_ms, FIRST_WORD: first}
                reply = dataclasses.replace(item, asked=asked.number, timings_ms=timings)
                if told := self.handover.hand_over(conversation, item):
                    reply = _with(reply, told)
                    yield f"\n\n{told}"
                versions, article = self.assistant.versions(), self.assistant.article
                kept = self.conversations.answer(asked.id, reply, article, versions)
                is_kept = True
                yield dataclasses.replace(reply, number=kept.number)
        finally:
            if not is_kept:
                # Where nothing can be written, it counts as interrupted after a while.
                with contextlib.suppress(StoreError):
                    self.conversations.interrupt(asked.id)


def _with(reply: Reply, told: str) -> Reply:
    """Return a reply with a paragraph more, which no article supports."""
    support = (*reply.support, Support(told, None))
    return dataclasses.replace(reply, text=f"{reply.text}\n\n{told}", support=support)
