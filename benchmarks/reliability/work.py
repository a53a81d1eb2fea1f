"""A process that keeps messages and says so: to be killed, or one of many writers."""

import argparse
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.desk import Desk

# Real questions before they repeat.
QUESTIONS = 1000


def desk_of(database: str, seconds: float = 0.0, real: Path | None = None) -> "Desk":
    """Return a desk on a database.

    Args:
        database: The address of the database.
        seconds: How long an answer takes that only says what it was asked.
        real: The folder of indexes and prepared models, for the demo bank's assistant.
    """
    from assistant.assistant import Assistant
    from assistant.config import load_settings
    from assistant.desk import Desk
    from assistant.store.conversations import Conversations
    from assistant.store.database import Database
    from benchmarks.server.answerer import Answerer

    opened = Database.open(database)
    answerer: Any = Answerer(seconds)
    if real:
        answerer = Assistant.from_config(load_settings(state=real))
    return Desk(answerer, Conversations(opened))


def start(database: str, *more: str) -> subprocess.Popen[str]:
    """Start such a process; what it says can be read from its ``stdout``."""
    module = "benchmarks.reliability"
    command = [sys.executable, "-m", module, "work", "--database", database, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  # ours


def work(given: argparse.Namespace) -> int:
    """Keep messages until all are written, or until somebody kills this process."""
    desk = desk_of(given.database, given.seconds, given.state if given.real else None)
    if given.writes:
        share = given.writes // given.threads
        with ThreadPoolExecutor(given.threads) as pool:
            list(pool.map(lambda thread: _write(desk, thread, share), range(given.threads)))
        return 0
    conversation = desk.conversations.start("api")
    _say("conversation", conversation)
    for number, text in enumerate(_messages(real=given.real)):
        _say("asking", text)
        stream = desk.serve(conversation, text, f"key {number}")
        next(stream)
        _say("kept", text)
        for _ in stream:
            pass
        _say("answered", text)
    return 0


def _messages(*, real: bool) -> Iterator[str]:
    from benchmarks.server.questions import real_questions

    if not real:
        return (f"message {number} of {os.getpid()}" for number in itertools.count(1))
    # A line for each: the process is read line by line.
    asked = (" ".join(text.split()) for text in real_questions(QUESTIONS, seed=os.getpid()))
    return iter(dict.fromkeys(asked))


def _say(word: str, text: str) -> None:
    print(word, text, flush=True)


def _write(desk: "Desk", thread: int, count: int) -> None:
    conversation = desk.conversations.start("api")
    for number in range(count):
        desk.conversations.ask(conversation, f"{os.getpid()} {thread} {number}")
