"""Opens the database and brings its tables up to date."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from assistant.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

MIGRATIONS = Path(__file__).parent / "migrations"
# Milliseconds that a writer waits for another process before it gives up.
PATIENCE = 60_000
# SQLite's pragmas: readers do not wait, and what was acknowledged survives a loss of power.
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON",
           f"busy_timeout = {PATIENCE}")  # fmt: skip


class Database:
    """Gives sessions to read and to write in."""

    def __init__(self, engine: "Engine") -> None:
        """Take an engine whose tables exist; ``open`` makes them."""
        from sqlalchemy.orm import sessionmaker

        self.engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        # SQLite has one writer at a time. The threads of a process wait here, first come, first
        # served, rather than by trying again and again.
        self._turn: Any = contextlib.nullcontext()
        if engine.dialect.name == "sqlite":
            self._turn = threading.Lock()

    @classmethod
    def open(cls, url: str) -> Self:
        """Connect, and create the tables or bring them up to date.

        Args:
            url: As SQLAlchemy takes it: ``sqlite:///FILE`` or ``postgresql+psycopg://…``.

        Raises:
            StoreError: The address is wrong, or the database cannot be reached or written.
        """
        from alembic.util import CommandError
        from sqlalchemy import create_engine
        from sqlalchemy.exc import SQLAlchemyError

        try:
            engine = create_engine(url, **_options(url))
            if engine.dialect.name == "sqlite" and engine.url.database:
                Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
            _migrate(engine)
        except (SQLAlchemyError, CommandError, ImportError, OSError) as error:
            raise StoreError(
                f"Expected a database that can be written, such as sqlite:///var/frontdesk.db or "
                f"postgresql+psycopg://user@host/name, found: {_first_line(error)}"
            ) from None
        return cls(engine)

    @contextlib.contextmanager
    def read(self) -> "Iterator[Session]":
        """Give a session to read in.

        Raises:
            StoreError: The database cannot be read.
        """
        with _explained("read"), self._sessions() as session:
            yield session

    @contextlib.contextmanager
    def write(self) -> "Iterator[Session]":
        """Give a session whose changes are kept as a whole at the end of the block, or not at all.

        Raises:
            StoreError: The database cannot be written, for example because the disk is full.
        """
        from sqlalchemy import text

        with _explained("written"), self._turn, self._sessions() as session, session.begin():
            if self.engine.dialect.name == "sqlite":
                # The lock is taken at once: one that is taken at the first change can fail.
                session.execute(text("BEGIN IMMEDIATE"))
            yield session

    def check(self) -> None:
        """Return if the database can be read.

        Raises:
            StoreError: It cannot.
        """
        from sqlalchemy import text

        with self.read() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _options(url: str) -> dict[str, Any]:
    told = {"hide_parameters": True}  # an error that is logged must not hold what was said
    if not url.startswith("sqlite"):
        return {**told, "pool_pre_ping": True, "pool_size": 16, "max_overflow": 32}
    # Python's own handling of transactions would begin them too late.
    return {**told, "connect_args": {"timeout": PATIENCE / 1000, "isolation_level": None}}


def _migrate(engine: "Engine") -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import event, text

    is_sqlite = engine.dialect.name == "sqlite"
    if is_sqlite:
        event.listen(engine, "connect", _set_pragmas)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        # One process at a time makes tables; the others find them.
        lock = "BEGIN IMMEDIATE" if is_sqlite else "SELECT pg_advisory_xact_lock(7260)"
        connection.execute(text(lock))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _set_pragmas(connection: Any, _: Any) -> None:
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


@contextlib.contextmanager
def _explained(verb: str) -> Iterator[None]:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(
            f"Expected a database that can be {verb}, found: {_first_line(error)}"
        ) from error


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
