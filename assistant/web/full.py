"""Refuses turns before anything else is done for them, while too many wait."""

from typing import Any

from assistant.web.errors import refusal_response
from assistant.web.turns import Turns


class RefuseWhenFull:
    """An ASGI layer: under load each step of a request waits for the threads that answer."""

    def __init__(self, app: Any, turns: Turns, path: str) -> None:
        """Take the application below, what lets turns in, and where they are asked for."""
        self._app, self._turns, self._path = app, turns, path

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Refuse a request, or hand it on."""
        asks = scope["type"] == "http" and scope["path"] == self._path and scope["method"] == "POST"
        refusal = self._turns.gate.refusal() if asks else None
        if refusal is None:
            await self._app(scope, receive, send)
            return
        self._turns.metrics.refused()
        await refusal_response(refusal)(scope, receive, send)
