"""Handoffs over HTTP, for agents: see who waits, take a conversation, answer, give it back."""

import dataclasses
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from assistant.handover import Handover
from assistant.store.conversations import Conversations
from assistant.store.handoffs import OPEN, Handoff
from assistant.web.access import Access
from assistant.web.conversation_routes import as_json

MAX_TEXT = 4000
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
State = Literal["waiting", "taken", "returned", "closed"]


class Words(BaseModel):
    """What an agent writes."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=MAX_TEXT)


def handoff_routes(handover: Handover, conversations: Conversations, access: Access) -> APIRouter:
    """Return the routes of agents.

    Args:
        handover: Hands conversations over.
        conversations: Keeps what is said.
        access: Tells who calls.
    """
    router = APIRouter(prefix="/v1/handoffs")
    handoffs = handover.handoffs

    def agent(request: Request) -> str:
        return access.caller(request, "agent").name

    @router.get("")
    def listed(
        request: Request, state: Annotated[list[State] | None, Query()] = None
    ) -> dict[str, Any]:
        agent(request)
        found = handoffs.all(state or OPEN)
        return {"object": "list", "data": [_json(handoff) for handoff in found]}

    @router.get("/{number}")
    def read(number: Number, request: Request) -> dict[str, Any]:
        handoff = handoffs.get(number, agent(request))
        said = conversations.messages(handoff.conversation)
        return {**_json(handoff), "messages": [as_json(message) for message in said]}

    @router.post("/{number}/take")
    def take(number: Number, request: Request) -> dict[str, Any]:
        return _json(handoffs.take(number, agent(request)))

    @router.post("/{number}/reply")
    def reply(number: Number, words: Words, request: Request) -> dict[str, Any]:
        name = agent(request)
        handoff = handoffs.take(number, name)
        return as_json(conversations.say(handoff.conversation, words.text, "person", name))

    @router.post("/{number}/note")
    def note(number: Number, words: Words, request: Request) -> dict[str, Any]:
        name = agent(request)
        handoff = handoffs.get(number, name)
        return as_json(conversations.say(handoff.conversation, words.text, "note", name))

    @router.post("/{number}/typing")
    def typing(number: Number, request: Request) -> dict[str, Any]:
        return _json(handoffs.type(number, agent(request)))

    @router.post("/{number}/give-back")
    def give_back(number: Number, request: Request) -> dict[str, Any]:
        handoff = handoffs.give_back(number, agent(request))
        handover.give_back(handoff)
        return _json(handoff)

    @router.post("/{number}/close")
    def close(number: Number, request: Request) -> dict[str, Any]:
        return _json(handoffs.close(number, agent(request)))

    return router


def _json(handoff: Handoff) -> dict[str, Any]:
    data = dataclasses.asdict(handoff)
    return {**data, "created": handoff.created.isoformat(), "object": "handoff"}
