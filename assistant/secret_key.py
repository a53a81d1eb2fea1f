"""Secrets of the settings; the one that signs tokens may be made once in the state folder."""

import os
import secrets
from pathlib import Path

from pydantic import SecretStr

FILE = "secret.key"


def revealed(secret: SecretStr | None) -> str | None:
    """Return a secret of the settings; None where there is none."""
    return secret.get_secret_value() if secret else None


def secret_key(state: Path, given: str | None = None) -> str:
    """Return the settings' secret, or the one of the state folder; make that where it is missing.

    Args:
        state: The state folder. Its file can be read by its owner alone.
        given: The settings' secret. Several servers of one database need the same.

    Raises:
        OSError: The file cannot be made or read.
    """
    if given:
        return given
    file = state / FILE
    state.mkdir(parents=True, exist_ok=True)
    made = state / f"{FILE}.{secrets.token_hex(8)}"
    if not file.exists():
        handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as opened:
            opened.write(secrets.token_urlsafe(48))
        try:
            # Of several servers that start at once, one makes the file.
            os.link(made, file)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return file.read_text(encoding="ascii")
