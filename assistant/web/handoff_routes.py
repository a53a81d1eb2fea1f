"""Handoffs over HTTP, for agents: see who waits, take a conversation, answer, give it back."""

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from assistant.handover import Handover
from assistant.store.audit import Audit
from assistant.store.contacts import Contacts
from assistant.store.conversations import Conversations
from assistant.store.handoffs import OPEN, Handoff
from assistant.web.access import Access
from assistant.web.conversation_routes import as_json
from assistant.web.errors import errors

MAX_TEXT = 4000
READS = errors(400, 401, 403, 404, 409, 503)
WRITES = READS | errors(413)
# Returns the name of the agent who sends a request.
Agent = Callable[[Request], str]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
State = Literal["waiting", "taken", "returned", "closed"]


class Words(BaseModel):
    """What an agent writes."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=MAX_TEXT)


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

    def agent(request: Request) -> str:
        return access.caller(request, "agent").name

    @router.get("", responses=errors(400, 401, 403, 503))
    def listed(
        request: Request, state: Annotated[list[State] | None, Query()] = None
    ) -> dict[str, Any]:
        agent(request)
        found = handoffs.all(state or OPEN)
        return {"object": "list", "data": [_json(handoff) for handoff in found]}

    @router.get("/{number}", responses=READS)
    def read(number: Number, request: Request) -> dict[str, Any]:
        handoff = handoffs.get(number, agent(request))
        said = conversations.messages(handoff.conversation)
        return {**_json(handoff), "messages": [as_json(message) for message in said]}

    @router.get("/{number}/contact", responses=READS)
    def contact(number: Number, request: Request) -> dict[str, str]:
        name = agent(request)
        handoff = handoffs.get(number, name)
        audit.note(name, "read contact", handoff.conversation)
        return {"how": contacts.read(handoff.conversation)}

    router.include_router(_changes(handover, audit, agent))
    router.include_router(_words(handover, conversations, agent))
    return router


def _changes(handover: Handover, audit: Audit, agent: Agent) -> APIRouter:
    """Return the routes that change who has a conversation; the audit tells of each."""
    router = APIRouter()
    handoffs = handover.handoffs

    @router.post("/{number}/take", responses=WRITES)
    def take(number: Number, request: Request) -> dict[str, Any]:
        handoff = handoffs.take(number, agent(request))
        audit.note(handoff.agent, "take", handoff.conversation)
        return _json(handoff)

    @router.post("/{number}/give-back", responses=WRITES)
    def give_back(number: Number, request: Request) -> dict[str, Any]:
        name = agent(request)
        handoff = handoffs.give_back(number, name)
        handover.give_back(handoff)
        audit.note(name, "give back", handoff.conversation)
        return _json(handoff)

    @router.post("/{number}/close", responses=WRITES)
    def close(number: Number, request: Request) -> dict[str, Any]:
        name = agent(request)
        handoff = handoffs.close(number, name)
        audit.note(name, "close", handoff.conversation)
        return _json(handoff)

    return router


def _words(handover: Handover, conversations: Conversations, agent: Agent) -> APIRouter:
    """Return the routes of what an agent writes."""
    router = APIRouter()
    handoffs = handover.handoffs

    @router.post("/{number}/reply", responses=WRITES)
    def reply(number: Number, words: Words, request: Request) -> dict[str, Any]:
        name = agent(request)
        handoff = handoffs.take(number, name)
        return as_json(conversations.say(handoff.conversation, words.text, "person", name))

    @router.post("/{number}/note", responses=WRITES)
    def note(number: Number, words: Words, request: Request) -> dict[str, Any]:
        name = agent(request)
        handoff = handoffs.get(number, name)
        return as_json(conversations.say(handoff.conversation, words.text, "note", name))

    @router.post("/{number}/typing", responses=WRITES)
    def typing(number: Number, request: Request) -> dict[str, Any]:
        return _json(handoffs.type(number, agent(request)))

    return router


def _json(handoff: Handoff) -> dict[str, Any]:
    data = dataclasses.asdict(handoff)
    return {**data, "created": handoff.created.isoformat(), "object": "handoff"}
