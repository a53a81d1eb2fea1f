"""Starts jobs as processes of their own, and keeps what became of them."""

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from assistant.errors import BusyError, SettingsError
from assistant.store.database import Database
from assistant.store.tables import now
from assistant.store.team_tables import RunRow
from assistant.store.workers import ended_here, worker_name

# In a command: the file that the process writes its figures to.
RESULT = "{result}"
# The last characters of a log that are shown.
SHOWN = 4000
# Seconds that a process has to end when it is stopped.
GRACE = 5


@dataclass(frozen=True, slots=True)
class Run:
    """A job.

    Attributes:
        id: Its number.
        kind: What it does.
        on: What it is about; "" for all.
        state: running, passed, failed or interrupted.
        author: Who started it.
        created: When, in UTC.
        ended: When it ended; None while it runs.
        result: The figures that it ended with; None for none.
        log: The end of what it printed.
    """

    id: int
    kind: str
    on: str
    state: str
    author: str
    created: datetime
    ended: datetime | None
    result: dict[str, Any] | None
    log: str


class Runs:
    """Starts and stops jobs, one of a kind at a time."""

    def __init__(self, database: Database, folder: Path) -> None:
        """Take an open database and the folder of logs; mark what an ended process left running."""
        self._database, self._folder = database, folder
        self._worker = worker_name()
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._mark_abandoned()

    def start(
        self,
        kind: str,
        command: Sequence[str],
        author: str,
        on: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> int:
        """Start a job and return its number.

        Args:
            kind: What it does, such as dialogues.
            command: A program with its arguments; ``{result}`` in one stands for the JSON file that
                it writes its figures to.
            author: Who starts it.
            on: What it is about.
            environment: Variables of the process besides this one's: secrets are no arguments.

        Raises:
            BusyError: One of this kind is running.
            SettingsError: The program cannot be started.
            StoreError: It cannot be kept.
        """
        number = self._added(kind, author, on)
        self._folder.mkdir(parents=True, exist_ok=True)
        result = self._folder / f"{number}.json"
        given = [part.replace(RESULT, str(result)) for part in command]
        try:
            with self._log(number).open("wb") as log:
                process = subprocess.Popen(  # noqa: S603  # callers name programs of ours
                    given, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                    env={**os.environ, **(environment or {})},
                )  # fmt: skip
        except OSError as error:
            self._end(number, "failed")
            raise SettingsError(f"Expected a program that can be started: {error}") from None
        self._processes[number] = process
        threading.Thread(target=self._wait, args=(number, process), daemon=True).start()
        return number

    def stop(self, number: int) -> None:
        """End a job of this process; one that has ended stays as it is."""
        process = self._processes.get(number)
        if process is None or process.poll() is not None:
            return
        self._end(number, "interrupted")
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()

    def get(self, number: int) -> Run | None:
        """Return a job, or None."""
        with self._database.read() as session:
            row = session.get(RunRow, number)
            return self._run(row) if row else None

    def latest(self, kind: str = "", count: int = 20, on: str = "") -> list[Run]:
        """Return the last jobs, the latest first.

        Args:
            kind: What they do; "" for all kinds.
            count: How many.
            on: What they are about; "" for anything.
        """
        from sqlalchemy import select

        wanted = select(RunRow).order_by(RunRow.id.desc()).limit(count)
        wanted = wanted.where(RunRow.kind == kind) if kind else wanted
        wanted = wanted.where(RunRow.on == on) if on else wanted
        with self._database.read() as session:
            return [self._run(row) for row in session.scalars(wanted)]

    def _added(self, kind: str, author: str, on: str) -> int:
        from sqlalchemy import select

        with self._database.write() as session:
            running = (RunRow.kind == kind, RunRow.state == "running")
            if session.scalars(select(RunRow.id).where(*running)).first() is not None:
                raise BusyError(
                    f"Expected no other run of {kind}, found one. Wait, or stop it.", key="busy"
                )
            row = RunRow(
                kind=kind, on=on, state="running", author=author, worker=self._worker, created=now()
            )
            session.add(row)
            session.flush()
            return row.id

    def _wait(self, number: int, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        self._end(number, "failed" if code else "passed")

    def _end(self, number: int, state: str) -> None:
        """Keep how a job ended, unless that is known already."""
        result = None
        with contextlib.suppress(OSError, ValueError):
            result = json.loads((self._folder / f"{number}.json").read_text(encoding="utf-8"))
        with self._database.write() as session:
            row = session.get(RunRow, number, with_for_update=True)
            if row and row.state == "running":
                row.state, row.ended, row.result = state, now(), result

    def _mark_abandoned(self) -> None:
        from sqlalchemy import select

        with self._database.write() as session:
            for row in session.scalars(select(RunRow).where(RunRow.state == "running")):
                if ended_here(row.worker):
                    row.state, row.ended = "interrupted", now()

    def _log(self, number: int) -> Path:
        return self._folder / f"{number}.log"

    def _run(self, row: RunRow) -> Run:
        log = ""
        with contextlib.suppress(OSError):
            log = self._log(row.id).read_bytes()[-4 * SHOWN :].decode(errors="replace")[-SHOWN:]
        return Run(
            row.id, row.kind, row.on, row.state, row.author, row.created, row.ended, row.result, log
        )  # fmt: skip
