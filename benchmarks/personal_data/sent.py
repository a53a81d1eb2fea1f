"""Sends texts to a running server in every way that one takes, and receives its events."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from benchmarks.personal_data.invented import Invented
from benchmarks.server.answerer import BROKEN, PERSON

if TYPE_CHECKING:
    import httpx

# What is answered before a text that is no message itself.
HELLO = {"en": "a card, please", "zh": "一张卡"}


class Sender:
    """Sends texts, and remembers their conversations."""

    def __init__(self, client: "httpx.Client") -> None:
        """Take a client of the server."""
        self._client = client
        self.conversations: list[str] = []

    def send(self, one: Invented) -> None:
        """Send a text as it is meant to be.

        Raises:
            RuntimeError: The server does not take it.
        """
        ways: dict[str, Callable[[Invented], object]] = {
            "message": lambda one: self._ask(one.text),
            "handoff": lambda one: self._ask(f"{one.text} {PERSON[one.lang == 'zh']}"),
            "interrupted": lambda one: self._ask(f"{one.text} {BROKEN[0]}", 500),
            "history": self._with_history,
            "reason": lambda one: self._judge(one, "reason"),
            "correction": lambda one: self._judge(one, "correction"),
            "contact": self._leave_contact,
            "note": lambda one: self._as_agent(one, "note"),
            "reply": lambda one: self._as_agent(one, "reply"),
        }
        ways[one.way](one)

    def _ask(self, text: str, status: int = 200, *before: dict[str, str]) -> str:
        messages = [*before, {"role": "user", "content": text}]
        told = self._post("/v1/chat/completions", {"messages": messages}, status)
        conversation = (told.get("frontdesk") or {}).get("conversation_id") or ""
        self.conversations += [conversation] if conversation else []
        return conversation

    def _with_history(self, one: Invented) -> None:
        said = {"role": "assistant", "content": "Yes."}
        self._ask(one.text, 200, {"role": "user", "content": one.text}, said)

    def _judge(self, one: Invented, field: str) -> None:
        conversation = self._ask(HELLO[one.lang])
        judged = {"conversation_id": conversation, "number": 2, "thumb": "down", field: one.text}
        self._post("/v1/feedback", judged)

    def _leave_contact(self, one: Invented) -> None:
        conversation = self._ask(f"{HELLO[one.lang]} {PERSON[0]}")
        self._post(f"/v1/conversations/{conversation}/contact", {"how": one.text})

    def _as_agent(self, one: Invented, what: str) -> None:
        conversation = self._ask(f"{HELLO[one.lang]} {PERSON[0]}")
        listed = self._client.get("/v1/handoffs").json()["data"]
        number = next(h["id"] for h in listed if h["conversation"] == conversation)
        self._post(f"/v1/handoffs/{number}/take", {})
        self._post(f"/v1/handoffs/{number}/{what}", {"text": one.text})
        self._post(f"/v1/handoffs/{number}/close", {})

    def _post(self, path: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
        response = self._client.post(path, json=body)
        if response.status_code != status:
            found = f"{response.status_code} {response.text[:200]}"
            raise RuntimeError(f"Expected {status} of {path}, found {found}")
        told: dict[str, Any] = response.json()
        return told


@contextmanager
def receiver() -> Iterator[tuple[str, list[bytes]]]:
    """Yield the address of a receiver of webhooks, and the bodies that it has got."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers.get("content-length", 0))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", bodies
    finally:
        server.shutdown()
        server.server_close()
