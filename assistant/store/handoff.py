"""What is known of a handoff, and what happens to handoffs with what they belong to."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from assistant.store.tables import HandoffRow, now

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

OPEN = ("waiting", "taken")
# The channel whose people answer in the other system itself. They have a handoff at once, under
# this name, and when they answer is not known here.
ELSEWHERE = "chatwoot"


@dataclass(frozen=True, slots=True)
class Handoff:
    """A conversation that waits for a person, or that one has.

    Attributes:
        id: Its number.
        conversation: The id of the conversation.
        state: waiting, taken, returned (the assistant has it again) or closed.
        reason: Why, as in a reply.
        urgent: Whether somebody may be in danger.
        summary: What is wanted and what was tried.
        created: Since when it waits, in UTC.
        agent: Who has it; "" while it waits.
        is_typing: Whether the agent is typing.
        customer: Who the customer is, as the company's site has signed; "" if it has not.
        snoozed: Until when it stays out of the inbox, in UTC; None if it does not.
        outcome: How it ended, as the agent says; "" for nothing said.
    """

    id: int
    conversation: str
    state: str
    reason: str
    urgent: bool
    summary: dict[str, Any]
    created: datetime
    agent: str
    is_typing: bool
    customer: str
    snoozed: datetime | None
    outcome: str


def handoff_of(row: HandoffRow) -> Handoff:
    """Return what is known of a handoff as it is now."""
    moment = now()
    return Handoff(
        id=row.id,
        conversation=row.conversation_id,
        state=row.state,
        reason=row.reason,
        urgent=row.urgent,
        summary=row.summary,
        created=row.created,
        agent=row.agent,
        is_typing=row.typing is not None and row.typing > moment,
        customer=row.conversation.customer,
        snoozed=row.snoozed if row.snoozed and row.snoozed > moment else None,
        outcome=row.outcome,
    )


def wake(session: "Session", conversation: str) -> None:
    """Let a handoff that sleeps come back: the customer has written."""
    from sqlalchemy import update

    asleep = (HandoffRow.conversation_id == conversation, HandoffRow.snoozed.is_not(None))
    session.execute(update(HandoffRow).where(*asleep).values(snoozed=None))


def free_those_of(session: "Session", agent: str) -> None:
    """Let others take what somebody had who cannot sign in any more."""
    from sqlalchemy import update

    theirs = (HandoffRow.agent == agent, HandoffRow.state == "taken")
    free = {"state": "waiting", "agent": "", "typing": None}
    session.execute(update(HandoffRow).where(*theirs).values(**free))
