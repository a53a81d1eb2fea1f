"""The database: reached, of this version, writable; and who may call and sign in."""

from pathlib import Path
from typing import TYPE_CHECKING

from assistant.checkup.check import Check, Checks, failure, fine, warning

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

    from assistant.config import Settings

NAME = "database"
# Seconds after which a database counts as silent.
PATIENCE = 5
SHAPE = "Set `database` to postgresql+psycopg://user:password@host/name, or leave it out."
# In a password they would end it.
ESCAPED = "Write @ as %40, : as %3A and / as %2F in the password."
# Where nothing is kept yet, the right to make a table counts.
PROBE = "CREATE TABLE frontdesk_doctor (number INTEGER)"


def store(settings: "Settings") -> Checks:
    """Look at the database, and at who may call and sign in."""
    url = _url(settings.database_url)
    if isinstance(url, Check):
        yield url
    elif url.drivername.startswith("sqlite") and not Path(url.database or "").exists():
        yield fine(NAME, f"SQLite, made in {url.database} at the first start")
    else:
        yield from _opened(url)


def _url(address: str) -> "URL | Check":
    """Return the address, or the check that it fails. What cannot be read is never told."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    if address.count("@") > 1:  # what follows the first one would be told as the host
        return failure(NAME, "the address has more than one @", ESCAPED)
    try:
        return make_url(address)
    except (ArgumentError, ValueError):
        return failure(NAME, "the address cannot be read", SHAPE)


def told(url: "URL") -> str:
    """Return an address without its password and its options, which may hold one."""
    return url.set(query={}).render_as_string(hide_password=True)


def _opened(url: "URL") -> Checks:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    is_sqlite = url.drivername.startswith("sqlite")
    options = {"timeout": PATIENCE, "isolation_level": None} if is_sqlite else {}
    if url.drivername.startswith("postgresql"):
        options = {"connect_timeout": PATIENCE}
    try:
        engine = create_engine(url, connect_args=options, hide_parameters=True)
    except (ImportError, ArgumentError) as error:
        driver = "Install it: python -m pip install -c constraints.txt -e '.[postgres]'. "
        yield failure(NAME, f"{told(url)} has no driver ({type(error).__name__})", driver + SHAPE)
        return
    try:
        yield _looked_at(engine, told(url))
        yield from callers(engine)
    except SQLAlchemyError as error:
        remedy = "Check that it runs, that its name, user and password are right, and its rights."
        yield failure(NAME, f"{told(url)} cannot be used: {_reason(error, url)}", remedy)
    finally:
        engine.dispose()


def _reason(error: Exception, url: "URL") -> str:
    text = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    secrets = [str(url.password or ""), *map(str, url.query.values())]
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text


def _looked_at(engine: "Engine", where: str) -> Check:
    """Return the check of a database that is there: its version, and whether it can be written."""
    from sqlalchemy import text

    with engine.connect() as connection:
        is_sqlite = engine.dialect.name == "sqlite"
        found, head, is_known = _versions(connection)
        connection.rollback()
        if is_sqlite:
            connection.execute(text("BEGIN IMMEDIATE"))
        if found == head:
            _write(connection)
        else:
            connection.execute(text(PROBE))
        connection.execute(text("ROLLBACK")) if is_sqlite else connection.rollback()
    if not is_known:
        found = f"{where} is of a newer version ({found}; this one has {head})"
        return failure(NAME, found, "Install the newer Frontdesk, or bring an older copy back.")
    if found != head:
        found = f"{where} can be written; version {found or 'none'}, this one has {head}"
        return warning(NAME, found, "Back it up. The next start brings its tables up to date.")
    return fine(NAME, f"{where} can be written, version {head}")


def _versions(connection: "Connection") -> tuple[str | None, str | None, bool]:
    """Return the version of the tables, the program's own, and whether it knows the first."""
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    from assistant.store.database import MIGRATIONS

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    found = MigrationContext.configure(connection).get_current_revision()
    try:
        if found:
            script.get_revision(found)
    except CommandError:
        return found, script.get_current_head(), False
    return found, script.get_current_head(), True


def _write(connection: "Connection") -> None:
    """Write a conversation, which the caller takes back."""
    from sqlalchemy import insert

    from assistant.store.conversations import new_conversation
    from assistant.store.tables import ConversationRow

    row = {"id": new_conversation(), "channel": "doctor", "language": ""}
    connection.execute(insert(ConversationRow).values(row))


def callers(engine: "Engine") -> Checks:
    """Look at the keys of programs and at the people who may sign in.

    Args:
        engine: Of a database that can be read.
    """
    from assistant.errors import StoreError
    from assistant.store.database import Database
    from assistant.store.keys import Keys
    from assistant.store.users import Users

    database = Database(engine)
    try:
        keys = [key for key in Keys(database).all() if not key.revoked]
        users = Users(database).all()
    except StoreError:
        yield warning("people who sign in", "not known: the tables are older", "Start it once.")
        return
    yield fine("keys", f"{len(keys)} of programs" if keys else "none of programs", keys=len(keys))
    if users:
        yield fine("people who sign in", f"{len(users)}", users=len(users))
    else:
        found = "none: on this machine, everybody may do everything"
        yield warning("people who sign in", found, "frontdesk users add NAME --role administrator")
