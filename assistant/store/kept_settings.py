"""Keeps the settings that are changed while the server runs: over the file, under its starter."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assistant.config import KEEPABLE, checked
from assistant.errors import SettingsError
from assistant.store.database import Database
from assistant.store.tables import AuditRow, now
from assistant.store.team_tables import SettingRow
from assistant.wording import check_wording

# What the audit's column holds.
LONGEST = 80


@dataclass(frozen=True, slots=True)
class Kept:
    """A value that is kept, who set it, and when."""

    value: Any
    author: str
    created: datetime


class KeptSettings:
    """Keeps settings (``assistant.config.KEEPABLE``) and wording (``assistant.wording``)."""

    def __init__(self, database: Database) -> None:
        """Take an open database."""
        self._database = database

    def all(self) -> dict[str, Any]:
        """Return every value that is kept, by name."""
        return {name: kept.value for name, kept in self.rows().items()}

    def rows(self) -> dict[str, Kept]:
        """Return what is kept, by name, with who set it and when."""
        from sqlalchemy import select

        with self._database.read() as session:
            rows = session.scalars(select(SettingRow).order_by(SettingRow.name))
            return {r.name: Kept(r.value.get("value"), r.author, r.created) for r in rows}

    def set(self, name: str, value: Any, author: str) -> None:
        """Keep a value instead of the file's, and note in the audit who did.

        Args:
            name: One of ``KEEPABLE``, or a name of the wording: people, greeting.en,
                saying.zh.thanks, …
            value: The value; text is read as on the command line.
            author: Who sets it.

        Raises:
            SettingsError: It cannot be changed here, or the value is wrong; nothing is kept.
            StoreError: It cannot be kept.
        """
        right = checked(name, value) if name in KEEPABLE else check_wording(name, value)
        told = f"{name}: {right}" if name in KEEPABLE else name
        with self._database.write() as session:
            session.merge(
                SettingRow(name=name, value={"value": right}, author=author, created=now())
            )
            session.add(AuditRow(created=now(), who=author, did="set", on=told[:LONGEST]))

    def unset(self, name: str, author: str) -> None:
        """Let the file's value count again, and note in the audit who did.

        Raises:
            SettingsError: Nothing is kept under this name.
            StoreError: It cannot be written.
        """
        with self._database.write() as session:
            row = session.get(SettingRow, name)
            if row is None:
                raise SettingsError(f"Expected a setting that was changed, found {name!r}.")
            session.delete(row)
            session.add(AuditRow(created=now(), who=author, did="unset", on=name[:LONGEST]))
