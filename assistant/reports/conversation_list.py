"""Finds conversations by what was said and decided in them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from assistant.company import People
from assistant.messages import Action
from assistant.reports.outcomes import OUTCOMES, outcome
from assistant.reports.period import day_begins
from assistant.store.database import Database
from assistant.store.summaries import MOODS, refresh
from assistant.store.tables import ConversationRow, HandoffRow
from assistant.store.team_tables import SummaryRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

ACTIONS = tuple(str(action) for action in Action)
THUMBS = ("up", "down")
CHANNELS = ("page", "api", "terminal", "chatwoot")
LANGUAGES = ("en", "zh")
STRATEGIES = ("extractive", "tuned", "few_shot", "zero_shot")
# Whether a person took it over.
PERSON = ("taken", "waiting")
# What each filter may be; None for any text.
FILTERS: Mapping[str, tuple[str, ...] | None] = {
    "text": None,
    "from": None,
    "to": None,
    "outcome": OUTCOMES,
    "action": ACTIONS,
    "intent": None,
    "sentiment": MOODS,
    "language": LANGUAGES,
    "thumb": THUMBS,
    "strategy": STRATEGIES,
    "channel": CHANNELS,
    "person": PERSON,
}
SORTS = ("created", "updated", "turns", "first_word")
# How many rows of an export are read at a time.
AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversations are meant. Values that are unknown narrow nothing.

    Attributes:
        values: The filters by name, as in ``FILTERS``; days as 2031-12-31, both among them.
        people: The company's people, whose zone counts for days.
        demo: Whether those are meant that were invented, instead of the real ones.
        sort: One of ``SORTS``, with "-" before it for the largest first.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    people: People | None = None
    demo: bool = False
    sort: str = "-created"

    def get(self, name: str) -> str:
        """Return the value of a filter; "" for none, and for one that is unknown."""
        # PostgreSQL takes no NUL.
        value, known = self.values.get(name, "").replace("\0", ""), FILTERS[name]
        return value if known is None or value in known else ""

    @property
    def active(self) -> dict[str, str]:
        """The filters that narrow something."""
        return {name: value for name in FILTERS if (value := self.get(name))}


@dataclass(frozen=True, slots=True)
class Found:
    """A conversation as a list shows it; times in UTC, ``first_word`` in seconds of the slowest."""

    id: str
    created: datetime
    updated: datetime
    channel: str
    language: str
    turns: int
    outcome: str
    sentiment: str
    thumb: str
    first_word: float | None
    question: str


def count(database: Database, wanted: Wanted) -> int:
    """Return how many conversations are meant, after what has changed was read."""
    from sqlalchemy import func, select

    refresh(database)
    query = select(func.count()).select_from(SummaryRow).where(*_conditions(wanted))
    if "channel" in wanted.active:
        query = query.join(ConversationRow, ConversationRow.id == SummaryRow.conversation_id)
    with database.read() as session:
        return session.scalar(query) or 0


def found(database: Database, wanted: Wanted, offset: int = 0, limit: int = 50) -> list[Found]:
    """Return some of the conversations that are meant.

    Args:
        database: An open database.
        wanted: Which are meant, and their order.
        offset: How many are left out at the beginning.
        limit: The most that are returned.
    """
    # The ids first: what is shown of a row is read for those alone that are shown.
    ids = _ordered(wanted).limit(limit).offset(offset)
    with database.read() as session:
        chosen = list(session.scalars(ids))
        rows = {row.id: row for row in session.execute(_shown(chosen))}
    return [_found(rows[one]) for one in chosen if one in rows]


def every(database: Database, wanted: Wanted) -> Iterator[Found]:
    """Yield all conversations that are meant, some at a time."""
    refresh(database)
    with database.read() as session:
        ids = list(session.scalars(_ordered(wanted)))
    for start in range(0, len(ids), AT_ONCE):
        chosen = ids[start : start + AT_ONCE]
        with database.read() as session:
            rows = {row.id: row for row in session.execute(_shown(chosen))}
        yield from (_found(rows[one]) for one in chosen if one in rows)


def known_intents(database: Database, *, demo: bool = False) -> list[str]:
    """Return the intents of the latest conversations, for suggestions."""
    from sqlalchemy import select

    latest = (
        select(SummaryRow.intents)
        .where(SummaryRow.is_demo == demo)
        .order_by(SummaryRow.created.desc())
        .limit(AT_ONCE)
    )
    with database.read() as session:
        return sorted({name for text in session.scalars(latest) for name in text.split()})


def _conditions(wanted: Wanted) -> "list[ColumnElement[bool]]":
    row, active = SummaryRow, wanted.active
    found = [row.is_demo == wanted.demo]
    lists = {"action": row.actions, "intent": row.intents, "strategy": row.strategies,
             "language": row.languages}  # fmt: skip
    for name, column in lists.items():
        if name in active:
            found.append(column.contains(f" {active[name]} ", autoescape=True))
    if "text" in active:
        found.append(row.said.contains(active["text"].casefold(), autoescape=True))
    equal = {"outcome": outcome(), "sentiment": row.mood, "channel": ConversationRow.channel}
    found += [column == active[name] for name, column in equal.items() if name in active]
    if "thumb" in active:
        found.append((row.liked if active["thumb"] == "up" else row.disliked).is_(True))
    if "person" in active:
        found.append(_is_with_person(active["person"]))
    if begins := day_begins(active.get("from", ""), wanted.people):
        found.append(row.created >= begins)
    if ends := day_begins(active.get("to", ""), wanted.people, later=1):
        found.append(row.created < ends)
    return found


def _is_with_person(state: str) -> "ColumnElement[bool]":
    from sqlalchemy import exists

    of = HandoffRow.conversation_id == SummaryRow.conversation_id
    is_taken = HandoffRow.taken.is_not(None)
    return exists().where(of, is_taken if state == "taken" else HandoffRow.state == "waiting")


def _ordered(wanted: Wanted) -> "Select[Any]":
    from sqlalchemy import select

    name, is_reverse = wanted.sort.removeprefix("-"), wanted.sort.startswith("-")
    columns: dict[str, Any] = {"updated": SummaryRow.seen, "turns": SummaryRow.turns,
                               "first_word": SummaryRow.slowest}  # fmt: skip
    column = columns.get(name, SummaryRow.created)
    query = select(SummaryRow.conversation_id).where(*_conditions(wanted))
    if "channel" in wanted.active:
        query = query.join(ConversationRow, ConversationRow.id == SummaryRow.conversation_id)
    # The id last: two pages must not show one twice.
    return query.order_by(column.desc() if is_reverse else column, SummaryRow.conversation_id)


def _shown(ids: Sequence[str]) -> "Select[Any]":
    from sqlalchemy import select

    row = SummaryRow
    columns: list[Any] = [
        *(ConversationRow.id, row.created, row.seen, ConversationRow.channel),
        *(ConversationRow.language, row.turns, outcome().label("outcome"), row.mood),
        *(row.liked, row.disliked, row.slowest, row.question),
    ]
    return (
        select(*columns)
        .join(ConversationRow, ConversationRow.id == row.conversation_id)
        .where(row.conversation_id.in_(ids))
    )


def _found(row: Any) -> Found:
    thumb = "down" if row.disliked else "up" if row.liked else ""
    first = row.slowest / 1000 if row.slowest else None
    place = (row.id, row.created, row.seen, row.channel, row.language, row.turns)
    return Found(*place, row.outcome, row.mood, thumb, first, row.question)
