"""Copies the database while it is served, and brings a copy back: ``frontdesk backup``."""

import argparse
import contextlib
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

# Pages that are copied at once, so that writers get their turn.
PAGES = 1000


def main(arguments: Sequence[str] | None = None, prog: str = "frontdesk backup") -> int:
    """Copy the database into a file; return 2 if that cannot be done."""
    return _run(arguments, prog, "Copy all conversations into a file, while they are served.", _out)


def restore(arguments: Sequence[str] | None = None, prog: str = "frontdesk restore") -> int:
    """Replace the database by a copy; return 2 if that cannot be done."""
    return _run(arguments, prog, "Replace all conversations by those of a copy.", _back)


def _run(
    arguments: Sequence[str] | None,
    prog: str,
    description: str,
    copy: Callable[[Path, Path], None],
) -> int:
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog=prog, description=description, epilog="Example: %(prog)s frontdesk-2026-11-30.db"
    )
    parser.add_argument("file", type=Path, help="the copy")
    add_arguments(parser)
    given = parser.parse_args(arguments)
    from assistant.config import settings_of
    from assistant.errors import AssistantError, StoreError

    try:
        url = settings_of(given).database_url
        if not url.startswith("sqlite:///"):
            raise StoreError("Expected SQLite. For PostgreSQL, use pg_dump and pg_restore.")
        database = Path(url.removeprefix("sqlite:///"))
        copy(database, given.file)
    except (AssistantError, OSError, sqlite3.Error) as error:
        print(f"{prog.rsplit(maxsplit=1)[-1]}: {error}", file=sys.stderr)
        return 2
    print(f"{database} and {given.file} hold the same now.")
    return 0


def _out(database: Path, file: Path) -> None:
    if file.exists():
        raise FileExistsError(f"Expected a new file, found {file}.")
    _copy(_existing(database), file)
    file.chmod(0o600)


def _back(database: Path, file: Path) -> None:
    with contextlib.closing(sqlite3.connect(f"file:{_existing(file)}?mode=ro", uri=True)) as copy:
        (state,) = copy.execute("PRAGMA integrity_check").fetchone()
        if state != "ok":
            raise sqlite3.DatabaseError(f"Expected a whole copy, found: {state}")
    _copy(file, database)


def _copy(source: Path, target: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(source, timeout=60)) as from_,
        contextlib.closing(sqlite3.connect(target, timeout=60)) as to,
    ):
        from_.backup(to, pages=PAGES)


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise FileNotFoundError(f"Expected a database at {file}, found none.")
    return file


if __name__ == "__main__":
    sys.exit(main())
