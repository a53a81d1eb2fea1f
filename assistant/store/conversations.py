"""Keeps conversations: what the customer said, what was replied, and what it is based on."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from assistant.errors import BusyError, ConversationError
from assistant.message.safety import mask
from assistant.messages import Message, Reply
from assistant.store.database import Database
from assistant.store.deleted import delete_conversations, must_not_be_deleted
from assistant.store.handoff import wake
from assistant.store.quotes import Find, keep_quotes
from assistant.store.tables import ConversationRow, FeedbackRow, MessageRow, conversation_row, now
from assistant.store.workers import mark_abandoned, worker_name

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# A message that nobody has answered for so long was interrupted, whoever answered it.
DEADLINE = timedelta(minutes=5)
# The messages before one that its turn gets to know.
HISTORY = 60


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message as it is kept.

    Attributes:
        id: Its number in the database.
        number: Its place in the conversation, from 1.
        role: Who said it: user, assistant or person; a note is for people alone.
        text: What was said; personal data of a customer is masked.
        created: When, in UTC.
        state: Of a customer's: asked, answered or interrupted. Of others: said.
        reply: What the turn of an assistant's message decided.
        thumb: What the customer thinks of it: 1, -1, or 0 for nothing.
        author: The name of the person who said it.
        after: Of a customer's that changes an earlier one: the number of the last message before
            that.
    """

    id: int
    number: int
    role: str
    text: str
    created: datetime
    state: str
    reply: Reply | None = None
    thumb: int = 0
    author: str = ""
    after: int | None = None

    @property
    def follows(self) -> int:
        """The number of the last message that it follows; those in between it has replaced."""
        last = self.number - 1
        return last if self.after is None else min(self.after, last)


def new_conversation() -> str:
    """Return an id that nobody can guess: 122 random bits."""
    return uuid.uuid4().hex


