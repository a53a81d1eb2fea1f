"""The way into the console: where its pages begin, and the page for signing in."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assistant.web.access import Access

FOLDER = Path(__file__).parent.parent / "ui" / "console"
SEE_OTHER = 303
CONSOLE = "/console"


def console_routes(access: Access) -> APIRouter:
    """Return the routes.

    Args:
        access: Tells who calls.
    """
    router = APIRouter(include_in_schema=False)

    @router.get(CONSOLE)
    @router.get(f"{CONSOLE}/")
    def begin(request: Request) -> Response:
        return RedirectResponse(f"{CONSOLE}/{_language(request)}/", SEE_OTHER)

    @router.get("/sign-in", response_class=HTMLResponse)
    def sign_in(request: Request, lang: Literal["en", "zh"] | None = None) -> Response:
        lang = lang or _language(request)
        if who_works(access)(request):
            return RedirectResponse(f"{CONSOLE}/{lang}/", SEE_OTHER)
        return HTMLResponse(_sign_in_page(lang))

    @router.get("/console.js")
    def script() -> Response:
        return _script("console.js")

    @router.get("/console-inbox.js")
    def inbox_script() -> Response:
        return _script("inbox.js")

    return router


def _script(name: str) -> Response:
    headers = {"Cache-Control": "no-cache"}
    return Response((FOLDER / name).read_bytes(), media_type="text/javascript", headers=headers)


def who_works(access: Access) -> Callable[[Request], str | None]:
    """Return what names the person of the company who sends a request; None for all others."""

    def named(request: Request) -> str | None:
        try:
            caller = access.caller(request, "agent")
        except HTTPException:
            return None
        # A key is for programs: the console shows what is for people alone.
        return caller.name if caller.kind in ("person", "local") else None

    return named


class SignInFirst:
    """An ASGI layer that leads a browser without a session from the console to the sign-in page."""

    def __init__(self, app: Any, access: Access) -> None:
        """Take the application below, and what tells who calls."""
        self._app, self._who = app, who_works(access)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand a request on, or redirect it."""
        if scope["type"] == "http" and _is_page(scope):
            import anyio.to_thread

            request = Request(scope)
            if await anyio.to_thread.run_sync(self._who, request) is None:
                from urllib.parse import quote

                asked = scope["path"] + (f"?{request.url.query}" if request.url.query else "")
                response = RedirectResponse(f"/sign-in?next={quote(asked, safe='')}", SEE_OTHER)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_page(scope: Any) -> bool:
    """Return whether a browser opens a page of the console, not one of the page's own requests."""
    headers = dict(scope["headers"])
    asks_for_page = b"text/html" in headers.get(b"accept", b"")
    return scope["method"] == "GET" and scope["path"].startswith(CONSOLE) and asks_for_page


def _language(request: Request) -> Literal["en", "zh"]:
    """Return the language that a browser names first."""
    first = request.headers.get("accept-language", "")[:2].lower()
    return "zh" if first == "zh" else "en"


@cache
def _sign_in_page(lang: str) -> str:
    return (FOLDER / f"sign_in.{lang}.html").read_text(encoding="utf-8")
