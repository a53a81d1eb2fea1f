"""Knows which processes answer messages, and which of them have ended."""

import os
import socket
import uuid

from assistant.store.database import Database
from assistant.store.tables import MessageRow


def worker_name() -> str:
    """Return a name for this process: its machine, its number and something by chance."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def mark_abandoned(database: Database) -> None:
    """Mark what a process of this machine was answering when it ended."""
    from sqlalchemy import select

    host = f"{socket.gethostname()}:"
    with database.write() as session:
        wanted = (MessageRow.state == "asked", MessageRow.worker.startswith(host))
        for row in session.scalars(select(MessageRow).where(*wanted)):
            if ended_here(str(row.worker)):
                row.state, row.worker = "interrupted", None


def ended_here(worker: str) -> bool:
    """Return whether a worker was a process of this machine and has ended."""
    host, process, _ = worker.rsplit(":", 2)
    return host == socket.gethostname() and not _is_alive(int(process))


def _is_alive(process: int) -> bool:
    if process == os.getpid():
        return False  # an earlier process had this one's number
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
