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
from assistant.web.gate import RefusedError

BAD_REQUEST, NOT_FOUND, CONFLICT = 400, 404, 409
TOO_MANY, INTERNAL_ERROR, UNAVAILABLE = 429, 500, 503
# What each status means here, for the description of the interface.
MEANING = {
    BAD_REQUEST: "The request is wrong; the message says what was expected.",
    401: "Nobody who is known.",
    403: "Somebody who may not.",
    NOT_FOUND: "There is no such thing.",
    CONFLICT: "It is being done already, or by somebody else.",
    413: "The body is too large.",
    TOO_MANY: "Too often; `Retry-After` says when the next may come.",
    UNAVAILABLE: "Too many at once, or nothing can be kept; try again.",
}
_FIELDS = {
    "message": {"type": "string", "description": "What was expected, what was found, what to do"},
    "type": {"type": "string"},
    "code": {"type": "string"},
    "param": {"type": ["string", "null"]},
}
# An error in OpenAI's shape, as a JSON schema.
ERROR = {
    "type": "object",
    "properties": {
        "error": {"type": "object", "properties": _FIELDS, "required": list(_FIELDS)},
    },
    "required": ["error"],
}

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
    describe_errors(app)
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
        response = error_response(error.status_code, detail, kind, f"http_{error.status_code}")
        response.headers.update(error.headers or {})  # such as which methods there are
        return response

    @app.exception_handler(RefusedError)
    def refused(_: Request, error: RefusedError) -> JSONResponse:
        return refusal_response(error)

    @app.exception_handler(Exception)
    def unexpected(_: Request, __: Exception) -> JSONResponse:
        # Starlette logs the exception.
        return JSONResponse(failed_turn(), status_code=INTERNAL_ERROR)


def describe_errors(app: FastAPI) -> None:
    """Leave FastAPI's own status for wrong requests out of the description: here it is 400."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        is_new = app.openapi_schema is None
        description = describe()
        if is_new:
            for path in description["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
            for name in ("HTTPValidationError", "ValidationError"):
                description["components"]["schemas"].pop(name, None)
        return description

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the errors of a route, for the description of the interface."""
    content = {"application/json": {"schema": ERROR}}
    return {status: {"description": MEANING[status], "content": content} for status in statuses}


def refusal_response(error: RefusedError) -> JSONResponse:
    """Return the response to a turn that may be asked again a little later."""
    kind = "rate_limit_error" if error.status == TOO_MANY else "server_error"
    response = error_response(error.status, str(error), kind, error.code)
    response.headers["Retry-After"] = str(error.retry_after)
    return response


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
