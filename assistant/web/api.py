"""The assistant over HTTP: OpenAI's chat completions, health, and the articles as pages."""

import json
import logging
import time
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from assistant.assistant import Assistant
from assistant.errors import AssistantError, InvalidMessageError
from assistant.message.history import SentDecision, earlier_message
from assistant.messages import Message, Reply
from assistant.web.article_page import render_article

MODEL = "frontdesk"
MAX_BODY_BYTES = 1_000_000
# Whatever announces no size is cut here, the page's own requests included.
HARD_LIMIT_BYTES = 8_000_000
MAX_MESSAGES = 200
BAD_REQUEST, TOO_LARGE, INTERNAL_ERROR = 400, 413, 500

logger = logging.getLogger(__name__)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TextPart(_Strict):
    """A piece of a message's content; only text is taken."""

    type: Literal["text"]
    text: str


class RequestMessage(_Strict):
    """A message as OpenAI's clients send it. System messages are read by nobody.

    A message of the assistant may come back as it was sent, with what it decided in ``frontdesk``.
    The fields without a use here are those that OpenAI's clients write beside the content.
    """

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]
    name: str | None = None
    frontdesk: SentDecision | None = None
    refusal: None = None
    annotations: list[Any] | None = None
    audio: None = None
    function_call: None = None
    tool_calls: list[Any] | None = Field(None, max_length=0)

    @property
    def text(self) -> str:
        """The content as one string."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content)


class StreamOptions(_Strict):
    """OpenAI's options of a stream."""

    include_usage: bool = False


