"""Kills a process that keeps and answers messages, and looks whether anything is lost."""

import argparse
import random
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from benchmarks.reliability.work import desk_of, start

# Seconds until a process must have begun: with the real models and without.
LOADING, STARTING = 300.0, 60.0


@dataclass(frozen=True, slots=True)
class Found:
    """What was found after kills."""

    kept: int = 0
    answered: int = 0
    between: int = 0
    lost: int = 0
    doubled: int = 0
    torn: int = 0

    def __add__(self, other: "Found") -> "Found":
        """Return the sums."""
        return Found(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def kills(given: argparse.Namespace) -> int:
    """Kill half of the processes between keeping and answering, half at any moment."""
    from tqdm import tqdm

    chance, found = random.Random(0), Found()
    for number in tqdm(range(given.count), unit=" kills", leave=False):
        told = _killed(given, chance, between=number % 2 == 0)
        found += _checked(given.database, told)
    print("| kills | messages acknowledged | replies | unanswered | lost | doubled | torn |")
    print("| --- " * 7 + "|")
    print(f"| {given.count} | " + " | ".join(f"{value:,}" for value in astuple(found)) + " |")
    if given.database.startswith("sqlite:///"):
        with sqlite3.connect(given.database.removeprefix("sqlite:///")) as connection:
            print("integrity:", *connection.execute("PRAGMA integrity_check").fetchone())
    return int(bool(found.lost or found.doubled or found.torn))


def _killed(given: argparse.Namespace, chance: random.Random, *, between: bool) -> list[str]:
    """Start a process, kill it, and return the lines that it said."""
    how = ["--seconds", "0.2" if between else "0.002"]
    if given.real:
        how = ["--real", "--state", str(given.state)]
    process = start(given.database, *how)
    told: list[str] = []
    reader = threading.Thread(target=_listen, args=(process, told), daemon=True)
    reader.start()
    try:
        _wait(process, told, "conversation", LOADING if given.real else STARTING)
        time.sleep(chance.uniform(0.05, 3.0 if given.real else 0.8))
        if between:
            _wait(process, told, "asking", STARTING, after=len(told))
            time.sleep(chance.uniform(0.02, 0.15))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    reader.join(10)
    return [line.strip() for line in told if line.endswith("\n")]


def _listen(process: subprocess.Popen[str], told: list[str]) -> None:
    assert process.stdout  # noqa: S101  # a pipe
    told.extend(process.stdout)


def _wait(
    process: subprocess.Popen[str], told: Sequence[str], word: str, seconds: float, after: int = 0
) -> None:
    """Wait until a process has said a line that begins with a word."""
    deadline = time.monotonic() + seconds
    while not any(line.startswith(word) for line in told[after:]):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"Expected a process that says {word!r}, found one that does not.")
        time.sleep(0.002)


def _checked(database: str, told: Sequence[str]) -> Found:
    """Compare what a process acknowledged with what is kept, as after a restart."""
    desk = desk_of(database)
    conversation = next(line.split()[1] for line in told if line.startswith("conversation"))
    messages = desk.conversations.messages(conversation)
    desk.conversations.database.close()
    kept = [line.removeprefix("kept ") for line in told if line.startswith("kept")]
    answered = [line.removeprefix("answered ") for line in told if line.startswith("answered")]
    asked = [message for message in messages if message.role == "user"]
    texts = [message.text for message in asked]
    replies = [m.number for m in messages if m.role == "assistant"]
    followed = {message.text for message in asked if message.number + 1 in replies}
    doubled = len(texts) - len(set(texts)) + len(replies) - len(followed)
    wrong = [m for m in asked if (m.state == "answered") != (m.text in followed)]
    torn = len([message for message in wrong if message.state != "interrupted"])
    torn += [message.number for message in messages] != list(range(1, len(messages) + 1))
    return Found(
        kept=len(kept),
        answered=len(answered),
        between=len([message for message in asked if message.state == "interrupted"]),
        lost=len(set(map(_masked, kept)) - set(texts))
        + len(set(map(_masked, answered)) - followed),
        doubled=doubled,
        torn=torn,
    )


def _masked(text: str) -> str:
    from assistant.message.safety import mask

    return mask(text)
