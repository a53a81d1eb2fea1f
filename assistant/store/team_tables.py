"""The tables of what the team does in the console; ``migrations/`` makes them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.tables import Base, now


class PresenceRow(Base):
    """Who of the team looks at a conversation, or writes in it."""

    __tablename__ = "presence"

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    seen: Mapped[datetime] = mapped_column(default=now)
    """When the page last said so."""
    wrote: Mapped[datetime | None]
    """When something was last typed."""


class CannedReplyRow(Base):
    """A reply that agents use again and again."""

    __tablename__ = "canned_reply"

    id: Mapped[int] = mapped_column(primary_key=True)
    lang: Mapped[str] = mapped_column(String(8))
    title: Mapped[str] = mapped_column(String(80))
    text: Mapped[str]
    author: Mapped[str] = mapped_column(String(80))
    created: Mapped[datetime] = mapped_column(default=now)


class SettingRow(Base):
    """A setting that was changed in the console: over the file, under the command line."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[dict[str, Any]]
    """``{"value": …}``."""
    author: Mapped[str] = mapped_column(String(80))
    created: Mapped[datetime] = mapped_column(default=now)


class ArticleChangeRow(Base):
    """A change of an article: a draft, or what was written to the folder."""

    __tablename__ = "article_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str]
    """The file in the folder of articles, with slashes."""
    lang: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16), index=True)
    """draft, live or dropped."""
    before: Mapped[str]
    """The whole file as it was; "" for a new one."""
    after: Mapped[str]
    """The whole file as it is to be; "" for one that is taken away."""
    author: Mapped[str] = mapped_column(String(80))
    created: Mapped[datetime] = mapped_column(default=now)
    updated: Mapped[datetime] = mapped_column(default=now)
    published: Mapped[datetime | None]


class RunRow(Base):
    """A job that the console or a command started as a process of its own."""

    __tablename__ = "run"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40), index=True)
    """What it does: check, dialogues, questions, …"""
    on: Mapped[str] = mapped_column(String(80))
    """What it is about, such as the number of an article's change; "" for all."""
    state: Mapped[str] = mapped_column(String(16), index=True)
    """running, passed, failed or interrupted."""
    author: Mapped[str] = mapped_column(String(80))
    worker: Mapped[str] = mapped_column(String(160))
    """The process that started it."""
    created: Mapped[datetime] = mapped_column(default=now)
    ended: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None]
    """The figures that it ended with."""


class SummaryRow(Base):
    """What reports count of a conversation, found out from its messages (``summaries.py``).

    Replies are JSON of some kilobytes: to read all of them for each figure would take seconds.
    Lists are words with a blank before, between and behind them, so that LIKE finds one.
    """

    __tablename__ = "summary"
    __table_args__ = (Index("ix_summary_is_demo_created", "is_demo", "created"),)

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True
    )
    seen: Mapped[datetime]
    """The conversation's ``updated`` when this was found out: older is out of date."""
    is_demo: Mapped[bool]
    created: Mapped[datetime]
    """When the conversation began."""
    turns: Mapped[int]
    """How many messages are the customer's."""
    disliked: Mapped[bool]
    liked: Mapped[bool]
    repeated: Mapped[bool]
    """Whether the customer asked again what had been replied to within a day before."""
    handed: Mapped[bool]
    declined: Mapped[bool]
    thanked: Mapped[bool]
    pending: Mapped[bool]
    """Whether the last message is a customer's that nobody answered."""
    mood: Mapped[str] = mapped_column(String(8))
    """negative, if any message is; else positive, if any is; else neutral; "" without a reply."""
    slowest: Mapped[float] = mapped_column(Float)
    """Milliseconds to the first word of the slowest reply; 0 where none is known."""
    first_words: Mapped[str]
    """Those of all replies, as a list."""
    intents: Mapped[str]
    actions: Mapped[str]
    strategies: Mapped[str]
    languages: Mapped[str]
    question: Mapped[str]
    """How the customer's first message begins."""
    said: Mapped[str]
    """All that was said, masked as it is kept and folded, for the search."""
