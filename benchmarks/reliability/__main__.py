"""What is lost when things go wrong: ``python -m benchmarks.reliability``.

- ``kills``: a process that keeps and answers messages is killed again and again; afterwards every
  message that it acknowledged must be there once, with at most one reply.
- ``writers``: processes with threads write into one database at the same time.
- ``crossings``: customers talk at the same time, and nobody may get another one's words.

The database is the real one. The answerer says what it was asked; with ``--real`` it is the demo
bank's assistant with its models, asked training rows of ``tuning/data/customers``.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

EPILOG = """examples:
  python -m benchmarks.reliability kills --count 200
  python -m benchmarks.reliability kills --count 20 --real
  python -m benchmarks.reliability writers --writes 50000
  python -m benchmarks.reliability writers --writes 50000 --postgres
  python -m benchmarks.reliability writers --database postgresql+psycopg://…
  python -m benchmarks.reliability crossings --turns 10000
  python -m benchmarks.reliability crossings --turns 500 --real
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return 1 if anything was lost."""
    given = _parser().parse_args(arguments)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        if given.verb == "writers" and given.postgres:
            from tests.postgres import postgres

            given.database = stack.enter_context(postgres(durable=True))
        given.database = given.database or f"sqlite:///{folder}/frontdesk.db"
        return _verb(given.verb)(given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reliability",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG,
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    kills = verbs.add_parser("kills", help="kill a process that answers")
    kills.add_argument("--count", type=int, default=200, help="default: %(default)s")
    writers = verbs.add_parser("writers", help="write from many threads of many processes")
    writers.add_argument("--writes", type=int, default=50_000, help="default: %(default)s")
    writers.add_argument("--processes", type=int, default=4, help="default: %(default)s")
    writers.add_argument(
        "--postgres", action="store_true", help="into a PostgreSQL that is started for it"
    )
    crossings = verbs.add_parser("crossings", help="talk as many customers at once")
    crossings.add_argument("--turns", type=int, default=10_000, help="default: %(default)s")
    worker = verbs.add_parser("work", help="a process that the others start")
    worker.add_argument("--seconds", type=float, default=0.0, help="that an answer takes")
    worker.add_argument("--writes", type=int, default=0)
    for verb in (writers, worker):
        verb.add_argument("--threads", type=int, default=8, help="default: %(default)s")
    for verb in (kills, crossings, worker):
        verb.add_argument("--real", action="store_true", help="with the real models")
        verb.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    for verb in (kills, writers, crossings, worker):
        verb.add_argument("--database", help="default: SQLite in a temporary folder")
    return parser


def _verb(name: str) -> Callable[[argparse.Namespace], int]:
    from benchmarks.reliability.crossings import crossings
    from benchmarks.reliability.kills import kills
    from benchmarks.reliability.work import work
    from benchmarks.reliability.writers import writers

    return {"kills": kills, "writers": writers, "crossings": crossings, "work": work}[name]


if __name__ == "__main__":
    sys.exit(main())
