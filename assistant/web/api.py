"""The HTTP application: OpenAI's chat completions, health, and the articles as pages.

A completion has the object ``frontdesk`` twice: next to ``choices`` with the whole reply, and in
the assistant's message (in a stream, in the last delta) without ``text``. Its fields:

- ``action``: answer, clarify, handoff, decline, small_talk or refuse; ``reason``: why.
- ``choices``: what a clarifying question offers, otherwise empty.
- ``urgent``: whether somebody may be in danger.
- ``citations``: ``number``, ``article``, ``lang``, ``title``, ``quote``, ``start``, ``end`` and
  ``url`` of each quote.
- ``sources``: the cited articles, each with the numbers of its ``citations``.
- ``support``: each ``sentence`` of the text with the number of its ``citation``, or null.
- ``language``; ``intent``, ``intent_score``, ``out_of_scope``, ``sentiment`` and
  ``sentiment_score``: the classifiers' results, with scores in [0, 1].
- ``strategy``, ``template`` and ``generator``: how the text was worded; null where unused.
- ``timings_ms``: milliseconds of each step; ``conversation_id``: the completion's id.

A client may send the object back in the assistant's message. Later turns use its ``action``, which
is required, and its ``reason``, ``choices`` and ``citations``. Other fields are ignored, and so is
the object in a user's message. Without the object, the decision is recovered from the text.
"""

import itertools
import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from assistant.assistant import Assistant
from assistant.errors import AssistantError, InvalidMessageError
from assistant.web.article_page import render_article
from assistant.web.chat_request import MODEL, ChatRequest
from assistant.web.chat_response import completion, completion_events, error_body, failed_turn

MAX_BODY_BYTES = 1_000_000
# The limit of a request that announces no size, and of the chat page's own requests.
HARD_LIMIT_BYTES = 8_000_000
BAD_REQUEST, TOO_LARGE, INTERNAL_ERROR = 400, 413, 500

logger = logging.getLogger(__name__)


def create_app(assistant: Assistant) -> FastAPI:
    """Return the HTTP application of an assistant."""
    app = FastAPI(title="Frontdesk", max_body_size=HARD_LIMIT_BYTES)
    # Without it, a mounted Gradio page lets any origin send credentials.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.middleware("http")(_with_security_headers)
    _add_error_handlers(app)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz() -> dict[str, Any]:
        generator = assistant.responder.generator
        return {"status": "ready", "generator": generator.name if generator else None}

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        card = {"id": MODEL, "object": "model", "created": 0, "owned_by": "frontdesk"}
        return {"object": "list", "data": [card]}

    @app.post("/v1/chat/completions", response_model=None)
    def chat_completions(request: ChatRequest) -> Response:
        question, history = request.conversation()
        if request.model != MODEL:
            raise HTTPException(404, f"Expected the model {MODEL!r}, found {request.model!r}.")
        # The first item raises the error of an invalid message before the status is sent.
        items = assistant.stream(question, history)
        stream = itertools.chain([next(items)], items)
        if request.stream:
            events = completion_events(stream, request.stream_options)
            return StreamingResponse(events, media_type="text/event-stream")
        return JSONResponse(completion(stream))

    @app.get("/articles/{lang}/{article}", response_class=HTMLResponse)
    def article_page(lang: str, article: str, start: int = 0, end: int = 0) -> HTMLResponse:
        shown = assistant.article(lang, article)
        if shown is None:
            raise HTTPException(404, f"There is no article {article!r} in {lang!r}.")
        return HTMLResponse(render_article(shown, start, end))

    return app


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(InvalidMessageError)
    def invalid_message(_: Request, error: InvalidMessageError) -> JSONResponse:
        return _error_response(400, str(error), "invalid_request_error", error.code)

    @app.exception_handler(RequestValidationError)
    def invalid_request(_: Request, error: RequestValidationError) -> JSONResponse:
        issue = error.errors()[0]
        place = ".".join(str(part) for part in issue["loc"] if part != "body") or "the body"
        if issue["type"] == "extra_forbidden":
            text = f"Unknown field {place!r}. Leave it out."
        elif issue["type"] == "json_invalid":
            text = f"Expected a JSON body: {issue.get('ctx', {}).get('error', issue['msg'])}."
        else:
            text = f"{place}: {issue['msg']}."
        return _error_response(400, text, "invalid_request_error", issue["type"], place)

    @app.exception_handler(HTTPException)
    def http_error(_: Request, error: HTTPException) -> JSONResponse:
        kind = "invalid_request_error" if error.status_code < INTERNAL_ERROR else "server_error"
        detail = error.detail
        if error.status_code == BAD_REQUEST:
            detail = f"{detail}. Expected a JSON body in UTF-8."
        return _error_response(error.status_code, detail, kind, f"http_{error.status_code}")

    @app.exception_handler(AssistantError)
    def unavailable(_: Request, error: AssistantError) -> JSONResponse:
        logger.error("a turn failed: %s", error)
        return JSONResponse(failed_turn(), status_code=503)

    @app.exception_handler(Exception)
    def unexpected(_: Request, __: Exception) -> JSONResponse:
        # Starlette logs the exception.
        return JSONResponse(failed_turn(), status_code=INTERNAL_ERROR)


def _error_response(
    status: int, message: str, kind: str, code: str, param: str | None = None
) -> JSONResponse:
    return JSONResponse(error_body(message, kind, code, param), status_code=status)


async def _with_security_headers(request: Request, call_next: Any) -> Response:
    # The hard limit answers in plain text, so announced sizes are refused here, in JSON.
    announced = request.headers.get("content-length", "0")
    if request.url.path.startswith("/v1/") and int(announced) > MAX_BODY_BYTES:
        text = f"Expected at most {MAX_BODY_BYTES:,} bytes, found {int(announced):,}."
        return _error_response(TOO_LARGE, text, "invalid_request_error", "http_413")
    response: Response = await call_next(request)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.url.path.startswith("/articles/"):
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
        )
    return response
