"""Errors as OpenAI's clients expect them; never an exception's text."""

import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from assistant.errors import (
    AssistantError,
    BusyError,
    ConversationError,
    HandoffError,
    InvalidMessageError,
    StoreError,
)
from assistant.web.chat_response import error_body, failed_turn
from assistant.web.gate import FullError

BAD_REQUEST, NOT_FOUND, CONFLICT, INTERNAL_ERROR, UNAVAILABLE = 400, 404, 409, 500, 503

# Errors whose text is meant for the client, with their status and code; "" for the error's own.
TOLD: dict[type[Exception], tuple[int, str]] = {
    InvalidMessageError: (BAD_REQUEST, ""),
    ConversationError: (NOT_FOUND, "no_conversation"),
    BusyError: (CONFLICT, "busy"),
    HandoffError: (CONFLICT, "not_yours"),
}

# Errors of our own, whose text is for the log alone, with what the client gets.
HIDDEN: dict[type[Exception], dict[str, Any]] = {
    StoreError: error_body(
        "Nothing can be kept now, so nothing is answered. Try again later.",
        "server_error",
        "not_kept",
    ),
    AssistantError: failed_turn(),
}

logger = logging.getLogger(__name__)


def add_error_handlers(app: FastAPI) -> None:
    """Let an application answer each error in OpenAI's shape."""
    for kind, (status, code) in TOLD.items():
        app.add_exception_handler(kind, _told(status, code))
    for kind, body in HIDDEN.items():
        app.add_exception_handler(kind, _hidden(body))

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
        return error_response(BAD_REQUEST, text, "invalid_request_error", issue["type"], place)

    @app.exception_handler(HTTPException)
    def http_error(_: Request, error: HTTPException) -> JSONResponse:
        kind = "invalid_request_error" if error.status_code < INTERNAL_ERROR else "server_error"
        detail = error.detail
        if error.status_code == BAD_REQUEST:
            detail = f"{detail}. Expected a JSON body in UTF-8."
        return error_response(error.status_code, detail, kind, f"http_{error.status_code}")

    @app.exception_handler(FullError)
    def full(_: Request, error: FullError) -> JSONResponse:
        response = error_response(UNAVAILABLE, str(error), "server_error", "full")
        response.headers["Retry-After"] = str(error.retry_after)
        return response

    @app.exception_handler(Exception)
    def unexpected(_: Request, __: Exception) -> JSONResponse:
        # Starlette logs the exception.
        return JSONResponse(failed_turn(), status_code=INTERNAL_ERROR)


def _told(status: int, code: str) -> Callable[[Request, Exception], JSONResponse]:
    def handler(_: Request, error: Exception) -> JSONResponse:
        name = code or getattr(error, "code", "")
        return error_response(status, str(error), "invalid_request_error", name)

    return handler


def _hidden(body: dict[str, Any]) -> Callable[[Request, Exception], JSONResponse]:
    def handler(_: Request, error: Exception) -> JSONResponse:
        logger.error("a request failed: %s", error)
        return JSONResponse(body, status_code=UNAVAILABLE)

    return handler


def error_response(
    status: int, message: str, kind: str, code: str, param: str | None = None
) -> JSONResponse:
    """Return an error in OpenAI's shape.

    Args:
        status: The HTTP status.
        message: What was expected, what was found and what to do.
        kind: OpenAI's type of the error.
        code: A short name.
        param: The field that is wrong.
    """
    return JSONResponse(error_body(message, kind, code, param), status_code=status)
