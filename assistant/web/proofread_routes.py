"""Proofreading over HTTP: the figures of a text that no article supports, for people who write."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from assistant.desk import Desk
from assistant.grounding.known_figures import Doubt
from assistant.web.access import Access
from assistant.web.errors import errors

MAX_TEXT = 4000


class Draft(BaseModel):
    """What somebody is about to send."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=MAX_TEXT)


def proofread_routes(desk: Desk, access: Access) -> APIRouter:
    """Return the route.

    Args:
        desk: Knows the figures of the articles.
        access: Tells who calls.
    """
    router = APIRouter(prefix="/v1")

    @router.post("/proofread", responses=errors(400, 401, 403, 413, 503))
    def proofread(draft: Draft, request: Request) -> dict[str, Any]:
        """Return the figures that no article supports where they stand; nothing is held back.

        `nearest` is the sentence with the same figure that comes nearest, or null if none has it.
        """
        access.caller(request, "agent")
        doubts = desk.figures.doubts(draft.text)
        return {"object": "list", "data": [_json(doubt) for doubt in doubts]}

    return router


def _json(doubt: Doubt) -> dict[str, Any]:
    nearest = doubt.nearest
    names = ("article", "lang", "title", "sentence")
    place = {name: getattr(nearest, name) for name in names} if nearest else None
    return {"figure": doubt.figure.text, "nearest": place}
