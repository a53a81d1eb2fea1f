"""The HTTP application: OpenAI's chat completions, health, and the articles as pages.

A completion has the object ``frontdesk`` twice: next to ``choices`` with the whole reply, and in
the assistant's message (in a stream, in the last delta) without ``text``. Its fields:

- ``action``: answer, clarify, handoff, decline, small_talk or refuse; ``reason``: why.
- ``choices``: what a clarifying question offers, otherwise empty.
- ``urgent``: whether somebody may be in danger.
- ``nearest``: of the likeliest articles, ``article``, ``lang``, ``title``, ``found``, and the
  ``sentence`` that comes nearest with the probability that it ``answers``.
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
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

import anyio.to_thread
from fastapi import FastAPI, Header, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from assistant.desk import Desk
from assistant.messages import Reply, Stream
from assistant.store.audit import Audit
from assistant.store.contacts import Contacts
from assistant.store.conversations import new_conversation
from assistant.web.access import Access, address_of
from assistant.web.article_page import render_article
from assistant.web.chat_request import MODEL, ChatRequest
from assistant.web.chat_response import Kept, completion, completion_events, until_left
from assistant.web.conversation_routes import conversation_routes
from assistant.web.errors import add_error_handlers, errors
from assistant.web.full import RefuseWhenFull
from assistant.web.handoff_routes import handoff_routes
from assistant.web.health_routes import health_routes
from assistant.web.logs import name_requests
from assistant.web.privacy_page import render_privacy
from assistant.web.security import allow_origins, secure
from assistant.web.sign_in_routes import sign_in_routes
from assistant.web.turns import Turns

MAX_BODY_BYTES = 1_000_000
# The limit of a request that announces no size, and of the chat page's own requests.
HARD_LIMIT_BYTES = 8_000_000
NOT_FOUND = 404
MAX_KEY = 64
# Where a turn is asked for.
ASK = "/v1/chat/completions"
# What a stream of a completion is, for the description of the interface.
STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}


def create_app(
    desk: Desk, access: Access, turns: Turns, contacts: Contacts, origins: Sequence[str] = ()
) -> FastAPI:
    """Return the HTTP application.

    Args:
        desk: Holds the conversations.
        access: Tells who calls.
        turns: Lets turns begin.
        contacts: Keeps how customers want to be reached.
        origins: The other origins whose pages may call and show this one.
    """

    @contextlib.asynccontextmanager
    async def with_threads(_: FastAPI) -> AsyncIterator[None]:
        # A turn that waits has a thread. Whoever is refused, and health, must not wait for one.
        threads = anyio.to_thread.current_default_thread_limiter()
        threads.total_tokens += turns.gate.most
        yield

    app = FastAPI(
        title="Frontdesk",
        max_body_size=HARD_LIMIT_BYTES,
        lifespan=with_threads,
        # They would load scripts from another host.
        docs_url=None,
        redoc_url=None,
    )
    secure(app, origins, MAX_BODY_BYTES)
    name_requests(app)
    app.add_middleware(RefuseWhenFull, turns=turns, path=ASK)
    allow_origins(app, origins)
    add_error_handlers(app)
    audit = Audit(desk.conversations.database)
    app.include_router(health_routes(desk, turns.metrics, access))
    app.include_router(conversation_routes(desk.conversations, contacts, access, turns.metrics))
    app.include_router(handoff_routes(desk.handover, desk.conversations, contacts, access))
    app.include_router(sign_in_routes(access, turns.limits, audit))
    assistant, tokens = desk.assistant, access.tokens

    @app.post(
        ASK,
        response_model=None,
        responses=STREAM | errors(400, 401, 403, 404, 409, 413, 429, 503),
    )
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
            conversation = chat.conversation_id or new_conversation()
            begins = "" if chat.conversation_id else "api"
            kept = Kept(conversation, tokens.sign(conversation))
            items = desk.serve(conversation, question, idempotency_key, begins=begins)
        items = turns.let_in(items, caller, address_of(request))
        # The first item raises the error of an invalid message before the status is sent.
        stream = _with_first(next(items), items)
        if chat.stream:
            events = completion_events(stream, chat.stream_options, kept)
            return StreamingResponse(until_left(events), media_type="text/event-stream")
        return JSONResponse(completion(stream, kept))

    @app.get("/privacy", response_class=HTMLResponse, responses=errors(400))
    def privacy(lang: Literal["en", "zh"] = "en") -> HTMLResponse:
        return HTMLResponse(render_privacy(assistant.responder.company, lang, tokens.days))

    @app.get("/articles/{lang}/{article}", response_class=HTMLResponse, responses=errors(400, 404))
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