class ChatRequest(_Strict):
    """A chat completion request. Fields that steer sampling are accepted and change nothing."""

    messages: Annotated[list[RequestMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    model: str = MODEL
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] = 1
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None


def create_app(assistant: Assistant) -> FastAPI:
    """Return the HTTP application of an assistant that is ready."""
    app = FastAPI(title="Frontdesk", max_body_size=HARD_LIMIT_BYTES)
    # Without this a mounted Gradio page answers any origin with credentials.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.middleware("http")(_with_security_headers)
    _add_error_handlers(app)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz() -> dict[str, Any]:
        generator = assistant.generator
        return {"status": "ready", "generator": generator.name if generator else None}

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        card = {"id": MODEL, "object": "model", "created": 0, "owned_by": "frontdesk"}
        return {"object": "list", "data": [card]}

    @app.post("/v1/chat/completions", response_model=None)
    def chat_completions(request: ChatRequest) -> Response:
        question, history = _conversation(request)
        if request.model != MODEL:
            raise HTTPException(404, f"Expected the model {MODEL!r}, found {request.model!r}.")
        # The first item is drawn here, so that a bad message is a 400 and not a broken stream.
        items = assistant.stream(question, history)
        first = next(items)
        head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": MODEL}
        if request.stream:
            return StreamingResponse(
                _events(head, first, items, request.stream_options), media_type="text/event-stream"
            )
        *_, reply = [first, *items]
        return JSONResponse(_completion(head, reply))

    @app.get("/articles/{lang}/{article}", response_class=HTMLResponse)
    def article_page(lang: str, article: str, start: int = 0, end: int = 0) -> HTMLResponse:
        found = assistant.article(lang, article)
        if found is None:
            raise HTTPException(404, f"There is no article {article!r} in {lang!r}.")
        return HTMLResponse(render_article(found, start, end))

    return app


def _conversation(request: ChatRequest) -> tuple[str, list[Message]]:
    said = [
        earlier_message(message.role, message.text, message.frontdesk)
        for message in request.messages
        if message.role in ("user", "assistant")
    ]
    if not said or said[-1].role != "user":
        raise InvalidMessageError("Expected the last message to be the user's.", "empty")
    return said[-1].text, said[:-1]


def _completion(head: dict[str, Any], reply: str | Reply) -> dict[str, Any]:
    assert isinstance(reply, Reply)  # noqa: S101  # the stream's contract
    told = _told(head, reply)
    message = {"role": "assistant", "content": reply.text, "frontdesk": _kept(told)}
    return {
        **head,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": USAGE,
        "frontdesk": told,
    }


def _told(head: dict[str, Any], reply: Reply) -> dict[str, Any]:
    return {**reply.to_dict(), "conversation_id": head["id"]}


def _kept(told: dict[str, Any]) -> dict[str, Any]:
    """Return what a client keeps beside the message's content and sends back with it."""
    return {name: value for name, value in told.items() if name != "text"}


# Answers are not paid for by the token, but clients expect the field.
USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def _events(
    head: dict[str, Any],
    first: str | Reply,
    rest: Iterator[str | Reply],
    options: StreamOptions | None,
) -> Iterator[str]:
    def event(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        chunk = {**head, "object": "chat.completion.chunk", "choices": [choice], **more}
        return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"

    yield event({"role": "assistant", "content": ""})
    try:
        for item in _chain(first, rest):
            if isinstance(item, str):
                yield event({"content": item})
            else:
                told = _told(head, item)
                yield event({"frontdesk": _kept(told)}, "stop", frontdesk=told)
    except AssistantError as error:
        # The status has been sent; all that is left is to say so in the stream.
        yield f"data: {json.dumps(_error(str(error), 'server_error', 'failed'))}\n\n"
    if options and options.include_usage:
        usage = {**head, "object": "chat.completion.chunk", "choices": [], "usage": USAGE}
        yield f"data: {json.dumps(usage)}\n\n"
    yield "data: [DONE]\n\n"


def _chain(first: str | Reply, rest: Iterator[str | Reply]) -> Iterator[str | Reply]:
    yield first
    yield from rest


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(InvalidMessageError)
    def bad_message(_: Request, error: InvalidMessageError) -> JSONResponse:
        return _refused(400, str(error), "invalid_request_error", error.code)

    @app.exception_handler(RequestValidationError)
    def bad_request(_: Request, error: RequestValidationError) -> JSONResponse:
        issue = error.errors()[0]
        place = ".".join(str(part) for part in issue["loc"] if part != "body") or "the body"
        if issue["type"] == "extra_forbidden":
            text = f"Unknown field {place!r}. Leave it out."
        elif issue["type"] == "json_invalid":
            text = f"Expected a JSON body: {issue.get('ctx', {}).get('error', issue['msg'])}."
        else:
            text = f"{place}: {issue['msg']}."
        return _refused(400, text, "invalid_request_error", issue["type"], place)

    @app.exception_handler(HTTPException)
    def refused(_: Request, error: HTTPException) -> JSONResponse:
        kind = "invalid_request_error" if error.status_code < INTERNAL_ERROR else "server_error"
        detail = error.detail
        if error.status_code == BAD_REQUEST:
            detail = f"{detail}. Expected a JSON body in UTF-8."
        return _refused(error.status_code, detail, kind, f"http_{error.status_code}")

    @app.exception_handler(AssistantError)
    def failed(_: Request, error: AssistantError) -> JSONResponse:
        logger.error("a turn failed: %s", error)
        return _refused(
            503, "The assistant cannot answer now. Try again.", "server_error", "failed"
        )


def _refused(
    status: int, message: str, kind: str, code: str, param: str | None = None
) -> JSONResponse:
    return JSONResponse(_error(message, kind, code, param), status_code=status)


def _error(message: str, kind: str, code: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "code": code, "param": param}}


async def _with_security_headers(request: Request, call_next: Any) -> Response:
    # The hard limit answers in plain text, so a size that is announced is refused here.
    announced = request.headers.get("content-length", "0")
    if request.url.path.startswith("/v1/") and int(announced) > MAX_BODY_BYTES:
        text = f"Expected at most {MAX_BODY_BYTES:,} bytes, found {int(announced):,}."
        return _refused(TOO_LARGE, text, "invalid_request_error", "http_413")
    response: Response = await call_next(request)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.url.path.startswith("/articles/"):
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
        )
    return response
