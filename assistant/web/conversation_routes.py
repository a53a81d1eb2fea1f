"""Conversations over HTTP: read, follow, judge and delete them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from assistant.desk import Desk
from assistant.store.audit import Audit
from assistant.store.contacts import Contacts
from assistant.store.conversations import Conversations, KeptMessage, new_conversation
from assistant.store.feedback import Feedback
from assistant.web.access import Access
from assistant.web.errors import errors
from assistant.web.identity import Identity, Visitor
from assistant.web.metrics import Metrics

THUMBS = {"up": 1, "down": -1, None: 0}
MAX_TEXT = 4000
ConversationId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class Contact(BaseModel):
    """How a customer wants to be reached."""

    model_config = ConfigDict(extra="forbid")

    how: str = Field(min_length=3, max_length=200, description="a number, an address, other words")


class Judgement(BaseModel):
    """What a customer thinks of a reply, or of a whole conversation."""

    model_config = ConfigDict(extra="forbid")

    conversation_id: str = Field(pattern="^[0-9a-f]{32}$")
    number: int | None = Field(None, ge=1, le=2**31 - 1, description="the reply's number")
    thumb: Literal["up", "down"] | None = None
    reason: str = Field("", max_length=MAX_TEXT)
    correction: str = Field("", max_length=MAX_TEXT, description="what would have been right")
    rating: int | None = Field(None, ge=1, le=5, description="of the whole conversation")

    @model_validator(mode="after")
    def _says_something(self) -> "Judgement":
        if self.number is None and self.rating is None:
            raise ValueError("expected the number of a reply, or a rating")
        return self


def conversation_routes(
    desk: Desk, contacts: Contacts, access: Access, metrics: Metrics, identity: Identity
) -> APIRouter:
    """Return the routes that change kept conversations, and that of one conversation.

    Args:
        desk: Holds the conversations.
        contacts: Keeps how customers want to be reached.
        access: Tells who calls.
        metrics: Counts the judgements.
        identity: Tells who begins a conversation.
    """
    router = APIRouter(prefix="/v1")
    conversations = desk.conversations
    feedback, audit = Feedback(conversations.database), Audit(conversations.database)

    @router.post("/conversations", responses=errors(400, 403, 413))
    def begin(visitor: Visitor | None = None) -> dict[str, str]:
        customer = identity.customer(visitor)
        # Nothing is kept before the first message, so that visitors alone fill no database.
        conversation = new_conversation()
        token = access.tokens.sign(conversation, customer)
        return {"conversation_id": conversation, "token": token}

    @router.get("/conversations/{conversation}", responses=errors(400, 401, 403, 404, 503))
    def read(conversation: ConversationId, request: Request) -> dict[str, Any]:
        access.caller(request).must_own(conversation)
        until = contacts.until(conversation)
        return {
            "id": conversation,
            "object": "conversation",
            "messages": [as_json(m) for m in shown_messages(conversations, conversation)],
            "handoff": handoff_of(desk, conversation),
            "contact_until": until.isoformat() if until else None,
        }

    @router.delete(
        "/conversations/{conversation}",
        status_code=204,
        responses=errors(400, 401, 403, 413, 503),
    )
    def delete(conversation: ConversationId, request: Request) -> Response:
        caller = access.caller(request)
        caller.must_own(conversation)
        conversations.delete(conversation)
        audit.note(caller.name or caller.kind, "delete", conversation)
        return Response(status_code=204)

    @router.post(
        "/conversations/{conversation}/contact", responses=errors(400, 401, 403, 404, 413, 503)
    )
    def leave_contact(
        conversation: ConversationId, contact: Contact, request: Request
    ) -> dict[str, str]:
        access.caller(request).must_own(conversation)
        return {"kept_until": contacts.leave(conversation, contact.how).isoformat()}

    @router.post("/feedback", responses=errors(400, 401, 403, 404, 413, 503))
    def judge(judgement: Judgement, request: Request) -> dict[str, str]:
        access.caller(request).must_own(judgement.conversation_id)
        if judgement.number is not None:
            said = (THUMBS[judgement.thumb], judgement.reason, judgement.correction)
            feedback.judge(judgement.conversation_id, judgement.number, *said)
            metrics.judged(judgement.thumb)
        if judgement.rating is not None:
            feedback.rate(judgement.conversation_id, judgement.rating)
        return {"status": "kept"}

    return router


def shown_messages(
    conversations: Conversations, conversation: str, after: int = 0
) -> list[KeptMessage]:
    """Return what a customer may read: no notes."""
    return [m for m in conversations.messages(conversation, after) if m.role != "note"]


def handoff_of(desk: Desk, conversation: str) -> dict[str, Any] | None:
    """Return who has a conversation, as a customer may know it; None if the assistant has it."""
    handoff = desk.handover.handoffs.of(conversation)
    if handoff is None:
        return None
    told = {"state": handoff.state, "agent": handoff.agent, "is_typing": handoff.is_typing}
    return {**told, "created": handoff.created.isoformat()}


def as_json(message: KeptMessage) -> dict[str, Any]:
    """Return a kept message as a client gets it."""
    decided = message.reply.to_dict() if message.reply else None
    if decided:
        del decided["text"]
    thumb = next(name for name, value in THUMBS.items() if value == message.thumb)
    return {
        "number": message.number,
        "role": message.role,
        "content": message.text,
        "author": message.author,
        "created": message.created.isoformat(),
        "state": message.state,
        "after": message.after,
        "thumb": thumb,
        "frontdesk": decided,
    }
