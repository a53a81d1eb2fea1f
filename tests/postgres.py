"""A PostgreSQL server of the tests' own, on a socket in a temporary folder."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Where Debian keeps the commands of the server.
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def has_postgres() -> bool:
    """Return whether the commands of a server are installed."""
    return _command("initdb") is not None


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[str]:
    """Start a server and yield the address of its first database.

    Args:
        durable: Whether what was acknowledged survives a loss of power, which takes longer.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    user = "postgres" if os.getuid() == 0 else None  # a server refuses to run as root
    if user:
        shutil.chown(folder, user)

    def run(name: str, *arguments: str) -> None:
        command = [str(_command(name)), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, capture_output=True, user=user, cwd=folder)

    run("initdb", "--auth=trust", "--username=frontdesk", "--encoding=UTF8")
    options = f"-k {folder} -c listen_addresses='' -c fsync={'on' if durable else 'off'}"
    run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://frontdesk@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str) -> str:
    """Make an empty database on a server and return its address."""
    import psycopg

    name = f"d{uuid.uuid4().hex}"
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server.replace("/postgres?", f"/{name}?")


def _command(name: str) -> str | None:
    places = os.pathsep.join(map(str, [*reversed(DEBIAN), os.environ["PATH"]]))
    return shutil.which(name, path=places)
