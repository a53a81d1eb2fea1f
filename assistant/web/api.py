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
- ``timings_ms``: milliseconds of each step.
- ``conversation_id``, ``conversation_token`` and ``number``: where the reply is kept; null where
  it is not.

A request with a message alone begins a conversation, and one with its ``conversation_id`` goes on
with it: the server keeps the history. A request with a history of its own is not kept. An
``Idempotency-Key`` gives the same reply again.

A client that keeps its history may send the object back in the assistant's message. Later turns use
its ``action``, which is required, and its ``reason``, ``choices`` and ``citations``. Other fields
are ignored, and so is the object in a user's message. Without the object, the decision is recovered
from the text.
"""

import contextlib
from collections.abc import Sequence
from typing import Literal

from fastapi import FastAPI, Header, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from assistant.desk import Desk
from assistant.messages import Reply, Stream
from assistant.web.access import Access
from assistant.web.article_page import render_article
from assistant.web.chat_request import MODEL, ChatRequest
from assistant.web.chat_response import Kept, completion, completion_events, until_left
from assistant.web.conversation_routes import conversation_routes
from assistant.web.errors import add_error_handlers
from assistant.web.gate import FullError, Gate
from assistant.web.handoff_routes import handoff_routes
from assistant.web.health_routes import health_routes
from assistant.web.metrics import Metrics
from assistant.web.privacy_page import render_privacy
from assistant.web.security import secure
from assistant.web.tokens import Tokens

MAX_BODY_BYTES = 1_000_000
# The limit of a request that announces no size, and of the chat page's own requests.
HARD_LIMIT_BYTES = 8_000_000
NOT_FOUND = 404
MAX_KEY = 64


def create_app(
    desk: Desk, access: Access, tokens: Tokens, gate: Gate, origins: Sequence[str] = ()
) -> FastAPI:
    """Return the HTTP application.

    Args:
        desk: Holds the conversations.
        access: Tells who calls.
        tokens: Signs the tokens of customers.
        gate: Bounds how many turns are answered at a time.
        origins: The other origins whose pages may call and show this one.
    """
    app = FastAPI(title="Frontdesk", max_body_size=HARD_LIMIT_BYTES)
    secure(app, origins, MAX_BODY_BYTES)
    add_error_handlers(app)
    handoffs = desk.handover.handoffs
    metrics = Metrics(gate, lambda: len(handoffs.all(["waiting"])))
    app.include_router(health_routes(desk, metrics, access))
    app.include_router(conversation_routes(desk.conversations, access, metrics))
    app.include_router(handoff_routes(desk.handover, desk.conversations, access))
    assistant = desk.assistant

    @app.post("/v1/chat/completions", response_model=None)
    def chat_completions(
        chat: ChatRequest,
        request: Request,
        idempotency_key: str = Header("", max_length=MAX_KEY),
    ) -> Response:
        caller = access.caller(request)
        question, history = chat.conversation()
        if chat.model != MODEL:
            raise HTTPException(NOT_FOUND, f"Expected the model {MODEL!r}, found {chat.model!r}.")
        kept: Kept | None = None
        items: Stream
        if history and not chat.conversation_id:
            items = assistant.stream(question, history)
        else:
            if chat.conversation_id:
                caller.must_own(chat.conversation_id)
            conversation = chat.conversation_id or desk.begin(question, "api")
            kept = Kept(conversation, tokens.sign(conversation))
            items = desk.serve(conversation, question, idempotency_key)
        items = metrics.observed(gate.let_in(items))
        # The first item raises the error of an invalid message before the status is sent.
        try:
            stream = _with_first(next(items), items)
        except FullError:
            metrics.refused()
            raise
        if chat.stream:
            events = completion_events(stream, chat.stream_options, kept)
            return StreamingResponse(until_left(events), media_type="text/event-stream")
        return JSONResponse(completion(stream, kept))

    @app.get("/privacy", response_class=HTMLResponse)
    def privacy(lang: Literal["en", "zh"] = "en") -> HTMLResponse:
        return HTMLResponse(render_privacy(assistant.responder.company, lang, tokens.days))

    @app.get("/articles/{lang}/{article}", response_class=HTMLResponse)
    def article_page(lang: str, article: str, start: int = 0, end: int = 0) -> HTMLResponse:
        shown = assistant.article(lang, article)
        if shown is None:
            raise HTTPException(NOT_FOUND, f"There is no article {article!r} in {lang!r}.")
        return HTMLResponse(render_article(shown, start, end))

    return app


def _with_first(first: str | Reply, items: Stream) -> Stream:
    with contextlib.closing(items):
        yield first
        yield from items
