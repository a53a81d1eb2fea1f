"""What every route gives to whom: ``python -m benchmarks.routes``.

The whole application, the page's routes included, is asked from another machine: without a key,
with a wrong one, with another customer's token, with the key of a program that may chat, with that
of an agent who does not have the conversation, and by the agent who has it. The desk is real; an
answerer that says what it was asked stands for the models. Nothing listens.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import SimpleNamespace

WHO = (
    "nobody", "wrong key", "another customer", "the customer",
    "program", "another agent", "the agent",
)  # fmt: skip
# What a customer typed; nobody else may read it anywhere.
MARKER = "marker of a customer"
# Who gets the conversation in the end.
COLLEAGUE = "ann"
# Agents see in the list what each handoff is about; one that another has, they cannot open.
MAY_READ = ("the customer", "program", "another agent", "the agent")
BODIES: Mapping[str, Any] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hi"}]},
    "/v1/feedback": {"number": 2, "thumb": "up"},
    "/v1/sign-in": {"name": "ann", "password": "wrong"},
    "/v1/conversations/{conversation}/contact": {"how": "ring me"},
    "/v1/handoffs/{number}/reply": {"text": "hello"},
    "/v1/handoffs/{number}/note": {"text": "hello"},
    "/v1/handoffs/{number}/assign": {"agent": COLLEAGUE},
    "/v1/handoffs/{number}/snooze": {"until": "2999-01-01T09:00:00Z"},
}
# Streams that never end: of ours, the test of the same rule as for reading; of the page, no words.
STREAMS = ("/events", "/heartbeat", "/queue/data", "/dev/reload")
# What would end what the others need is asked last.
LAST = (("assign",), ("DELETE", "give-back", "close"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 if somebody read what is not theirs, or a route failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.routes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.routes",
    )
    parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        rows = list(table(folder))
    print("| route | " + " | ".join(WHO) + " |\n|" + " --- |" * (len(WHO) + 1))
    same: dict[str, list[str]] = {}
    for route, given in rows:
        if len(set(given.values())) == 1:
            same.setdefault(given[WHO[0]], []).append(f"`{route}`")
        else:
            print(f"| `{route}` | " + " | ".join(given[who] for who in WHO) + " |")
    print("\nThe same for everybody:\n")
    for status, routes in sorted(same.items()):
        print(f"- {status}: {', '.join(routes)}")
    return 1 if any(wrong(given) for _, given in rows) else 0


def wrong(given: Mapping[str, str]) -> list[str]:
    """Return who read what is not theirs, or found a server error, in a row of the table."""
    read = [who for who in WHO if "read" in given[who] and who not in MAY_READ]
    return read + [who for who in WHO if given[who].startswith("5")]


def table(folder: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each route with what everybody gets: a status, and "read" for another's words.

    Args:
        folder: Where a database may be made.
    """
    from fastapi.testclient import TestClient

    server = _server(folder)
    with TestClient(
        server.app,
        base_url="http://bank.example",
        client=("203.0.113.7", 5000),
        raise_server_exceptions=False,
    ) as client:
        for method, path in sorted(_routes(server.app), key=_order):
            given = {}
            for who in WHO:
                headers = {"authorization": f"Bearer {server.bearers[who]}"}
                given[who] = _called(client, server, method, path, headers if who != WHO[0] else {})
            yield f"{method} {path}", given


def _server(folder: str) -> "SimpleNamespace":
    """Return the application with a conversation that an agent has, and what everybody sends."""
    from types import SimpleNamespace

    from assistant.desk import Desk
    from assistant.serve import with_page
    from assistant.store.contacts import Contacts
    from assistant.store.conversations import Conversations
    from assistant.store.database import Database
    from assistant.store.keys import Keys
    from assistant.store.users import Users
    from assistant.web.access import Access
    from assistant.web.api import create_app
    from assistant.web.gate import Gate
    from assistant.web.limits import Limits
    from assistant.web.metrics import Metrics
    from assistant.web.tokens import Tokens
    from assistant.web.turns import Turns
    from benchmarks.server.answerer import Answerer

    database = Database.open(f"sqlite:///{folder}/frontdesk.db")
    desk = Desk(Answerer(people=True), Conversations(database))  # type: ignore[arg-type]
    tokens, keys, gate = Tokens("secret", 1), Keys(database), Gate(8, 32, 20)
    Users(database).add(COLLEAGUE, "correct horse battery", "agent")
    access = Access.open(database, tokens, "secret")
    turns = Turns(gate, Limits(10_000), Metrics(gate, lambda: 0.0))
    app = create_app(desk, access, turns, Contacts(database, "secret", 1))
    conversation = desk.begin("x", "page")
    list(desk.serve(conversation, f"a person please: {MARKER}"))
    (handoff,) = desk.handover.handoffs.all()
    desk.handover.handoffs.take(handoff.id, "the agent")
    other = tokens.sign(desk.begin("x", "page"))
    given = ("", "fd-wrong", other, tokens.sign(conversation))
    known = [keys.add(who, ["agent" if "agent" in who else "chat"]) for who in WHO[len(given) :]]
    return SimpleNamespace(
        app=with_page(app, desk, access),
        conversation=conversation,
        handoff=handoff.id,
        bearers=dict(zip(WHO, (*given, *known), strict=True)),
    )


def _order(route: tuple[str, str]) -> tuple[int, bool, str, str]:
    method, path = route
    ends = (any(word in f"{method} {path}" for word in words) for words in LAST)
    rank = next((number for number, found in enumerate(ends, 1) if found), 0)
    return rank, not path.startswith("/v1"), path, method


def _called(client: Any, server: "SimpleNamespace", method: str, path: str, headers: Any) -> str:
    if any(word in path for word in STREAMS):
        return "stream"
    places = {"conversation": server.conversation, "number": str(server.handoff)}
    url = re.sub(r"\{(\w+)(?::\w+)?\}", lambda gap: places.get(gap[1], "en"), path)
    body = BODIES.get(path, {})
    if path in ("/v1/chat/completions", "/v1/feedback"):
        body = {**body, "conversation_id": server.conversation}
    asked = {} if method in ("GET", "DELETE") else {"json": body}
    response = client.request(method, url, headers=headers, **asked)
    return f"{response.status_code}{', read' if MARKER in response.text else ''}"


def _routes(app: Any) -> Iterator[tuple[str, str]]:
    """Yield the method and the path of each route, those of mounted applications too."""
    from fastapi.routing import iter_route_contexts

    for route in iter_route_contexts(app.routes):
        inner = getattr(route.original_route, "app", None)
        if hasattr(inner, "routes"):
            for method, path in _routes(inner):
                yield method, f"{route.path or ''}{path}"
        for method in sorted(set(route.methods or ()) - {"HEAD", "OPTIONS"}):
            yield method, str(route.path)


if __name__ == "__main__":
    sys.exit(main())
