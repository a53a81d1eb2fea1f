"""Whether the server lives and can answer, which model it is, and what it has done."""

from typing import Any

from fastapi import APIRouter, Request, Response

from assistant.desk import Desk
from assistant.web.access import Access
from assistant.web.chat_request import MODEL
from assistant.web.errors import errors
from assistant.web.metrics import CONTENT_TYPE, Metrics

# What Prometheus reads, for the description of the interface.
TEXT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {}}}}


def health_routes(desk: Desk, metrics: Metrics, access: Access) -> APIRouter:
    """Return the routes of those who look after a server.

    Args:
        desk: Holds the conversations.
        metrics: Counts what it does.
        access: Tells who calls.
    """
    router = APIRouter()

    @router.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz", responses=errors(503))
    def readyz() -> dict[str, Any]:
        desk.conversations.database.check()
        generator = desk.assistant.responder.generator
        return {"status": "ready", "generator": generator.name if generator else None}

    @router.get("/v1/models")
    def models() -> dict[str, Any]:
        card = {"id": MODEL, "object": "model", "created": 0, "owned_by": "frontdesk"}
        return {"object": "list", "data": [card]}

    @router.get(
        "/metrics",
        response_class=Response,
        responses=TEXT | errors(401, 403, 503),
    )
    def counted(request: Request) -> Response:
        access.caller(request, "metrics")
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return router
