"""Puts the page's head into the text of Gradio's page.

Gradio adds a head only once its own scripts run, seconds after a phone could have shown the chat.
"""

from collections.abc import Callable
from typing import Any

MARK = b"<head>"


class WithHead:
    """An ASGI layer that adds to the head of the page at ``/``, and to nothing else."""

    def __init__(self, app: Any, head: Callable[[], str]) -> None:
        """Take the application below, and what returns the first part of the page's head."""
        self._app, self._head = app, head

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand a request on, and add the head to the page."""
        if scope["type"] != "http" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        parts: list[bytes] = []
        start: dict[str, Any] = {}

        async def send_with_head(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            if message["type"] != "http.response.body":
                await send(message)
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                body = b"".join(parts).replace(MARK, MARK + self._head().encode(), 1)
                await send(_with_length(start, len(body)))
                await send({"type": "http.response.body", "body": body})

        await self._app(_uncompressed(scope), receive, send_with_head)


def _uncompressed(scope: Any) -> Any:
    headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
    return {**scope, "headers": headers}


def _with_length(start: Any, length: int) -> Any:
    headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    return {**start, "headers": [*headers, (b"content-length", str(length).encode())]}
