"""Asks a running server over HTTP, as a customer's program does, and times it."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

# Seconds that a request may take at most.
PATIENCE = 120
UNAVAILABLE = 503


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one question.

    Attributes:
        outcome: answered, refused (too many at once) or failed.
        first: Seconds to the first word; of others than answers, to the end.
        whole: Seconds to the end.
        retry_after: The seconds after which a refused client may try again.
        conversation: The id of the conversation that it is kept in.
    """

    outcome: str
    first: float
    whole: float
    retry_after: float = 0.0
    conversation: str = ""


def ask(client: "httpx.Client", text: str, conversation: str | None = None) -> Answered:
    """Ask a question in a stream.

    Args:
        client: Of a server, as its base URL.
        text: The question.
        conversation: The id of the conversation; None begins a new one.
    """
    import httpx

    messages = [{"role": "user", "content": text}]
    body = {"messages": messages, "stream": True, "conversation_id": conversation}
    start = time.perf_counter()
    try:
        with client.stream("POST", "/v1/chat/completions", json=body) as response:
            if response.status_code == UNAVAILABLE and "retry-after" in response.headers:
                response.read()
                took = time.perf_counter() - start
                return Answered("refused", took, took, float(response.headers["retry-after"]))
            response.raise_for_status()
            return _read(response, start)
    except (httpx.HTTPError, ValueError):
        took = time.perf_counter() - start
        return Answered("failed", took, took)


def _read(response: "httpx.Response", start: float) -> Answered:
    first, told, is_done = 0.0, None, False
    for event in _events(response):
        is_done = event == "[DONE]"
        data: dict[str, Any] = {} if is_done else json.loads(event)
        if "error" in data:
            break
        told = data.get("frontdesk", told)
        if not first and any(choice["delta"].get("content") for choice in data.get("choices", ())):
            first = time.perf_counter() - start
    whole = time.perf_counter() - start
    if not (first and told and is_done):
        return Answered("failed", whole, whole)
    return Answered("answered", first, whole, conversation=told["conversation_id"] or "")


def _events(response: "httpx.Response") -> Iterator[str]:
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield line.removeprefix("data: ")
