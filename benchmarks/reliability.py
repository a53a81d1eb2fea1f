"""What is lost when things go wrong: ``python -m benchmarks.reliability``.

- ``kills``: a process that keeps and answers messages is killed again and again; afterwards every
  message that it acknowledged must be there once, with at most one reply.
- ``writers``: processes with threads write into one database at the same time.
- ``crossings``: customers with markers of their own talk at the same time.

All of it uses an answerer that says what it was asked; the database is the real one.
"""

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assistant.desk import Desk

# Turns of one conversation.
TALK = 10

EPILOG = """examples:
  python -m benchmarks.reliability kills --count 200
  python -m benchmarks.reliability writers --writes 50000
  python -m benchmarks.reliability writers --writes 50000 --database postgresql+psycopg://…
  python -m benchmarks.reliability crossings --turns 10000
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return 1 if anything was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reliability",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG,
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    kills = verbs.add_parser("kills", help="kill a process that answers")
    kills.add_argument("--count", type=int, default=200)
    writers = verbs.add_parser("writers", help="write from many threads of many processes")
    writers.add_argument("--writes", type=int, default=50_000)
    writers.add_argument("--processes", type=int, default=4)
    writers.add_argument("--threads", type=int, default=8)
    crossings = verbs.add_parser("crossings", help="talk as many customers at once")
    crossings.add_argument("--turns", type=int, default=10_000)
    worker = verbs.add_parser("work")
    worker.add_argument("--answer", type=float, default=0.0, help="seconds that an answer takes")
    worker.add_argument("--writes", type=int, default=0)
    worker.add_argument("--threads", type=int, default=1)
    for verb in (kills, writers, crossings, worker):
        verb.add_argument("--database", help="default: SQLite in a temporary folder")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        given.database = given.database or f"sqlite:///{folder}/frontdesk.db"
        return {"kills": _kills, "writers": _writers, "crossings": _crossings, "work": _work}[
            given.verb
        ](given)


class Answerer:
    """Says what it was asked, after a while."""

    responder = SimpleNamespace(
        max_characters=4000, generator=None, company=SimpleNamespace(people=None), saying=None
    )

    def __init__(self, seconds: float) -> None:
        """Set how long an answer takes."""
        self._seconds = seconds

    def stream(self, question: str, history: Sequence[Any] = ()) -> "Iterator[Any]":
        """Yield the question in two pieces, then the reply."""
        from assistant.messages import Action, Reply

        heard = " ".join(message.text for message in history)
        time.sleep(self._seconds)
        yield question[:1]
        yield question[1:]
        yield Reply(f"{question} | {heard}", Action.ANSWER, "answer", "en")

    def article(self, *_: str) -> None:
        """Return no article."""

    def versions(self) -> dict[str, str]:
        """Return no versions."""
        return {}


def _desk(database: str, seconds: float = 0.0) -> "Desk":
    from assistant.desk import Desk
    from assistant.store.conversations import Conversations
    from assistant.store.database import Database

    return Desk(Answerer(seconds), Conversations(Database.open(database)))  # type: ignore[arg-type]


def _work(given: argparse.Namespace) -> int:
    """Keep messages and say so: a process that is killed, or one of many writers."""
    desk = _desk(given.database, given.answer)
    print("ready", flush=True)
    if given.writes:
        with ThreadPoolExecutor(given.threads) as pool:
            share = given.writes // given.threads
            list(pool.map(lambda n: _write(desk, n, share), range(given.threads)))
        return 0
    conversation = desk.conversations.start("api")
    print("conversation", conversation, flush=True)
    number = 0
    while True:
        number += 1
        text = f"message {number} of {os.getpid()}"
        stream = desk.serve(conversation, text, f"key {number}")
        next(stream)
        print("kept", text, flush=True)
        for _ in stream:
            pass
        print("answered", text, flush=True)


def _write(desk: "Desk", thread: int, count: int) -> None:
    conversation = desk.conversations.start("api")
    for number in range(count):
        desk.conversations.ask(conversation, f"{os.getpid()} {thread} {number}")


def _start(given: argparse.Namespace, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.reliability", "work", "--database", given.database]
    return subprocess.Popen([*command, *more], stdout=subprocess.PIPE, text=True)  # noqa: S603  # ours


def _kills(given: argparse.Namespace) -> int:
    """Kill half of the processes while an answer takes long, half at any moment."""
    chance = random.Random(0)
    lost = doubled = torn = kept = answered = 0
    for number in range(given.count):
        between = number % 2 == 0
        process = _start(given, "--answer", "0.2" if between else "0.002")
        assert process.stdout  # noqa: S101  # a pipe
        told: list[str] = []
        reader = threading.Thread(target=lambda p=process, t=told: t.extend(p.stdout), daemon=True)
        reader.start()
        while not any(line.startswith("conversation") for line in told):
            time.sleep(0.01)
        time.sleep(chance.uniform(0.05, 0.8))
        process.send_signal(signal.SIGKILL)
        process.wait()
        reader.join(10)
        counts = _checked(given.database, [line.strip() for line in told if line.endswith("\n")])
        lost, doubled, torn = lost + counts[0], doubled + counts[1], torn + counts[2]
        kept, answered = kept + counts[3], answered + counts[4]
        print(f"\r{number + 1} of {given.count} kills", end="", file=sys.stderr, flush=True)
    print(
        f"\n{given.count} kills: {kept} messages acknowledged, {answered} replies; lost {lost}, "
        f"doubled {doubled}, torn {torn}"
    )
    if given.database.startswith("sqlite:///"):
        with sqlite3.connect(given.database.removeprefix("sqlite:///")) as connection:
            print("integrity:", *connection.execute("PRAGMA integrity_check").fetchone())
    return int(bool(lost or doubled or torn))


def _checked(database: str, told: Sequence[str]) -> tuple[int, int, int, int, int]:
    """Return how many messages were lost, doubled and torn, and how many were acknowledged."""
    desk = _desk(database)  # as after a restart
    conversation = next(line.split()[1] for line in told if line.startswith("conversation"))
    messages = desk.conversations.messages(conversation)
    desk.conversations.database.close()
    asked = [m for m in messages if m.role == "user"]
    replies = [m.text.split(" | ")[0] for m in messages if m.role == "assistant"]
    kept = [line.removeprefix("kept ") for line in told if line.startswith("kept")]
    answered = [line.removeprefix("answered ") for line in told if line.startswith("answered")]
    texts = [m.text for m in asked]
    lost = len(set(kept) - set(texts)) + len(set(answered) - set(replies))
    doubled = len(texts) - len(set(texts)) + len(replies) - len(set(replies))
    wrong = [m for m in asked if (m.state == "answered") != (m.text in replies)]
    torn = len([m for m in wrong if m.state != "interrupted"])
    torn += [m.number for m in messages] != list(range(1, len(messages) + 1))
    return lost, doubled, torn, len(kept), len(answered)


def _writers(given: argparse.Namespace) -> int:
    start = time.perf_counter()
    # As many for each thread: a few less where it does not come out even.
    wanted = given.writes - given.writes % (given.processes * given.threads)
    share = str(wanted // given.processes)
    workers = [
        _start(given, "--writes", share, "--threads", str(given.threads))
        for _ in range(given.processes)
    ]
    codes = [worker.wait() for worker in workers]
    took = time.perf_counter() - start
    from sqlalchemy import func, select

    from assistant.store.database import Database
    from assistant.store.tables import MessageRow

    with Database.open(given.database).read() as session:
        found = session.scalar(select(func.count()).select_from(MessageRow)) or 0
    name = given.database.split(":")[0]
    lost = wanted - found
    print(f"{name}: {found} of {wanted} writes in {took:.0f} s, {sum(map(bool, codes))} failed")
    return int(lost != 0 or any(codes))


def _crossings(given: argparse.Namespace) -> int:
    desk = _desk(given.database)
    customers = 16

    def talk(number: int) -> int:
        own, crossed, conversation = f"marker{number:02d}x", 0, ""
        for turn in range(given.turns // customers):
            if turn % TALK == 0:
                conversation = desk.conversations.start("api")
            *_, reply = desk.serve(conversation, f"{own} {turn}")
            words = [word for word in reply.text.split() if word.startswith("marker")]
            crossed += any(word != own for word in words)
        return crossed

    with ThreadPoolExecutor(customers) as pool:
        crossed = sum(pool.map(talk, range(customers)))
    print(f"{given.turns} turns of {customers} customers at a time: {crossed} crossings")
    return int(bool(crossed))


if __name__ == "__main__":
    sys.exit(main())
