"""What of customers' personal data is left somewhere: ``python -m benchmarks.personal_data``.

Sends invented texts of both languages, as customers and agents type them, to a server on a free
port of loopback: as messages, with a wish for a person, cut off by a failure, with a history of
their own, as a reason and a correction of feedback, as contact details, and as an agent's notes and
replies. Then searches the bytes of the database, what the server printed, its metrics, the export
of every conversation and the events that it sent to another system, for each card, IBAN, e-mail
address, telephone and identity number: as typed, in plain digits and without what stands between.

Nothing promises to hide names, postal addresses and accounts without check digits; of these the
share is told. An agent's e-mail addresses and telephone numbers are kept by intention. With
``--real``, the demo bank's assistant answers with its models.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.personal_data.invented import Invented
    from benchmarks.personal_data.searched import Result
    from benchmarks.server.processes import Server

# Seconds until the last event has arrived.
SETTLED = 5.0
SECRET = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
BY_INTENTION = ("email", "phone")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each kind, and what was found; return 1 if what is promised was found."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.personal_data",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.personal_data --texts 500 --seed 0",
    )
    parser.add_argument("--texts", type=int, default=500, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument(
        "--examples", type=int, default=200, help="printed at most; default: %(default)s"
    )
    parser.add_argument("--real", action="store_true", help="with the real models")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args(arguments)
    from benchmarks.personal_data.invented import invented
    from benchmarks.personal_data.searched import Places

    texts = invented(given.texts, given.seed)
    places = Places(_kept(texts, given.state if given.real else None), texts)
    return _print([places.search(text) for text in texts], given.examples)


def _kept(texts: "Sequence[Invented]", real: Path | None) -> dict[str, bytes]:
    """Send the texts to a server and return all that it kept and said."""
    import httpx
    from tqdm import tqdm

    from benchmarks.personal_data.sent import Sender, receiver
    from benchmarks.server.processes import real_server, running, stand_in

    with tempfile.TemporaryDirectory() as temporary, receiver() as (url, bodies):
        folder = Path(temporary)
        hook = {"webhook_url": url, "webhook_hosts": '["127.0.0.1"]', "webhook_secret": SECRET}
        command = real_server(real) if real else stand_in(folder)
        # A server ends the connection of a turn that failed; the next one needs another.
        each_its_own = httpx.Limits(max_keepalive_connections=0)
        with (
            running(command, folder, logs="json", **hook) as server,
            httpx.Client(base_url=server.url, timeout=120, limits=each_its_own) as client,
        ):
            sender = Sender(client)
            for text in tqdm(texts, unit=" texts", leave=False):
                sender.send(text)
            time.sleep(SETTLED)
            metrics = client.get("/metrics").content
            files = [path.read_bytes() for path in sorted(folder.glob("frontdesk.db*"))]
            exported = _exported(server, sender.conversations)
        return {
            "database": b"\n".join(files),
            "log": server.log.read_bytes(),
            "metrics": metrics,
            "export": exported,
            "webhook": b"\n".join(bodies),
        }


def _exported(server: "Server", conversations: Sequence[str]) -> bytes:
    """Return what ``frontdesk data export`` gives out of each conversation."""
    import json

    from assistant.store.database import Database
    from assistant.store.everything import everything

    database = Database.open(server.database_url)
    given = [everything(database, conversation) for conversation in conversations]
    database.close()
    return json.dumps(given, ensure_ascii=False).encode()


def _print(results: "Sequence[Result]", examples: int) -> int:
    from benchmarks.personal_data.invented import OTHERS, PROMISED

    print("| kind | written by | texts | found | a part found | hidden | where |")
    print("| --- " * 7 + "|")
    for kind in (*PROMISED, *OTHERS):
        for agents in (False, True):
            _print_row(
                kind,
                "agents" if agents else "customers",
                [r for r in results if r.text.kind == kind and r.text.is_agents == agents],
            )
    broken = [r for r in results if (r.whole or r.part) and _is_promised(r.text)]
    for result in sorted(broken, key=lambda result: result.text.kind)[:examples]:
        one, where = result.text, result.whole or result.part
        print(f"- {one.kind} ({one.lang}, {one.way}, in {', '.join(where)}): {one.text}")
    return int(bool(broken))


def _print_row(kind: str, who: str, results: "Sequence[Result]") -> None:
    found = sum(bool(result.whole) for result in results)
    part = sum(bool(result.part) and not result.whole for result in results)
    where = sorted({name for result in results for name in (*result.whole, *result.part)})
    hidden = len(results) - found - part
    share = f"{hidden} ({hidden / len(results):.0%})" if results else "–"
    print(f"| {kind} | {who} | {len(results)} | {found} | {part} | {share} | {', '.join(where)} |")


def _is_promised(text: "Invented") -> bool:
    from benchmarks.personal_data.invented import PROMISED

    by_intention = text.is_agents and text.kind in BY_INTENTION
    return text.kind in PROMISED and not by_intention


if __name__ == "__main__":
    sys.exit(main())
