"""What browsers may do with our pages, and the size of what is sent to us."""

import re
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import Response

from assistant.web.errors import error_response

NOT_FOUND, TOO_LARGE = 404, 413
# Gradio's page brings its scripts and styles in its own text, and compiles its templates.
PAGE = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "media-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'"
)
# Gradio's routes that no page uses: they would call functions by name, fetch from other hosts, or
# show what others do; and those for files, which the console alone uses.
CLOSED = re.compile(
    r"(?:/console/\w+)?(?:/(?:monitoring|login|logout|pwa_icon)|/gradio_api/(?:api|call|run|runs|"
    r"vibe[-\w]*|undo-vibe-edit|process_recording|stream|deep_link|proxy=.*|"
    r"custom_component|component_server|openapi\.json|dev))(?:/|$)|"
    r"/gradio_api/(?:upload|upload_progress|file|file=.*)(?:/|$)"
)
# Pages of ours that are text alone.
TEXT = "default-src 'none'; style-src 'unsafe-inline'"
TEXT_PAGES = ("/articles/", "/privacy")


def allow_origins(app: FastAPI, origins: Sequence[str]) -> None:
    """Let the pages of other origins call; without it, a Gradio page lets any send credentials.

    Args:
        app: The application.
        origins: The other origins.
    """
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["authorization", "content-type", "idempotency-key"],
    )


def secure(app: FastAPI, origins: Sequence[str], max_bytes: int) -> None:
    """Add security headers to every response, and refuse what is too large.

    Args:
        app: The application.
        origins: The other origins whose pages may call and show this one.
        max_bytes: Of the body of a request to ``/v1/``.
    """
    ancestors = " ".join(["'self'", *origins])

    @app.middleware("http")
    async def with_headers(request: Request, call_next: Any) -> Response:
        if CLOSED.match(request.url.path):
            return error_response(NOT_FOUND, "There is no such page.", "invalid_request_error", "")
        # Gradio's limit answers in plain text, so announced sizes are refused here, in JSON.
        announced = request.headers.get("content-length", "0")
        if request.url.path.startswith("/v1/") and int(announced) > max_bytes:
            text = f"Expected at most {max_bytes:,} bytes, found {int(announced):,}."
            return error_response(TOO_LARGE, text, "invalid_request_error", "http_413")
        response: Response = await call_next(request)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        policy = TEXT if request.url.path.startswith(TEXT_PAGES) else PAGE
        response.headers["Content-Security-Policy"] = f"{policy}; frame-ancestors {ancestors}"
        return response
