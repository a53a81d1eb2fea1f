"""How far probabilities can be trusted: of answers given at 80 %, how many were right.

An answer is judged by a thumb, of a customer or an agent. Its probability is the one that decided
that it was given (``Weighed.answers``).
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from assistant.messages import Action
from assistant.store.database import Database
from assistant.store.tables import ConversationRow, FeedbackRow, MessageRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

BUCKETS = 10
EDGES = tuple(number / BUCKETS for number in range(BUCKETS + 1))
# With fewer judged answers, a share says little.
FEWEST = 10
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Bucket:
    """The judged answers whose probability lies in a range.

    Attributes:
        low: Where the range begins.
        high: Where it ends; this value is the next one's, but for the last.
        judged: How many answers were judged.
        right: How many of them were right.
        expected: Their mean probability: the share that should be right; 0 for none.
        interval: The 95 % interval of the share that is right (Wilson 1927); 0 to 1 for none.
    """

    low: float
    high: float
    judged: int
    right: int
    expected: float
    interval: tuple[float, float]

    @property
    def share(self) -> float:
        """The share that was right, in [0, 1]; 0 for none."""
        return self.right / self.judged if self.judged else 0.0

    @property
    def is_enough(self) -> bool:
        """Whether so many were judged that the share says something."""
        return self.judged >= FEWEST


@dataclass(frozen=True, slots=True)
class Trust:
    """The curve.

    Attributes:
        buckets: Those of equal width from 0 to 1.
        unknown: How many judged answers have no probability: they are older than it.
    """

    buckets: tuple[Bucket, ...]
    unknown: int

    @property
    def judged(self) -> int:
        """How many answers were judged, of which the probability is known."""
        return sum(bucket.judged for bucket in self.buckets)


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """A judged answer: its question, its probability and where it stands."""

    conversation: str
    number: int
    question: str
    answers: float
    is_right: bool
    created: datetime


def trust_curve(database: Database, since: datetime | None = None, *, demo: bool = False) -> Trust:
    """Return how many of the judged answers were right, by their probability.

    Args:
        database: An open database.
        since: From when on; None for all that is kept.
        demo: Whether invented conversations are looked at, instead of real ones.
    """
    rows: list[tuple[float | None, int]]
    with database.read() as session:
        found = session.execute(_judged(since, demo, _answers(), FeedbackRow.thumb))
        rows = [(answers, thumb) for answers, thumb in found]
    known = [(answers, thumb > 0) for answers, thumb in rows if answers is not None]
    held: list[list[tuple[float, bool]]] = [[] for _ in range(BUCKETS)]
    for answers, is_right in known:
        held[bucket_of(answers)].append((answers, is_right))
    buckets = tuple(_bucket(number, entries) for number, entries in enumerate(held))
    return Trust(buckets, len(rows) - len(known))


def bucket_of(answers: float) -> int:
    """Return the number of the bucket, from 0, of a probability in [0, 1]."""
    return min(bisect_right(EDGES, answers) - 1, BUCKETS - 1)


def judged_answers(
    database: Database,
    bucket: int,
    since: datetime | None = None,
    *,
    demo: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> list[JudgedAnswer]:
    """Return the judged answers of a bucket, the latest first; see ``trust_curve``."""
    from sqlalchemy.orm import aliased

    asked = aliased(MessageRow)
    answers = _answers()
    row = (MessageRow.conversation_id, MessageRow.number, asked.text, answers, FeedbackRow.thumb)
    wanted = _judged(since, demo, *row, MessageRow.created)
    wanted = wanted.join(asked, asked.id == MessageRow.answers).where(answers >= EDGES[bucket])
    if bucket < BUCKETS - 1:
        wanted = wanted.where(answers < EDGES[bucket + 1])
    wanted = wanted.order_by(MessageRow.id.desc()).limit(limit).offset(offset)
    with database.read() as session:
        return [
            JudgedAnswer(conversation, number, text, likely, thumb > 0, created)
            for conversation, number, text, likely, thumb, created in session.execute(wanted)
        ]


def wilson(right: int, judged: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927); 0 to 1 if nothing was judged."""
    from scipy.stats import binomtest

    if not judged:
        return 0.0, 1.0
    test = binomtest(right, judged)
    interval = test.proportion_ci(confidence_level=CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def _bucket(number: int, entries: list[tuple[float, bool]]) -> Bucket:
    judged, right = len(entries), sum(is_right for _, is_right in entries)
    expected = sum(answers for answers, _ in entries) / judged if judged else 0.0
    place = (EDGES[number], EDGES[number + 1])
    return Bucket(*place, judged, right, expected, wilson(right, judged))


def _answers() -> "ColumnElement[float]":
    """Return ``Weighed.answers`` as the database computes it; NULL where it is not kept."""
    from sqlalchemy import func

    best, article = MessageRow.reply["weighed", "best"], MessageRow.reply["weighed", "best_article"]
    return func.coalesce(best.as_float(), article.as_float())


def _judged(since: datetime | None, demo: bool, *columns: Any) -> "Select[Any]":
    from sqlalchemy import select

    wanted = (
        select(*columns)
        .select_from(MessageRow)
        .join(FeedbackRow, FeedbackRow.message_id == MessageRow.id)
        .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
        .where(MessageRow.action == str(Action.ANSWER), FeedbackRow.thumb != 0)
        .where(ConversationRow.is_demo == demo)
    )
    return wanted.where(MessageRow.created >= since) if since else wanted
