"""The tables of the database; ``migrations/`` makes them."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    DateTime,
    ForeignKey,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from assistant.errors import ConversationError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class UtcTime(TypeDecorator[datetime]):
    """A time with its zone, UTC. SQLite keeps no zones, so the type adds it again."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Return a time from the database with its zone."""
        del dialect
        return value.replace(tzinfo=UTC) if value and not value.tzinfo else value


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """The base class of all tables; constraints have names, so that migrations can change them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {dict[str, Any]: JSON, datetime: UtcTime, str: Text}  # noqa: RUF012


class ConversationRow(Base):
    """All that one customer and the assistant said."""

    __tablename__ = "conversation"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    channel: Mapped[str] = mapped_column(String(16))
    """Where it takes place: page, api, terminal or chatwoot."""
    created: Mapped[datetime] = mapped_column(default=now)
    updated: Mapped[datetime] = mapped_column(default=now, index=True)
    language: Mapped[str] = mapped_column(String(8), default="")
    rating: Mapped[int | None]
    """From 1 to 5, at the end."""
    customer: Mapped[str] = mapped_column(String(80), default="", index=True)
    """Who it is, as the company's site knows them and has signed; "" for anybody."""
    is_demo: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether ``frontdesk demo`` invented it: never counted with real ones."""


class DeletedRow(Base):
    """The id of a conversation that was deleted, and nothing else of it."""

    __tablename__ = "deleted"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created: Mapped[datetime] = mapped_column(default=now)
    """When it was deleted."""


class MessageRow(Base):
    """One message of a conversation. What a customer typed is masked."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("conversation_id", "number"),
        UniqueConstraint("conversation_id", "key", name="uq_message_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), index=True
    )
    number: Mapped[int]
    """Its place in the conversation, from 1."""
    role: Mapped[str] = mapped_column(String(16))
    """Who said it: user, assistant or person; a note is for people alone."""
    author: Mapped[str] = mapped_column(String(80), default="")
    """The name of the person."""
    text: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=now)
    state: Mapped[str] = mapped_column(String(16))
    """Of a customer's: asked, answered or interrupted; said, if a person is to answer it. Of
    others: said."""
    after: Mapped[int | None]
    """Of a customer's that changes an earlier one: the number of the last message before that."""
    key: Mapped[str | None] = mapped_column(String(64))
    """The client's idempotency key."""
    worker: Mapped[str | None] = mapped_column(String(160))
    """The process that answers it, as long as it does."""
    answers: Mapped[int | None] = mapped_column(
        ForeignKey("message.id", ondelete="CASCADE"), unique=True
    )
    """The customer's message that a reply answers."""
    action: Mapped[str] = mapped_column(String(16), default="", index=True)
    """What a reply does; "" for what is no reply."""
    reply: Mapped[dict[str, Any] | None]
    """What the reply's turn found and decided, without its text: ``Reply.to_dict``."""
    versions: Mapped[dict[str, Any] | None]
    """The versions of models and index that made the reply."""


class ArticleVersionRow(Base):
    """The text of an article as it was when a reply quoted it."""

    __tablename__ = "article_version"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    article: Mapped[str]
    lang: Mapped[str] = mapped_column(String(8))
    title: Mapped[str]
    text: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=now)


