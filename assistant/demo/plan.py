"""Draws what happens in two weeks: who asks what, when, and how it ends."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from assistant.demo.messages import Messages

# How often a conversation goes each way, of 100.
WAYS = {
    "quiet": 36, "thanks": 16, "two": 14, "unhappy": 9, "person": 10, "unanswered": 13,
    "urgent": 1, "open": 1,
}  # fmt: skip
# How much is asked on each day of the week and at each hour of the day.
DAYS = (10, 9, 8, 8, 9, 5, 4)
HOURS = (1, 1, 0, 0, 0, 1, 3, 5, 9, 12, 13, 12, 10, 9, 10, 11, 10, 9, 8, 8, 9, 8, 5, 2)
CHANNELS = {"page": 85, "api": 15}


@dataclass(frozen=True, slots=True)
class Plan:
    """A conversation as it is to be.

    Attributes:
        id: Its id.
        lang: The language of its customer.
        way: How it goes, one of ``WAYS``.
        begins: When, in UTC.
        channel: Where it takes place.
        customer: Who it is, as a company's site would have signed; "" for anybody.
        said: What the customer says to the assistant, in order.
    """

    id: str
    lang: str
    way: str
    begins: datetime
    channel: str
    customer: str
    said: tuple[str, ...]


def drawn(
    messages: Mapping[str, Messages],
    chance: random.Random,
    until: datetime,
    zone: str,
    *,
    count: int,
    days: int,
    distinct: int,
) -> list[Plan]:
    """Return conversations, the earliest first.

    Args:
        messages: What is said, by language.
        chance: Draws; the same seed gives the same plans.
        until: When the last one may begin.
        zone: The time zone of the customers' days.
        count: How many conversations.
        days: In how many days.
        distinct: How many first questions there are at most, in all languages together.
    """
    share = max(1, distinct // len(messages))
    asked = {
        lang: chance.sample(list(said.questions), min(share, len(said.questions)))
        for lang, said in messages.items()
    }
    begun = sorted(_moment(chance, until, ZoneInfo(zone), days) for _ in range(count))
    return [_plan(messages, asked, chance, begins) for begins in begun]


def _plan(
    messages: Mapping[str, Messages],
    asked: Mapping[str, Sequence[str]],
    chance: random.Random,
    begins: datetime,
) -> Plan:
    lang = chance.choices(list(messages), [3, 2][: len(messages)])[0]
    said, way = messages[lang], _one(chance, WAYS)
    if way == "urgent" and not said.urgent:
        way = "person"
    return Plan(
        id=f"{chance.getrandbits(128):032x}",
        lang=lang,
        way=way,
        begins=begins,
        channel=_one(chance, CHANNELS),
        customer=f"demo-{chance.randrange(1, 60)}" if chance.random() < 0.25 else "",  # noqa: PLR2004
        said=tuple(_said(said, asked[lang], way, chance)),
    )


def _said(said: Messages, asked: Sequence[str], way: str, chance: random.Random) -> list[str]:
    first, more = chance.choice(asked), said.more
    if way == "urgent":
        return [chance.choice(said.urgent)]
    if way == "unanswered":
        return [chance.choice(chance.choice(said.unanswered))]
    if way == "two":
        return [first, chance.choice(asked)]
    later = {"thanks": ["thanks"], "unhappy": ["unhappy"], "person": ["person"]}.get(way, [])
    return [first, *(chance.choice(more[kind]) for kind in later)]


def _moment(chance: random.Random, until: datetime, zone: ZoneInfo, days: int) -> datetime:
    """Return a time of the last days, at which customers write."""
    weights = [DAYS[(until - timedelta(days=ago)).weekday()] for ago in range(days)]
    while True:
        day = until.astimezone(zone) - timedelta(days=chance.choices(range(days), weights)[0])
        hour = chance.choices(range(24), HOURS)[0]
        at = day.replace(hour=hour, minute=chance.randrange(60), second=chance.randrange(60))
        moment = at.astimezone(UTC)
        if moment <= until - timedelta(minutes=45):
            return moment


def _one(chance: random.Random, weights: Mapping[str, int]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]
