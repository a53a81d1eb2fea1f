"""Keeps who of the company may sign in; only a hash of each password."""

import secrets
import threading
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from assistant.errors import SettingsError
from assistant.store.database import Database
from assistant.store.handoff import free_those_of
from assistant.store.tables import KeyRow, UserRow, now

if TYPE_CHECKING:
    from argon2 import PasswordHasher

# What each role may do, in the words of the keys' scopes.
ROLES = {
    "agent": ("chat", "agent"),
    "editor": ("chat", "agent", "edit"),
    "administrator": ("chat", "agent", "edit", "metrics", "administer"),
}
# Of this role, there must be one as long as somebody can sign in.
LAST = "administrator"
SHORTEST = 12
# How many passwords are hashed at a time: each takes 64 MiB.
HASHED_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in.

    Attributes:
        name: The name.
        role: agent, editor or administrator.
        stamp: Changes with the password.
        created: When they were added, in UTC.
    """

    name: str
    role: str
    stamp: str
    created: datetime

    @property
    def scopes(self) -> tuple[str, ...]:
        """What they may do."""
        return ROLES[self.role]


class Users:
    """Knows who may sign in."""

    def __init__(self, database: Database) -> None:
        """Take an open database."""
        self._database = database

    def add(self, name: str, password: str, role: str) -> None:
        """Let somebody sign in.

        Args:
            name: Their name, of at most 80 characters.
            password: Of at least ``SHORTEST`` characters.
            role: One of ``ROLES``.

        Raises:
            SettingsError: The name is taken, the password too short or the role unknown.
            StoreError: It cannot be kept.
        """
        if role not in ROLES:
            raise SettingsError(f"Expected a role: {', '.join(ROLES)}; found {role!r}.")
        if not name.strip() or len(name) > 80 or not name.isprintable():  # noqa: PLR2004  # columns
            raise SettingsError(
                f"Expected a name of 1 to 80 characters, found {name!r}.", key="user_name"
            )
        values = {"hash": _hash(password), "role": role, "stamp": secrets.token_hex(8)}
        with self._database.write() as session:
            # An agent's name says who has a conversation: a key must not have the same.
            if session.get(UserRow, name) or session.get(KeyRow, name):
                raise SettingsError(
                    f"Expected a new name, found {name!r}, which is taken.",
                    key="name_taken",
                    name=name,
                )
            session.add(UserRow(name=name, created=now(), **values))

    def ensure(self, name: str, password: str) -> None:
        """Let an administrator sign in with a password, whether they could before or not.

        Raises: as ``add``.
        """
        if self.check(name, password):
            return
        if any(user.name == name for user in self.all()):
            self.change(name, password)
        else:
            self.add(name, password, "administrator")

    def change(self, name: str, password: str) -> None:
        """Give somebody a new password; their sessions end.

        Raises:
            SettingsError: There is no such user, or the password is too short.
            StoreError: It cannot be kept.
        """
        hashed = _hash(password)
        with self._database.write() as session:
            row = _row(session, name)
            row.hash, row.stamp = hashed, secrets.token_hex(8)

    def give_role(self, name: str, role: str) -> None:
        """Let somebody do what a role allows, from now on.

        Raises:
            SettingsError: There is no such user or role, or they are the last administrator.
            StoreError: It cannot be kept.
        """
        if role not in ROLES:
            raise SettingsError(f"Expected a role: {', '.join(ROLES)}; found {role!r}.")
        with self._database.write() as session:
            row = _row(session, name)
            if role != LAST:
                _must_not_be_last(session, row)
            row.role = role

    def remove(self, name: str, *, last: bool = True) -> None:
        """Let somebody sign in no more; their sessions end, and what they had others may take.

        Args:
            name: Their name.
            last: Whether the last administrator may go, as on the machine itself, which can make
                another one.

        Raises:
            SettingsError: There is no such user, or they must stay.
            StoreError: It cannot be kept.
        """
        with self._database.write() as session:
            row = _row(session, name)
            if not last:
                _must_not_be_last(session, row)
            session.delete(row)
            free_those_of(session, name)

    def check(self, name: str, password: str) -> User | None:
        """Return the user whose name and password these are; None for others.

        It takes as long for a name that does not exist.
        """
        from argon2.exceptions import Argon2Error, InvalidHashError

        with self._database.read() as session:
            row = session.get(UserRow, name)
        try:
            with _AT_ONCE:
                _hasher().verify(row.hash if row else _of_nobody(), password)
        except (Argon2Error, InvalidHashError):
            return None
        return _user(row) if row else None

    def find(self, name: str, stamp: str) -> User | None:
        """Return a user with the password of a stamp; None if it changed, or they were removed."""
        with self._database.read() as session:
            row = session.get(UserRow, name)
            return _user(row) if row and row.stamp == stamp else None

    def all(self) -> list[User]:
        """Return all users, by name."""
        from sqlalchemy import select

        with self._database.read() as session:
            return [_user(row) for row in session.scalars(select(UserRow).order_by(UserRow.name))]

    def are_there(self) -> bool:
        """Return whether anybody may sign in."""
        from sqlalchemy import select

        with self._database.read() as session:
            return session.scalars(select(UserRow.name).limit(1)).first() is not None


_AT_ONCE = threading.Semaphore(HASHED_AT_ONCE)


@cache
def _hasher() -> "PasswordHasher":
    """Return a hasher with the parameters of RFC 9106 for little memory: 64 MiB, three passes."""
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _of_nobody() -> str:
    return _hasher().hash(secrets.token_hex(16))


def _hash(password: str) -> str:
    if len(password) < SHORTEST:
        raise SettingsError(
            f"Expected a password of at least {SHORTEST} characters, found {len(password)}.",
            key="short_password",
            least=SHORTEST,
            found=len(password),
        )
    return _hasher().hash(password)


def _row(session: Any, name: str) -> UserRow:
    row: UserRow | None = session.get(UserRow, name)
    if row is None:
        raise SettingsError(
            f"Expected the name of a user, found {name!r}.", key="no_user", name=name
        )
    return row


def _must_not_be_last(session: Any, row: UserRow) -> None:
    from sqlalchemy import select

    # Of two who go at the same time, the second one waits for this.
    wanted = select(UserRow.name).where(UserRow.role == LAST).with_for_update()
    if set(session.scalars(wanted)) == {row.name}:
        raise SettingsError(
            f"Expected another administrator to stay; {row.name} is the last one.",
            key="last_administrator",
            name=row.name,
        )


def _user(row: UserRow) -> User:
    return User(row.name, row.role, row.stamp, row.created)
