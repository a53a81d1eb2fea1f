"""The response of a chat completion in OpenAI's format: one JSON object or a stream of events."""

import contextlib
import json
import logging
import time
import uuid
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import iterate_in_threadpool, run_in_threadpool

from assistant.messages import Reply, Stream
from assistant.web.chat_request import MODEL, StreamOptions

# Clients expect the field, but tokens are not counted.
USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """The conversation that a turn is kept in, and the token that opens it."""

    conversation: str
    token: str


def completion(stream: Stream, kept: Kept | None) -> dict[str, Any]:
    """Return the completion of a turn; ``kept`` is None where nothing keeps it."""
    *_, reply = stream
    assert isinstance(reply, Reply)  # noqa: S101  # the stream's contract
    envelope = _envelope()
    frontdesk = _frontdesk(reply, kept)
    message = {"role": "assistant", "content": reply.text, "frontdesk": _without_text(frontdesk)}
    return {
        **envelope,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": USAGE,
        "frontdesk": frontdesk,
    }


def completion_events(
    stream: Stream, options: StreamOptions | None, kept: Kept | None
) -> Generator[str]:
    """Yield the completion of a turn as server-sent events."""
    envelope = {**_envelope(), "object": "chat.completion.chunk"}

    def event(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _event({**envelope, "choices": [choice], **more})

    try:
        with contextlib.closing(stream):
            yield event({"role": "assistant", "content": ""})
            for item in stream:
                if isinstance(item, str):
                    yield event({"content": item})
                    continue
                frontdesk = _frontdesk(item, kept)
                yield event({"frontdesk": _without_text(frontdesk)}, "stop", frontdesk=frontdesk)
    except Exception:  # the status is sent already, so the stream must carry any error
        logger.exception("a turn failed")
        yield _event(failed_turn())
    if options and options.include_usage:
        yield _event({**envelope, "choices": [], "usage": USAGE})
    yield "data: [DONE]\n\n"


async def until_left(events: Generator[str]) -> AsyncIterator[str]:
    """Yield events as long as the client is there; then end the turn, so that its place is free."""
    import anyio

    try:
        async for event in iterate_in_threadpool(events):
            yield event
    finally:
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(events.close)


def error_body(message: str, kind: str, code: str, param: str | None = None) -> dict[str, Any]:
    """Return an error in OpenAI's format."""
    return {"error": {"message": message, "type": kind, "code": code, "param": param}}


def failed_turn() -> dict[str, Any]:
    """Return the error of a turn that failed. It names no cause, which could be confidential."""
    text = "The assistant cannot answer now. Try again."
    return error_body(text, "server_error", "failed")


def _envelope() -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": MODEL}


def _frontdesk(reply: Reply, kept: Kept | None) -> dict[str, Any]:
    return {
        **reply.to_dict(),
        "conversation_id": kept.conversation if kept else None,
        "conversation_token": kept.token if kept else None,
    }


def _without_text(frontdesk: dict[str, Any]) -> dict[str, Any]:
    """Return the object for the message, whose content is the text already."""
    return {name: value for name, value in frontdesk.items() if name != "text"}


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
