"""What a page reads of a conversation: events, quotes, all of it; and when people answer."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from assistant.desk import Desk
from assistant.store.quotes import quoted, version_of
from assistant.store.tables import now
from assistant.web.access import Access
from assistant.web.conversation_routes import ConversationId, as_json, handoff_of, shown_messages
from assistant.web.errors import errors

NOT_FOUND = 404
# Seconds between two looks for something new, and between two signs of life.
LOOK, ALIVE = 1.0, 15.0
# What a stream of events is, for the description of the interface.
EVENTS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}
READS = errors(400, 401, 403, 404, 503)


def reading_routes(desk: Desk, access: Access) -> APIRouter:
    """Return the routes.

    Args:
        desk: Holds the conversations.
        access: Tells who calls.
    """
    router = APIRouter(prefix="/v1")

    @router.get(
        "/conversations/{conversation}/events",
        response_class=StreamingResponse,
        responses=EVENTS | READS,
    )
    async def follow(
        conversation: ConversationId,
        request: Request,
        after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    ) -> StreamingResponse:
        caller = await run_in_threadpool(access.caller, request)
        caller.must_own(conversation)
        first = await run_in_threadpool(_news, desk, conversation, after)
        events = _events(desk, conversation, first, after, request)
        return StreamingResponse(events, media_type="text/event-stream")

    @router.get("/conversations/{conversation}/quotes/{number}", responses=READS)
    def quotes(
        conversation: ConversationId,
        number: Annotated[int, Path(ge=1, le=2**31 - 1)],
        request: Request,
    ) -> dict[str, Any]:
        access.caller(request).must_own(conversation)
        shown_messages(desk.conversations, conversation, after=number)
        return {"quotes": _quotes(desk, conversation, number)}

    @router.get("/conversations/{conversation}/export", responses=READS)
    def export(conversation: ConversationId, request: Request) -> dict[str, Any]:
        access.caller(request).must_own(conversation)
        messages = []
        for message in shown_messages(desk.conversations, conversation):
            cited = _quotes(desk, conversation, message.number) if message.reply else []
            messages.append({**as_json(message), "quotes": cited})
        return {"id": conversation, "messages": messages}

    @router.get("/people", responses=errors(404, 503))
    def people() -> dict[str, Any]:
        hours = desk.assistant.responder.company.people
        if hours is None:
            raise HTTPException(NOT_FOUND, "Here, nobody takes conversations over")
        opens = hours.opening(now())
        usual = desk.handover.handoffs.usual_wait()
        return {
            "open": hours.is_open(now()),
            "opens": opens.isoformat() if opens else None,
            "usual_minutes": round(usual.total_seconds() / 60, 1) if usual else None,
            "minutes": hours.minutes,
        }

    return router


def _quotes(desk: Desk, conversation: str, number: int) -> list[dict[str, Any]]:
    """Return the quotes of a reply with their articles as they were, and whether those changed."""
    told = []
    for quote in quoted(desk.conversations.database, conversation, number):
        current = desk.assistant.article(quote.lang, quote.article)
        changed = current is None or version_of(current) != quote.version
        row = dataclasses.asdict(quote)
        del row["version"]
        told.append({**row, "changed": changed})
    return told


def _news(desk: Desk, conversation: str, after: int) -> tuple[list[dict[str, Any]], Any]:
    """Return the messages after a number, and who has the conversation."""
    messages = [as_json(m) for m in shown_messages(desk.conversations, conversation, after)]
    return messages, handoff_of(desk, conversation)


async def _events(
    desk: Desk, conversation: str, news: Any, after: int, request: Request
) -> AsyncIterator[str]:
    """Yield each new message, and each change of who has it, until the client leaves."""
    silent, known = 0.0, object()
    while not await request.is_disconnected():
        messages, handoff = news
        for message in messages:
            yield _event("message", message, number=message["number"])
            after, silent = message["number"], 0.0
        if handoff != known:
            yield _event("handoff", handoff)
            known, silent = handoff, 0.0
        if silent >= ALIVE:
            yield ": still here\n\n"
            silent = 0.0
        await asyncio.sleep(LOOK)
        silent += LOOK
        news = await run_in_threadpool(_news, desk, conversation, after)


def _event(kind: str, data: Any, number: int | None = None) -> str:
    place = "" if number is None else f"id: {number}\n"
    return f"{place}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
