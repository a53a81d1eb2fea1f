"""Keeps how customers want to be reached, sealed, until its date."""

import base64
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from assistant.errors import StoreError
from assistant.store.database import Database
from assistant.store.tables import ContactRow, conversation_row, now

if TYPE_CHECKING:
    from cryptography.fernet import Fernet
    from sqlalchemy.orm import Session


class Contacts:
    """Seals and opens contact details. It is the only place where personal data is not masked."""

    def __init__(self, database: Database, secret: str, days: int) -> None:
        """Take an open database.

        Args:
            database: Where they are kept.
            secret: What seals them; with another one, they cannot be opened.
            days: How long they are kept.
        """
        self._database, self.days = database, days
        self._seal = _sealer(secret)

    def leave(self, conversation: str, how: str) -> datetime:
        """Keep how a customer wants to be reached, instead of what was left before.

        Args:
            conversation: The id of the conversation.
            how: A telephone number, an e-mail address or other words.

        Returns:
            Until when it is kept, in UTC.

        Raises:
            ConversationError: There is no such conversation.
            StoreError: It cannot be kept.
        """
        sealed = self._seal.encrypt(how.encode()).decode()
        with self._database.write() as session:
            conversation_row(session, conversation)
            until = now() + timedelta(days=self.days)
            row = {"sealed": sealed, "created": now(), "until": until}
            session.merge(ContactRow(conversation_id=conversation, **row))
        return until

    def until(self, conversation: str) -> datetime | None:
        """Return until when it is kept how a customer wants to be reached; None if it is not."""
        with self._database.read() as session:
            row = session.get(ContactRow, conversation)
            return row.until if row and row.until > now() else None

    def read(self, conversation: str) -> str:
        """Return how a customer wants to be reached; "" if they left nothing, or it is too old.

        Raises:
            StoreError: It was sealed with another secret.
        """
        from cryptography.fernet import InvalidToken

        with self._database.read() as session:
            row = session.get(ContactRow, conversation)
        if row is None or row.until < now():
            return ""
        try:
            return self._seal.decrypt(row.sealed).decode()
        except InvalidToken:
            raise StoreError(
                "Expected the secret with which the contact was sealed, found another. "
                "Set FRONTDESK_CONTACT_KEY as it was."
            ) from None


def forget_contacts(session: "Session") -> None:
    """Delete what is past its date."""
    from sqlalchemy import delete

    session.execute(delete(ContactRow).where(ContactRow.until < now()))


def _sealer(secret: str) -> "Fernet":
    """Return what seals with a key that is derived from a secret (HKDF, RFC 5869)."""
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(SHA256(), 32, salt=None, info=b"frontdesk contact").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
