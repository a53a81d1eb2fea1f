"""The HTTP application: its routes, and what stands before all of them."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Literal

import anyio.to_thread
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from assistant.desk import Desk
from assistant.store.audit import Audit
from assistant.store.contacts import Contacts
from assistant.web.access import Access
from assistant.web.article_page import render_article
from assistant.web.conversation_routes import conversation_routes
from assistant.web.errors import add_error_handlers, errors
from assistant.web.export_routes import export_routes
from assistant.web.full import RefuseWhenFull
from assistant.web.handoff_routes import handoff_routes
from assistant.web.health_routes import health_routes
from assistant.web.identity import Identity
from assistant.web.logs import name_requests
from assistant.web.privacy_page import render_privacy
from assistant.web.proofread_routes import proofread_routes
from assistant.web.reading_routes import reading_routes
from assistant.web.security import allow_origins, secure
from assistant.web.sign_in_routes import sign_in_routes
from assistant.web.turn_routes import ASK, turn_routes
from assistant.web.turns import Turns
from assistant.web.widget_routes import widget_routes

MAX_BODY_BYTES = 1_000_000
# The limit of a request that announces no size, and of the chat page's own requests.
HARD_LIMIT_BYTES = 8_000_000
NOT_FOUND = 404


def create_app(
    desk: Desk,
    access: Access,
    turns: Turns,
    contacts: Contacts,
    origins: Sequence[str] = (),
    identity: Identity | None = None,
) -> FastAPI:
    """Return the HTTP application.

    Args:
        desk: Holds the conversations.
        access: Tells who calls.
        turns: Lets turns begin.
        contacts: Keeps how customers want to be reached.
        origins: The other origins whose pages may call and show this one.
        identity: Tells who a customer is; None where the company's site signs nothing.
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
    identity = identity or Identity()
    app.include_router(conversation_routes(desk, contacts, access, turns.metrics, identity))
    app.include_router(reading_routes(desk, access))
    app.include_router(handoff_routes(desk.handover, desk.conversations, contacts, access))
    app.include_router(proofread_routes(desk, access))
    app.include_router(sign_in_routes(access, turns.limits, audit))
    app.include_router(turn_routes(desk, access, turns))
    app.include_router(export_routes(desk, access))
    app.include_router(widget_routes())
    assistant = desk.assistant

    @app.get("/privacy", response_class=HTMLResponse, responses=errors(400))
    def privacy(lang: Literal["en", "zh"] = "en") -> HTMLResponse:
        return HTMLResponse(render_privacy(assistant.responder.company, lang, access.tokens.days))

    @app.get("/articles/{lang}/{article}", response_class=HTMLResponse, responses=errors(400, 404))
    def article_page(lang: str, article: str, start: int = 0, end: int = 0) -> HTMLResponse:
        shown = assistant.article(lang, article)
        if shown is None:
            raise HTTPException(NOT_FOUND, f"There is no article {article!r} in {lang!r}.")
        return HTMLResponse(render_article(shown, start, end))

    return app
