"""Says what a server does, in text or as JSON: ids, times and statuses, never what was said."""

import logging
import sys
import time
from typing import Any

from fastapi import FastAPI, Request, Response

TEXT = "%(asctime)s %(levelname)s %(name)s [%(correlation_id)s] %(message)s"
JSON = "%(asctime)s %(levelname)s %(name)s %(correlation_id)s %(message)s"
ID = "X-Request-ID"

logger = logging.getLogger("frontdesk.requests")


def log(kind: str) -> None:
    """Write to the standard error stream from now on.

    Args:
        kind: text or json.
    """
    from asgi_correlation_id import CorrelationIdFilter
    from pythonjsonlogger.json import JsonFormatter

    handler = logging.StreamHandler(sys.stderr)
    names = {"asctime": "time", "levelname": "level", "name": "logger", "correlation_id": "request"}
    formatter = JsonFormatter(JSON, rename_fields=names) if kind == "json" else None
    handler.setFormatter(formatter or logging.Formatter(TEXT))
    handler.addFilter(CorrelationIdFilter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logger.setLevel(logging.INFO if kind == "json" else logging.WARNING)


def name_requests(app: FastAPI) -> None:
    """Give every request an id, that of the client if it is one, and log how it ended."""
    from asgi_correlation_id import CorrelationIdMiddleware

    @app.middleware("http")
    async def logged(request: Request, call_next: Any) -> Response:
        start = time.perf_counter()
        response: Response = await call_next(request)
        route = request.scope.get("route")
        # The route and not the path: what was typed may stand in a path.
        told = {"method": request.method, "route": getattr(route, "path", "other")}
        took = round((time.perf_counter() - start) * 1000, 1)
        logger.info("request", extra={**told, "status": response.status_code, "ms": took})
        return response

    app.add_middleware(CorrelationIdMiddleware, header_name=ID, validator=_is_id)


def _is_id(given: str) -> bool:
    return 0 < len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum()  # noqa: PLR2004  # the length of a column
