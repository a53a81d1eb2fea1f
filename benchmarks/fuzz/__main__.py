"""Sends what no client should to the HTTP interface: ``python -m benchmarks.fuzz``.

Starts a server with an answerer without models on a free port of loopback, and lets Schemathesis
make requests from its ``/openapi.json``, valid ones and broken ones, in three rounds: as somebody
on this machine, as a program on another one with a key for everything, and as one without. The
first two know conversations and handoffs that exist. Every response is compared with the document:
its status, type, headers and body, and whether it is a server's error. Left out are a
conversation's events, which never end, and checks of what only a person can judge, such as whether
a broken request that was accepted does harm.
"""

import argparse
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.fuzz.found import HEAD, Found, print_failures, print_row, read

if TYPE_CHECKING:
    from schemathesis import Case

    from benchmarks.server.processes import Server

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance", "unsupported_method",
)  # fmt: skip
ENDLESS = "/v1/conversations/{conversation}/events"
ROUNDS = ("local", "key", "no key")
# Conversations and handoffs that exist, and how often one of them is meant.
KNOWN, SHARE = 200, 0.5
ID = re.compile("[0-9a-f]{32}")
# A header of a proxy: the request is not from this machine.
FAR = {"X-Forwarded-For": "203.0.113.7"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each round and the failures; return 1 if there are any."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.fuzz --examples 20 --rounds local",
    )
    parser.add_argument(
        "--examples", type=int, default=60, help="of each route and round; default: %(default)s"
    )
    parser.add_argument("--rounds", nargs="+", choices=ROUNDS, default=ROUNDS)
    parser.add_argument("--only", metavar="ROUTE", help="such as /v1/feedback; default: all")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    given = parser.parse_args(arguments)
    from benchmarks.server.processes import running, stand_in

    failures: Counter[tuple[str, str, str]] = Counter()
    print(HEAD)
    print("| --- " * HEAD.count(" | ") + "| --- |", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        # Not more than a limit may be asked of what no client could do so often.
        command = stand_in(folder, "--per-minute", "100000")
        with running(command, folder) as server:
            for name in given.rounds:
                found = _round(server, name, given)
                print_row(name, found)
                failures += found.failures
    print_failures(failures)
    return int(bool(failures))


def _round(server: "Server", name: str, given: argparse.Namespace) -> Found:
    from tqdm import tqdm

    headers = {} if name == "local" else dict(FAR)
    if name == "key":
        headers["Authorization"] = f"Bearer {_key(server)}"
    known = _known(server) if name != "no key" else []
    found = Found()
    with tqdm(desc=name, unit=" cases", leave=False) as bar:
        for event in _events(server.url, headers, known, given):
            bar.update(read(event, found))
    return found


def _key(server: "Server") -> str:
    """Return a new key that allows everything."""
    from assistant.store.database import Database
    from assistant.store.keys import SCOPES, Keys

    database = Database.open(server.database_url)
    key = Keys(database).add("fuzz", SCOPES)
    database.close()
    return key


def _known(server: "Server") -> list[str]:
    """Begin conversations that wait for a person, and return their ids."""
    import httpx

    from benchmarks.server.clients import ask

    with httpx.Client(base_url=server.url) as client:
        return [ask(client, f"a person {number}").conversation for number in range(KNOWN)]


def _events(
    url: str, headers: dict[str, str], known: Sequence[str], given: argparse.Namespace
) -> Iterator[Any]:
    """Yield what happens while requests are made."""
    import schemathesis
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine import from_schema

    checks = {"enabled": False} | {name: {"enabled": True} for name in CHECKS}
    config = SchemathesisConfig.from_dict(
        {
            "seed": given.seed,
            "headers": headers,
            "checks": checks,
            "continue-on-failure": True,
            "request-timeout": 30,
            "generation": {"max-examples": given.examples, "no-shrink": True, "database": "none"},
            "phases": {"stateful": {"enabled": False}},
        }
    )
    schema: Any = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)
    schema = schema.include(path=given.only) if given.only else schema.exclude(path=ENDLESS)
    if known:
        schema.hook("map_case")(_knowing(known))
    yield from from_schema(schema).execute()


def _knowing(known: Sequence[str]) -> "Callable[[Any, Case[Any]], Case[Any]]":
    """Return what puts conversations and handoffs that exist into half of the valid requests."""
    draws = random.Random(0)

    def known_ones(_: Any, case: "Case[Any]") -> "Case[Any]":
        path, body = case.path_parameters, case.body
        if case.operation.method.upper() == "DELETE" or draws.random() > SHARE:
            return case
        if ID.fullmatch(str(path.get("conversation", ""))):
            path["conversation"] = draws.choice(known)
        if isinstance(path.get("number"), int):
            path["number"] = draws.randint(1, len(known))
        if isinstance(body, dict) and ID.fullmatch(str(body.get("conversation_id", ""))):
            body["conversation_id"] = draws.choice(known)
        return case

    return known_ones


if __name__ == "__main__":
    sys.exit(main())
