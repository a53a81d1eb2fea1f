"""Starts a server as a process of its own, and ends that process alone."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Seconds until a server has loaded its models, and until it has ended.
PATIENCE, GOODBYE = 300, 20
SECRET = "signs the tokens of a benchmark"  # noqa: S105  # nothing that it opens lasts


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        url: Its address on loopback.
        process: The number of its process.
        database: Where it keeps conversations.
        log: All that it prints.
    """

    url: str
    process: int
    database: Path
    log: Path

    @property
    def database_url(self) -> str:
        """The address of the database, as SQLAlchemy takes it."""
        return f"sqlite:///{self.database}"


def real_server(state: Path) -> list[str]:
    """Return the command of the real server.

    Args:
        state: The folder of indexes and prepared models; conversations are kept elsewhere.
    """
    return [sys.executable, "-m", "assistant.cli", "serve", "--state", str(state)]


def stand_in(state: Path, *options: str) -> list[str]:
    """Return the command of a server whose answerer says what it was asked.

    Args:
        state: A folder for what it makes.
        options: More options of it, or of ``frontdesk serve``.
    """
    module = "benchmarks.server.stand_in"
    return [sys.executable, "-m", module, "--state", str(state), *options]


@contextmanager
def running(command: Sequence[str], folder: Path, **settings: str) -> Iterator[Server]:
    """Start a server on a free port, wait until it is ready, and end it afterwards.

    Args:
        command: What starts it; it takes ``--port``.
        folder: An empty folder for its database and what it prints.
        settings: More settings, by their names.

    Raises:
        RuntimeError: It ended, or was not ready in time.
    """
    port = _free_port()
    log, database = folder / "server.log", folder / "frontdesk.db"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603  # our own command
            [*command, "--port", str(port)],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=_environment(database, settings),
        )
    server = Server(f"http://127.0.0.1:{port}", process.pid, database, log)
    try:
        _wait_until_ready(server, process)
        yield server
    finally:
        _end(process)


def _environment(database: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with settings of the benchmark's own alone."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FRONTDESK_")}
    own = {"database": f"sqlite:///{database}", "secret_key": SECRET, **settings}
    return kept | {f"FRONTDESK_{name.upper()}": value for name, value in own.items()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    import httpx

    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{server.url}/readyz", timeout=2).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    said = server.log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"Expected a server that is ready in {PATIENCE} s, found: {said}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GOODBYE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
