"""Keeps the keys of programs; only a hash of each, so that nobody can read them."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from assistant.errors import SettingsError
from assistant.store.database import Database
from assistant.store.tables import KeyRow, UserRow, now

# What a key may allow: to chat and read conversations; to take conversations over as a person; to
# read the metrics.
SCOPES = ("chat", "agent", "metrics")
PREFIX = "fd-"


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret."""

    name: str
    scopes: tuple[str, ...]
    created: datetime
    revoked: datetime | None


class Keys:
    """Knows the keys of programs."""

    def __init__(self, database: Database) -> None:
        """Take an open database."""
        self._database = database

    def add(self, name: str, scopes: Sequence[str]) -> str:
        """Return a new key. It is told only now.

        Args:
            name: What the key is called, such as the program that uses it.
            scopes: Some of ``SCOPES``.

        Raises:
            SettingsError: The name is taken, or a scope is unknown.
            StoreError: It cannot be kept.
        """
        if not scopes or set(scopes) - set(SCOPES):
            raise SettingsError(
                f"Expected some of {', '.join(SCOPES)}, found {list(scopes)}.", key="no_scopes"
            )
        key = PREFIX + secrets.token_urlsafe(32)
        with self._database.write() as session:
            # An agent's name says who has a conversation: a user must not have the same.
            if session.get(KeyRow, name) or session.get(UserRow, name):
                raise SettingsError(
                    f"Expected a new name, found {name!r}, which is taken.",
                    key="name_taken",
                    name=name,
                )
            session.add(KeyRow(name=name, hash=_hash(key), scopes=" ".join(scopes)))
        return key

    def find(self, key: str) -> Key | None:
        """Return what a key allows; None for an unknown or revoked one."""
        from sqlalchemy import select

        if not key.startswith(PREFIX):
            return None
        wanted = (KeyRow.hash == _hash(key), KeyRow.revoked.is_(None))
        with self._database.read() as session:
            row = session.scalars(select(KeyRow).where(*wanted)).one_or_none()
            return _key(row) if row else None

    def all(self) -> list[Key]:
        """Return all keys, revoked ones too, by name."""
        from sqlalchemy import select

        with self._database.read() as session:
            return [_key(row) for row in session.scalars(select(KeyRow).order_by(KeyRow.name))]

    def revoke(self, name: str) -> None:
        """Let a key be refused from now on.

        Raises:
            SettingsError: There is no such key.
        """
        with self._database.write() as session:
            row = session.get(KeyRow, name)
            if row is None:
                raise SettingsError(f"Expected the name of a key, found {name!r}.")
            row.revoked = row.revoked or now()


def _hash(key: str) -> str:
    # A key is long and random: a slow hash would protect it no better.
    return hashlib.sha256(key.encode()).hexdigest()


def _key(row: KeyRow) -> Key:
    return Key(row.name, tuple(row.scopes.split()), row.created, row.revoked)
