"""What another caution would have done: the replies of the last days are decided again.

Each reply keeps what the policy weighed, so no model is needed. Each message is decided by itself,
in its conversation as it took place.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from assistant.messages import Action, Weighed
from assistant.policy import Policy
from assistant.store.database import Database
from assistant.store.tables import ConversationRow, FeedbackRow, MessageRow, now

DAYS = 30


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """What is kept of one reply's decision.

    Attributes:
        weighed: What was weighed; None for a reply that is older than that.
        is_answer: Whether the reply was an answer.
        thumb: What was thought of it: 1, -1, or 0 for nothing.
    """

    weighed: Weighed | None
    is_answer: bool
    thumb: int

    def would_answer(self, policy: Policy) -> bool | None:
        """Return whether a policy answers the message; None if that cannot be told."""
        if self.weighed is None or self.weighed.decides == "part":
            return None
        if self.weighed.decides == "nothing":
            return self.is_answer
        return policy.would_answer(self.weighed)


@dataclass(frozen=True, slots=True)
class Change:
    """The replies that another caution changes in one way, and how they were judged."""

    replies: int = 0
    thumbs_down: int = 0
    thumbs_up: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What another caution would have done.

    Attributes:
        now: The caution that is compared with.
        then: The other one.
        replies: How many replies there are.
        unknown: Of how many of them it cannot be told.
        answered: How many of the others are answers at ``now``.
        more: What is an answer only at ``then``.
        fewer: What is an answer only at ``now``.
    """

    now: float
    then: float
    replies: int
    unknown: int
    answered: int
    more: Change
    fewer: Change


def preview(
    database: Database,
    caution: tuple[float, float],
    *,
    days: int = DAYS,
    demo: bool = False,
) -> Preview:
    """Return what another caution would have done with what customers asked.

    Args:
        database: An open database.
        caution: The one that is compared with, and the other one; above 0.
        days: Of how many days.
        demo: Whether invented conversations are looked at, instead of real ones.
    """
    stored = stored_decisions(database, now() - timedelta(days=days), demo=demo)
    before, after = (Policy(value) for value in caution)
    told = [(one, one.would_answer(before), one.would_answer(after)) for one in stored]
    known = [entry for entry in told if entry[1] is not None and entry[2] is not None]
    return Preview(
        *caution,
        replies=len(stored),
        unknown=len(stored) - len(known),
        answered=sum(bool(was) for _, was, _ in known),
        more=_change([one for one, was, will in known if will and not was]),
        fewer=_change([one for one, was, will in known if was and not will]),
    )


def stored_decisions(
    database: Database, since: datetime, *, demo: bool = False
) -> list[StoredDecision]:
    """Return what is kept of the decision of each reply; see ``preview``."""
    from sqlalchemy import select

    wanted = (
        select(MessageRow.reply["weighed"], MessageRow.action, FeedbackRow.thumb)
        .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
        .outerjoin(FeedbackRow, FeedbackRow.message_id == MessageRow.id)
        .where(MessageRow.created >= since, MessageRow.action != "")
        .where(ConversationRow.is_demo == demo)
    )
    with database.read() as session:
        return [_stored(*row) for row in session.execute(wanted)]


def _stored(weighed: dict[str, Any] | None, action: str, thumb: int | None) -> StoredDecision:
    kept = Weighed(**weighed) if weighed else None
    return StoredDecision(kept, action == str(Action.ANSWER), thumb or 0)


def _change(decisions: list[StoredDecision]) -> Change:
    thumbs = [one.thumb for one in decisions]
    return Change(len(thumbs), sum(t < 0 for t in thumbs), sum(t > 0 for t in thumbs))
