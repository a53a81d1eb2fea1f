"""Tells who a customer is, where the company's own site has signed it."""

import hashlib
import hmac

from fastapi import HTTPException
from pydantic import BaseModel, Field, field_validator

FORBIDDEN = 403
# The longest id of a customer.
MAX_USER = 80
# The signature of an id: the hexadecimal digits of an HMAC with SHA-256.
MAX_SIGNATURE = 64
BOTH = (
    "Expected a user together with its signature, found one of them. "
    "Leave both out for an anonymous conversation."
)
UNSET = (
    "This server takes no signed users: the setting `identity_secret` is not set. "
    "Set it, or leave `user` and `signature` out."
)
WRONG = (
    "Expected the signature of this user: the hexadecimal HMAC-SHA256 of the id in UTF-8, "
    "with the setting `identity_secret`; found another one."
)


class Visitor(BaseModel):
    """Who begins a conversation. A page may say more of itself, which is not needed here."""

    user: str = Field("", max_length=MAX_USER, description="the id on the company's site")
    signature: str = Field("", max_length=MAX_SIGNATURE, description="of the id, in hexadecimal")

    @field_validator("user")
    @classmethod
    def _is_printable(cls, user: str) -> str:
        if not user.isprintable():
            raise ValueError("expected printable characters alone")
        return user


class Identity:
    """Checks signatures."""

    def __init__(self, secret: str | None = None) -> None:
        """Take the secret that the company's site signs with; None if it signs nothing."""
        self._secret = secret

    def customer(self, visitor: Visitor | None) -> str:
        """Return the id of a visitor that the company's site has signed; "" for an anonymous one.

        Raises:
            HTTPException: 403: the signature is missing or wrong, or there is no secret.
        """
        if visitor is None or not (visitor.user or visitor.signature):
            return ""
        if not self._secret:
            raise HTTPException(FORBIDDEN, UNSET)
        if not (visitor.user and visitor.signature):
            raise HTTPException(FORBIDDEN, BOTH)
        right = sign(self._secret, visitor.user)
        if not hmac.compare_digest(right.encode(), visitor.signature.lower().encode()):
            raise HTTPException(FORBIDDEN, WRONG)
        return visitor.user


def sign(secret: str, user: str) -> str:
    """Return the signature of a user, as the company's site makes it."""
    return hmac.new(secret.encode(), user.encode(), hashlib.sha256).hexdigest()