class CitationRow(Base):
    """A quote of a reply, and the version of the article that it stands in."""

    __tablename__ = "citation"

    message_id: Mapped[int] = mapped_column(
        ForeignKey("message.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(ForeignKey("article_version.hash"), index=True)
    start: Mapped[int]
    end: Mapped[int]


class FeedbackRow(Base):
    """What a customer or an agent thinks of a reply; the last word counts."""

    __tablename__ = "feedback"

    message_id: Mapped[int] = mapped_column(
        ForeignKey("message.id", ondelete="CASCADE"), primary_key=True
    )
    thumb: Mapped[int]
    """1 for up, -1 for down, 0 for taken back."""
    reason: Mapped[str]
    correction: Mapped[str]
    """What would have been right."""
    created: Mapped[datetime] = mapped_column(default=now)


class HandoffRow(Base):
    """A conversation that waits for a person, or that one has."""

    __tablename__ = "handoff"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), index=True
    )
    state: Mapped[str] = mapped_column(String(16), index=True)
    """waiting, taken, returned or closed."""
    reason: Mapped[str] = mapped_column(String(40))
    urgent: Mapped[bool]
    summary: Mapped[dict[str, Any]]
    """What is wanted, and what was tried."""
    created: Mapped[datetime] = mapped_column(default=now)
    reminded: Mapped[datetime | None]
    """When the customer was told that nobody has been free."""
    taken: Mapped[datetime | None]
    agent: Mapped[str] = mapped_column(String(80), default="")
    typing: Mapped[datetime | None]
    """Until when the agent is taken to be typing."""
    ended: Mapped[datetime | None]
    snoozed: Mapped[datetime | None]
    """Until when it stays out of the inbox."""
    outcome: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """How it ended, in the agent's words or one of the inbox's; "" for nothing said."""
    conversation: Mapped[ConversationRow] = relationship()


class KeyRow(Base):
    """A key with which a program may call."""

    __tablename__ = "api_key"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str]
    """Separated by spaces."""
    created: Mapped[datetime] = mapped_column(default=now)
    revoked: Mapped[datetime | None]


class ContactRow(Base):
    """How a customer wants to be reached, sealed; what agents alone may read."""

    __tablename__ = "contact"

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True
    )
    sealed: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=now)
    until: Mapped[datetime] = mapped_column(index=True)
    """When it is deleted."""


class UserRow(Base):
    """Somebody of the company who signs in."""

    __tablename__ = "user"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    hash: Mapped[str]
    """Of the password (Argon2id)."""
    role: Mapped[str] = mapped_column(String(16))
    """agent, editor or administrator."""
    stamp: Mapped[str] = mapped_column(String(32))
    """Changes with the password: earlier sessions end."""
    created: Mapped[datetime] = mapped_column(default=now)


class AuditRow(Base):
    """Who did what; nothing of what was said."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[datetime] = mapped_column(default=now, index=True)
    who: Mapped[str] = mapped_column(String(80))
    did: Mapped[str] = mapped_column(String(40))
    on: Mapped[str] = mapped_column(String(80))
    """A conversation's id, a handoff's number, the name of a user or key; "" for none."""


class OutboxRow(Base):
    """What another system is to be told. It stays until that system has it, or nobody waits."""

    __tablename__ = "outbox"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), index=True
    )
    body: Mapped[str]
    """The JSON, as it is signed and sent."""
    created: Mapped[datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    due: Mapped[datetime] = mapped_column(default=now, index=True)
    """When it is tried next."""
    sent: Mapped[datetime | None]
    given_up: Mapped[datetime | None]


class OutsideConversationRow(Base):
    """A conversation that takes place in another system, and the one that is kept of it."""

    __tablename__ = "outside_conversation"

    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    outside_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), index=True
    )
    opened: Mapped[datetime | None]
    """When it was left to the people of the other system, the last time."""


class OutsideMessageRow(Base):
    """A message of another system that was taken; it is not taken again."""

    __tablename__ = "outside_message"

    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    outside_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), index=True
    )


def conversation_row(
    session: "Session", conversation: str, *, changes: bool = True
) -> ConversationRow:
    """Return a conversation's row.

    Args:
        session: A session to read or to write in.
        conversation: The id of the conversation.
        changes: Whether only this transaction may change it until it ends; readers need not wait.

    Raises:
        ConversationError: There is no such conversation.
    """
    row = session.get(ConversationRow, conversation, with_for_update=changes)
    if row is None:
        raise ConversationError(
            "Expected the id of a conversation, found one that does not exist or was deleted. "
            "Leave it out to begin a new one."
        )
    return row
