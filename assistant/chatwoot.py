"""Speaks with Chatwoot, in which customers write and people answer, as its agent bot."""

import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from assistant.errors import SettingsError
from assistant.secret_key import revealed

if TYPE_CHECKING:
    from assistant.config import Settings

SCHEMES = ("https://", "http://")
# Seconds that each step of a request to Chatwoot may take.
TIMEOUT = 10.0
# Seconds that the time of a signature may be away from ours.
TOLERANCE = 300
# The digits of a time.
DIGITS = 12


class Chatwoot:
    """One Chatwoot."""

    def __init__(self, url: str, token: str, secret: str) -> None:
        """Take how to reach it.

        Args:
            url: Its base URL.
            token: The bot's access token.
            secret: The secret that signs what the bot is told.

        Raises:
            SettingsError: The URL is none.
        """
        import httpx

        if not url.startswith(SCHEMES):
            raise SettingsError(f"chatwoot_url: expected https://host, found {url!r}.")
        self._secret = secret
        self._client = httpx.Client(
            base_url=url, headers={"api_access_token": token}, timeout=TIMEOUT
        )

    @classmethod
    def of(cls, settings: "Settings") -> Self | None:
        """Return the Chatwoot of some settings; None if they name none.

        Raises:
            SettingsError: One of its settings is missing, or wrong.
        """
        token, secret = revealed(settings.chatwoot_token), revealed(settings.chatwoot_secret)
        url = settings.chatwoot_url
        if not (url or token or secret):
            return None
        if not (url and token and secret):
            raise SettingsError(
                "Expected chatwoot_url, chatwoot_token and chatwoot_secret together, found a part."
            )
        if settings.public_url and not settings.public_url.startswith(SCHEMES):
            raise SettingsError(
                f"public_url: expected https://host, found {settings.public_url!r}."
            )
        return cls(url, token, secret)

    def has_signed(self, body: bytes, timestamp: str, signature: str) -> bool:
        """Return whether a request comes from this Chatwoot, and lately.

        Args:
            body: The request's body, as it came.
            timestamp: Its header ``X-Chatwoot-Timestamp``: seconds since 1970.
            signature: Its header ``X-Chatwoot-Signature``.
        """
        is_number = timestamp.isdecimal() and len(timestamp) <= DIGITS
        if not is_number or abs(time.time() - int(timestamp)) > TOLERANCE:
            return False
        signed = f"{timestamp}.".encode() + body
        expected = hmac.new(self._secret.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(f"sha256={expected}".encode(), signature.encode())

    def say(self, place: str, text: str, choices: Sequence[str] = ()) -> None:
        """Write to the customer.

        Args:
            place: The conversation: ``ACCOUNT/conversations/NUMBER``.
            text: What is said.
            choices: What the customer can press instead of writing it.

        Raises:
            httpx.HTTPError: Chatwoot cannot be reached, or refuses.
        """
        items = [{"title": choice, "value": choice} for choice in choices]
        buttons = {"content_type": "input_select", "content_attributes": {"items": items}}
        self._post(f"{place}/messages", {"content": text, **(buttons if choices else {})})

    def note(self, place: str, text: str) -> None:
        """Write to people alone. Raises as ``say``."""
        self._post(f"{place}/messages", {"content": text, "private": True})

    def open(self, place: str) -> None:
        """Leave a conversation to people. Raises as ``say``."""
        self._post(f"{place}/toggle_status", {"status": "open"})

    def _post(self, path: str, body: Mapping[str, Any]) -> None:
        self._client.post(f"/api/v1/accounts/{path}", json=body).raise_for_status()