class Conversations:
    """Keeps what is said."""

    def __init__(self, database: Database) -> None:
        """Take an open database, and mark what an earlier process of this machine left undone."""
        self.database = database
        self.worker = worker_name()
        mark_abandoned(database)

    def start(self, channel: str) -> str:
        """Return the id of a new conversation, which nobody can guess.

        Args:
            channel: Where it takes place: page, api or terminal.

        Raises:
            StoreError: It cannot be kept.
        """
        conversation = new_conversation()
        with self.database.write() as session:
            session.add(ConversationRow(id=conversation, channel=channel))
        return conversation

    def say(
        self, conversation: str, text: str, role: str, author: str = "", key: str = ""
    ) -> KeptMessage:
        """Keep what somebody says who is not the customer, and is no reply.

        Args:
            conversation: The id of the conversation.
            text: What is said; account numbers and the like in it are masked.
            role: assistant, person, or note for what people alone may read.
            author: The name of the person.
            key: The client's idempotency key: the same key gives the same message; "" for none.

        Raises:
            ConversationError: There is no such conversation.
            StoreError: It cannot be kept.
        """
        if key:  # no customer can have the same
            key = hashlib.sha256(f"{role}:{author}:{key}".encode()).hexdigest()
        with self.database.write() as session:
            row = conversation_row(session, conversation)
            if known := self._by_key(session, conversation, key) if key else None:
                return _kept(known)
            row.updated = now()
            text = mask(text, contacts=False)
            said = self._added(session, row, role=role, text=text, state="said")
            said.author, said.key = author, key or None
            session.flush()
            return _kept(said)

    def ask(
        self,
        conversation: str,
        text: str,
        key: str = "",
        *,
        after: int | None = None,
        begins: str = "",
        customer: str = "",
        of_person: bool = False,
    ) -> KeptMessage:
        """Keep a customer's message before it is answered.

        Args:
            conversation: The id of the conversation.
            text: What the customer typed; it is masked here.
            key: The client's idempotency key; "" for none.
            after: The number of the last message that it follows, where it changes an earlier one.
            begins: The channel of a conversation that begins with this message; "" for one that
                is kept already.
            customer: Who it is that begins it, as the company's site has signed; "" for anybody.
            of_person: Whether a person is to answer it.

        Returns:
            The message. One that was sent with the same key before comes back as it is kept: with
            the state ``answered`` it has its reply, otherwise it is to be answered again.

        Raises:
            ConversationError: There is no such conversation, or it was deleted.
            BusyError: A message with this key is being answered.
            StoreError: It cannot be kept.
        """
        with self.database.write() as session:
            if begins:
                must_not_be_deleted(session, conversation)
                begun = ConversationRow(id=conversation, channel=begins, customer=customer)
                session.add(begun)
            row = conversation_row(session, conversation)
            known = self._by_key(session, conversation, key) if key else None
            if known:
                return self._again(session, known)
            row.updated = now()
            wake(session, conversation)
            state = "said" if of_person else "asked"
            question = self._added(session, row, role="user", text=mask(text), state=state)
            question.key, question.after = key or None, after
            question.worker = None if of_person else self.worker
            session.flush()
            return _kept(question)

    def claim(self, conversation: str) -> KeptMessage | None:
        """Return the last message of a conversation to be answered again; None if it was answered.

        Raises:
            ConversationError: There is no such conversation.
            BusyError: It is being answered.
            StoreError: Nothing can be written.
        """
        from sqlalchemy import select

        with self.database.write() as session:
            conversation_row(session, conversation)
            of = MessageRow.conversation_id == conversation
            latest = select(MessageRow).where(of).order_by(MessageRow.number.desc()).limit(1)
            last = session.scalars(latest).one_or_none()
            return self._again(session, last) if last and last.role == "user" else None

    def answer(
        self,
        question: int,
        reply: Reply,
        article: Find,
        versions: Mapping[str, Any],
    ) -> KeptMessage:
        """Keep the reply to a message, with the articles that it quotes.

        Args:
            question: The id of the customer's message.
            reply: The whole reply.
            article: Returns the current article of a language and an id.
            versions: The versions of models and index.

        Raises:
            ConversationError: The message was deleted meanwhile.
            StoreError: It cannot be kept.
        """
        with self.database.write() as session:
            asked = session.get(MessageRow, question)
            if asked is None:
                raise ConversationError("The conversation was deleted while it was answered.")
            row = conversation_row(session, asked.conversation_id)
            if asked.state == "answered":  # it was taken for interrupted, and somebody was faster
                return _kept(self._answer_to(session, question))
            asked.state, asked.worker = "answered", None
            row.updated, row.language = now(), reply.language
            said = self._added(session, row, role="assistant", text=reply.text, state="said")
            data = reply.to_dict()
            del data["text"], data["number"]
            said.reply, said.versions, said.answers = data, dict(versions), question
            said.action = str(reply.action)
            session.flush()
            keep_quotes(session, said.id, reply, article)
            return _kept(said)

    def interrupt(self, question: int) -> None:
        """Note that a message got no whole reply; it can be asked again."""
        with self.database.write() as session:
            asked = session.get(MessageRow, question)
            if asked and asked.state == "asked":
                asked.state, asked.worker = "interrupted", None

    def has(self, conversation: str) -> bool:
        """Return whether a conversation is kept."""
        with self.database.read() as session:
            return session.get(ConversationRow, conversation) is not None

    def interrupt_all(self) -> None:
        """Note that this process ends before it has answered what it was answering."""
        from sqlalchemy import update

        with self.database.write() as session:
            mine = (MessageRow.state == "asked", MessageRow.worker == self.worker)
            ended = {"state": "interrupted", "worker": None}
            session.execute(update(MessageRow).where(*mine).values(**ended))

    def messages(
        self, conversation: str, after: int = 0, most: int | None = None
    ) -> list[KeptMessage]:
        """Return a conversation's messages, oldest first.

        Args:
            conversation: The id of the conversation.
            after: The number of the last one that is known already.
            most: How many are returned at most; None for all.

        Raises:
            ConversationError: There is no such conversation.
        """
        from sqlalchemy import select

        with self.database.read() as session:
            conversation_row(session, conversation, changes=False)
            rows = session.execute(
                select(MessageRow, FeedbackRow.thumb)
                .outerjoin(FeedbackRow, FeedbackRow.message_id == MessageRow.id)
                .where(MessageRow.conversation_id == conversation, MessageRow.number > after)
                .order_by(MessageRow.number)
                .limit(most)
            ).all()
            return [_kept(row, thumb or 0) for row, thumb in rows]

    def history(self, conversation: str, before: int) -> list[Message]:
        """Return what was said before a message, as a turn takes it.

        A message that got no reply is left out: nothing was said to it. So is what a changed
        message has replaced, and all but the last ``HISTORY`` messages.

        Args:
            conversation: The id of the conversation.
            before: The number of the message.
        """
        known = max(0, before - 1 - HISTORY)
        earlier = [m for m in self.messages(conversation, after=known) if m.number < before]
        return [
            message.reply.message()
            if message.reply
            else Message("user" if message.role == "user" else "assistant", message.text)
            for message in _current(earlier)
            if message.role != "note" and message.state in ("answered", "said")
        ]

    def delete(self, conversation: str) -> None:
        """Delete a conversation and all that belongs to it; an unknown one is gone already.

        Article texts that nothing quotes any more go too.
        """
        with self.database.write() as session:
            delete_conversations(session, ConversationRow.id == conversation)

    def _by_key(self, session: "Session", conversation: str, key: str) -> MessageRow | None:
        from sqlalchemy import select

        wanted = (MessageRow.conversation_id == conversation, MessageRow.key == key)
        return session.scalars(select(MessageRow).where(*wanted)).one_or_none()

    def _answer_to(self, session: "Session", question: int) -> MessageRow:
        from sqlalchemy import select

        return session.scalars(select(MessageRow).where(MessageRow.answers == question)).one()

    def _again(self, session: "Session", known: MessageRow) -> KeptMessage:
        if known.state == "said":
            return _kept(known)
        if known.state == "answered":
            return _kept(known, reply=_reply(self._answer_to(session, known.id)))
        if known.state == "asked" and now() - known.created < DEADLINE:
            raise BusyError("This message is being answered already. Wait for its reply.")
        known.state, known.worker, known.created = "asked", self.worker, now()
        return _kept(known)

    def _added(self, session: "Session", row: ConversationRow, **values: Any) -> MessageRow:
        from sqlalchemy import func, select

        last = select(func.max(MessageRow.number)).where(MessageRow.conversation_id == row.id)
        number = (session.scalar(last) or 0) + 1
        place = {"conversation_id": row.id, "number": number}
        message = MessageRow(**place, created=now(), author="", action="", **values)
        session.add(message)
        return message


def _current(messages: Sequence[KeptMessage]) -> list[KeptMessage]:
    """Leave out what a changed message has replaced; what a person said stays."""
    changes = [(m.follows, m.number) for m in messages if m.after is not None]
    return [
        message
        for message in messages
        if message.role == "person"
        or not any(after < message.number < number for after, number in changes)
    ]


def _reply(row: MessageRow) -> Reply | None:
    return (
        Reply.from_dict({**row.reply, "text": row.text, "number": row.number})
        if row.reply
        else None
    )


def _kept(row: MessageRow, thumb: int = 0, reply: Reply | None = None) -> KeptMessage:
    state = row.state
    if state == "asked" and now() - row.created > DEADLINE:
        state = "interrupted"
    reply = reply or _reply(row)
    place = (row.id, row.number, row.role, row.text, row.created)
    return KeptMessage(*place, state, reply, thumb, row.author, row.after)
