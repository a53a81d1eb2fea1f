"""Handoffs over HTTP, for agents: see who waits, take a conversation, answer, give it back.

Closing may say how it ended. A conversation that sleeps stays out of the inbox until its time, or
until the customer writes. A reply with the `Idempotency-Key` of an earlier one is not sent again.
"""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, HTTPException, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from assistant.handover import Handover
from assistant.store.audit import Audit
from assistant.store.contacts import Contacts
from assistant.store.conversations import Conversations
from assistant.store.handoff import OPEN, Handoff
from assistant.store.presence import Presence
from assistant.store.tables import now
from assistant.web.access import Access, Caller
from assistant.web.conversation_routes import as_json
from assistant.web.errors import BAD_REQUEST, NOT_FOUND, errors
from assistant.web.turn_routes import MAX_KEY

MAX_TEXT = 4000
READS = errors(400, 401, 403, 404, 409, 503)
WRITES = READS | errors(413)
# Returns the agent who sends a request.
Agent = Callable[[Request], Caller]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
State = Literal["waiting", "taken", "returned", "closed"]
Outcome = Literal["solved", "not_solved", "no_answer", "spam"]
ADMINISTER = "administer"


class Words(BaseModel):
    """What an agent writes."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=MAX_TEXT)


class Assignment(BaseModel):
    """Who gets a conversation."""

    model_config = ConfigDict(extra="forbid")

    agent: str = Field(min_length=1, max_length=80, description="somebody who may sign in")


class Sleep(BaseModel):
    """Until when a conversation stays out of the inbox."""

    model_config = ConfigDict(extra="forbid")

    until: AwareDatetime = Field(description="a time with its zone, in the future")


class Ending(BaseModel):
    """How a conversation ended."""

    model_config = ConfigDict(extra="forbid")

    outcome: Outcome | None = None


class Sign(BaseModel):
    """A sign that an agent looks at a conversation."""

    model_config = ConfigDict(extra="forbid")

    writes: bool = Field(False, description="whether they have typed something just now")


def handoff_routes(
    handover: Handover, conversations: Conversations, contacts: Contacts, access: Access
) -> APIRouter:
    """Return the routes of agents.

    Args:
        handover: Hands conversations over.
        conversations: Keeps what is said.
        contacts: Keeps how customers want to be reached.
        access: Tells who calls.
    """
    router = APIRouter(prefix="/v1/handoffs")
    handoffs, audit = handover.handoffs, Audit(conversations.database)

    def agent(request: Request) -> Caller:
        return access.caller(request, "agent")

    @router.get("", responses=errors(400, 401, 403, 503))
    def listed(
        request: Request, state: Annotated[list[State] | None, Query()] = None
    ) -> dict[str, Any]:
        agent(request)
        found = handoffs.all(state or OPEN)
        return {"object": "list", "data": [_json(handoff) for handoff in found]}

    @router.get("/{number}", responses=READS)
    def read(number: Number, request: Request) -> dict[str, Any]:
        handoff = handoffs.get(number, agent(request).name)
        said = conversations.messages(handoff.conversation)
        return {**_json(handoff), "messages": [as_json(message) for message in said]}

    @router.get("/{number}/contact", responses=READS)
    def contact(number: Number, request: Request) -> dict[str, str]:
        name = agent(request).name
        handoff = handoffs.get(number, name)
        audit.note(name, "read contact", handoff.conversation)
        return {"how": contacts.read(handoff.conversation)}

    router.include_router(_changes(handover, audit, agent))
    router.include_router(_moves(handover, audit, agent))
    router.include_router(_words(handover, conversations, agent))
    return router


def _changes(handover: Handover, audit: Audit, agent: Agent) -> APIRouter:
    """Return the routes that change who has a conversation; the audit tells of each."""
    router = APIRouter()
    handoffs = handover.handoffs

    @router.post("/{number}/take", responses=WRITES)
    def take(number: Number, request: Request) -> dict[str, Any]:
        handoff = handoffs.take(number, agent(request).name)
        audit.note(handoff.agent, "take", handoff.conversation)
        return _json(handoff)

    @router.post("/{number}/give-back", responses=WRITES)
    def give_back(number: Number, request: Request) -> dict[str, Any]:
        name = agent(request).name
        handoff = handoffs.give_back(number, name)
        handover.give_back(handoff)
        audit.note(name, "give back", handoff.conversation)
        return _json(handoff)

    @router.post("/{number}/close", responses=WRITES)
    def close(number: Number, request: Request, ending: Ending | None = None) -> dict[str, Any]:
        name = agent(request).name
        handoff = handoffs.close(number, name, (ending and ending.outcome) or "")
        audit.note(name, "close", handoff.conversation)
        return _json(handoff)

    return router


def _moves(handover: Handover, audit: Audit, agent: Agent) -> APIRouter:
    """Return the routes that give a conversation to others, and put it off."""
    router = APIRouter()
    handoffs = handover.handoffs

    @router.post("/{number}/assign", responses=WRITES)
    def assign(number: Number, to: Assignment, request: Request) -> dict[str, Any]:
        """Give a conversation that is free or yours to somebody; administrators give any."""
        caller = agent(request)
        may_all = ADMINISTER in caller.scopes
        handoff = handoffs.assign(number, caller.name, to.agent, of_others=may_all)
        audit.note(caller.name, "assign", handoff.conversation)
        return _json(handoff)

    @router.post("/{number}/snooze", responses=WRITES)
    def snooze(number: Number, sleep: Sleep, request: Request) -> dict[str, Any]:
        """Keep a conversation out of the inbox until then, or until the customer writes."""
        name = agent(request).name
        if sleep.until <= now():
            raise HTTPException(BAD_REQUEST, "until: expected a time in the future")
        handoff = handoffs.snooze(number, name, sleep.until)
        audit.note(name, "snooze", handoff.conversation)
        return _json(handoff)

    return router


def _words(handover: Handover, conversations: Conversations, agent: Agent) -> APIRouter:
    """Return the routes of what an agent writes."""
    router = APIRouter()
    handoffs, signs = handover.handoffs, Presence(conversations.database)

    @router.post("/{number}/reply", responses=WRITES)
    def reply(
        number: Number,
        words: Words,
        request: Request,
        idempotency_key: str = Header("", max_length=MAX_KEY),
    ) -> dict[str, Any]:
        name = agent(request).name
        return as_json(handover.reply(number, name, words.text, idempotency_key))

    @router.post("/{number}/note", responses=WRITES)
    def note(number: Number, words: Words, request: Request) -> dict[str, Any]:
        name = agent(request).name
        handoff = handoffs.get(number, name)
        return as_json(conversations.say(handoff.conversation, words.text, "note", name))

    @router.post("/{number}/typing", responses=WRITES)
    def typing(number: Number, request: Request) -> dict[str, Any]:
        return _json(handoffs.type(number, agent(request).name))

    @router.post("/{number}/presence", responses=WRITES)
    def presence(number: Number, sign: Sign, request: Request) -> dict[str, Any]:
        """Say that you look at a conversation or write in it, whoever has it; learn who else does.

        While the one who has it writes, the customer sees that they are typing.
        """
        name, handoff = agent(request).name, handoffs.read(number)
        if handoff is None:
            raise HTTPException(NOT_FOUND, f"There is no handoff {number}.")
        signs.note(handoff.conversation, name, writes=sign.writes)
        if sign.writes and handoff.state == "taken" and handoff.agent == name:
            handoffs.type(number, name)
        others = signs.others(handoff.conversation, name)
        return {"object": "list", "data": [dataclasses.asdict(other) for other in others]}

    return router


def _json(handoff: Handoff) -> dict[str, Any]:
    data = dataclasses.asdict(handoff)
    times = {name: _iso(data[name]) for name in ("created", "snoozed")}
    return {**data, **times, "object": "handoff"}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
