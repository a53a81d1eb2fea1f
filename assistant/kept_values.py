"""Reads the settings that were changed in the console, before a database is opened for more."""

import json
import logging
from pathlib import Path
from typing import Any

# Seconds until a database on another machine counts as silent.
PATIENCE = 10

logger = logging.getLogger(__name__)


def kept_values(url: str) -> dict[str, Any]:
    """Return what is kept in a database, by name; nothing where it has no tables yet.

    Neither a file nor a table is made. A database that does not answer is told in the log: whoever
    needs it fails with a sentence of its own.

    Args:
        url: As SQLAlchemy takes it.
    """
    from sqlalchemy import create_engine, inspect, text
    from sqlalchemy.exc import SQLAlchemyError

    try:
        engine = create_engine(url, **_options(url))
        file = engine.url.database
        if engine.dialect.name == "sqlite" and not (file and Path(file).is_file()):
            return {}
        with engine.connect() as connection:
            if not inspect(connection).has_table("setting"):
                return {}
            rows = connection.execute(text("SELECT name, value FROM setting")).all()
        engine.dispose()
    except (SQLAlchemyError, ImportError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        logger.warning("settings that the console keeps could not be read: %s", reason)
        return {}
    return {name: _value(value) for name, value in rows}


def _value(held: Any) -> Any:
    held = json.loads(held) if isinstance(held, str) else held
    return held.get("value") if isinstance(held, dict) else None


def _options(url: str) -> dict[str, Any]:
    options: dict[str, Any] = {"hide_parameters": True}
    if url.startswith("postgresql"):
        options["connect_args"] = {"connect_timeout": PATIENCE}
    return options
