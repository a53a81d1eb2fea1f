"""Writes into one database from many threads of many processes."""

import argparse
import subprocess
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmarks.reliability.work import start

if TYPE_CHECKING:
    from assistant.store.database import Database


def writers(given: argparse.Namespace) -> int:
    """Write, and count what was written; return 1 if anything is missing."""
    from assistant.store.database import Database

    # As many for each thread: a few less where it does not come out even.
    wanted = given.writes - given.writes % (given.processes * given.threads)
    share = str(wanted // given.processes)
    database = Database.open(given.database)
    before = _count(database)
    begun = time.perf_counter()
    threads = str(given.threads)
    workers = [
        start(given.database, "--writes", share, "--threads", threads)
        for _ in range(given.processes)
    ]
    failed = _wait(workers, database, before, wanted)
    took = time.perf_counter() - begun
    found = _count(database) - before
    database.close()
    print("| database | writes | of | seconds | processes that failed |")
    print("| --- " * 5 + "|")
    name = database.engine.dialect.name
    print(f"| {name} | {found:,} | {wanted:,} | {took:.0f} | {failed} |")
    return int(found != wanted or failed > 0)


def _wait(
    workers: Sequence[subprocess.Popen[str]], database: "Database", before: int, wanted: int
) -> int:
    """Show how far the processes are until they end; return how many failed."""
    from tqdm import tqdm

    with tqdm(total=wanted, unit=" writes", leave=False) as bar:
        while any(worker.poll() is None for worker in workers):
            bar.update(_count(database) - before - bar.n)
            time.sleep(1)
    return sum(bool(worker.wait()) for worker in workers)


def _count(database: "Database") -> int:
    from sqlalchemy import func, select

    from assistant.store.tables import MessageRow

    with database.read() as session:
        return session.scalar(select(func.count()).select_from(MessageRow)) or 0
