"""One conversation, turn by turn: what was said, what decided it, and on which words."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assistant.messages import Nearest, Reply
from assistant.routing.rules import RULES, Rule
from assistant.store.conversations import Conversations, KeptMessage
from assistant.store.quotes import Find, Quoted, quoted, version_of
from assistant.store.tables import HandoffRow, MessageRow, conversation_row

if TYPE_CHECKING:
    from datetime import datetime

# How many messages a page of a conversation has: a thousand turns stay usable.
MESSAGES = 50
# The rows that alone give a reason; other reasons are given by more than one.
_RULES_OF = {
    "answer": "clear", "sorry": "clear", "sorry_again": "clear", "clarify": "unclear",
    "nearest": "pick", "harm": "harm", "abuse": "insult", "injection": "order",
    "other_language": "language", "account": "account", "account_unread": "account",
    "out_of_scope": "outside", "out_of_scope_again": "outside", "not_found": "unread",
    "not_found_again": "unread", "talk_to_a_person": "person", "distress": "crisis",
    "coercion": "crisis", "threat": "crisis", "fraud_in_progress": "crisis", "thanks": "aside",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """An article as it was when a reply quoted it.

    Attributes:
        article: The article's id.
        lang: Its language.
        title: Its title then.
        parts: Its text then, in order, each part with whether the reply quotes it.
        is_changed: Whether the article reads differently now.
        is_gone: Whether there is no such article now.
        version: The hash of what it was.
    """

    article: str
    lang: str
    title: str
    parts: tuple[tuple[str, bool], ...]
    is_changed: bool
    is_gone: bool
    version: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A message with all that is kept of it.

    Attributes:
        message: The message.
        rule: The row of the table that decided a reply; None for what is no reply.
        versions: The versions of models and index that made a reply.
        evidence: The articles that a reply quotes, as they were.
    """

    message: KeptMessage
    rule: Rule | None = None
    versions: dict[str, Any] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()

    @property
    def reply(self) -> Reply | None:
        """What the reply decided; None for what is no reply."""
        return self.message.reply

    @property
    def nearest(self) -> tuple[Nearest, ...]:
        """What came nearest to the question."""
        return self.reply.nearest if self.reply else ()


@dataclass(frozen=True, slots=True)
class Opened:
    """A page of a conversation.

    Attributes:
        id: The conversation's id.
        channel: Where it takes place.
        created: When it began, in UTC.
        customer: Who the customer is, as the company's site has signed; "" if it has not.
        rating: The customer's, from 1 to 5; None without one.
        is_demo: Whether it was invented.
        total: How many messages it has.
        handoffs: Each of its handoffs: state, agent, since when, and when it was taken.
        turns: The messages of this page, in order.
    """

    id: str
    channel: str
    created: "datetime"
    customer: str
    rating: int | None
    is_demo: bool
    total: int
    handoffs: tuple[tuple[str, str, "datetime", "datetime | None"], ...]
    turns: tuple[Turn, ...]


def opened(
    conversations: Conversations,
    article: Find,
    conversation: str,
    page: int = 1,
    most: int | None = MESSAGES,
) -> Opened:
    """Return a page of a conversation.

    Args:
        conversations: Keeps what is said.
        article: Returns the current article of a language and an id.
        conversation: The id of the conversation.
        page: The number of the page, from 1.
        most: How many messages a page has; None for all on one.

    Raises:
        ConversationError: There is no such conversation.
    """
    after = (page - 1) * (most or 0)
    messages = conversations.messages(conversation, after, most)
    head = _head(conversations, conversation)
    versions = _versions(conversations, [message.id for message in messages])

    def turn(message: KeptMessage) -> Turn:
        if not message.reply:
            return Turn(message)
        quotes = quoted(conversations.database, conversation, message.number)
        rule = rule_of(message.reply)
        return Turn(message, rule, versions.get(message.id) or {}, _evidence(quotes, article))

    return Opened(**head, turns=tuple(map(turn, messages)))


def rule_of(reply: Reply) -> Rule | None:
    """Return the row of the table of decisions that decided a reply; None where it is not known."""
    name = reply.rule or _RULES_OF.get(reply.reason)
    return next((rule for rule in RULES if rule.name == name), None)


def _head(conversations: Conversations, conversation: str) -> dict[str, Any]:
    from sqlalchemy import func, select

    with conversations.database.read() as session:
        row = conversation_row(session, conversation, changes=False)
        of = MessageRow.conversation_id == conversation
        total = session.scalar(select(func.max(MessageRow.number)).where(of)) or 0
        handoffs = session.execute(
            select(HandoffRow.state, HandoffRow.agent, HandoffRow.created, HandoffRow.taken)
            .where(HandoffRow.conversation_id == conversation)
            .order_by(HandoffRow.id)
        ).all()
        names = ("id", "channel", "created", "customer", "rating", "is_demo")
        told = {name: getattr(row, name) for name in names}
    return {**told, "total": total, "handoffs": tuple(tuple(one) for one in handoffs)}


def _versions(conversations: Conversations, ids: list[int]) -> dict[int, dict[str, Any] | None]:
    from sqlalchemy import select

    query = select(MessageRow.id, MessageRow.versions).where(MessageRow.id.in_(ids))
    with conversations.database.read() as session:
        return {row.id: row.versions for row in session.execute(query)}


def _evidence(quotes: list[Quoted], article: Find) -> tuple[Evidence, ...]:
    """Return each article that is quoted once, with all of its quotes."""
    by_version: dict[str, list[Quoted]] = {}
    for quote in quotes:
        by_version.setdefault(quote.version, []).append(quote)
    return tuple(_article(found, article) for found in by_version.values())


def _article(quotes: list[Quoted], article: Find) -> Evidence:
    first = quotes[0]
    current = article(first.lang, first.article)
    changed = current is None or version_of(current) != first.version
    place = (first.article, first.lang, first.title)
    return Evidence(*place, tuple(_parts(quotes)), changed, current is None, first.version)


def _parts(quotes: list[Quoted]) -> list[tuple[str, bool]]:
    """Cut a text at its quotes, which may overlap."""
    text, parts, done = quotes[0].text, [], 0
    for quote in sorted(quotes, key=lambda quote: quote.start):
        start = max(quote.start, done)
        if quote.end > start:
            parts += [(text[done:start], False), (text[start : quote.end], True)]
            done = quote.end
    parts.append((text[done:], False))
    return [part for part in parts if part[0]]
