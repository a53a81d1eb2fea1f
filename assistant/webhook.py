"""Tells another system what happens with handoffs, in signed requests (Standard Webhooks)."""

import base64
import binascii
import contextlib
import ipaddress
import logging
import socket
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from assistant.errors import SettingsError, StoreError
from assistant.secret_key import revealed
from assistant.store.outbox import Event, Outbox

if TYPE_CHECKING:
    import httpx
    from standardwebhooks import Webhook

    from assistant.config import Settings
    from assistant.store.database import Database

# Seconds between two looks for events that are due, and that each step of a request may take.
LOOK, TIMEOUT = 2.0, 10.0
# The addresses of a host that are tried, at most.
ADDRESSES = 3
# Bytes of a secret; Standard Webhooks asks for so many.
SHORTEST, LONGEST = 24, 64

logger = logging.getLogger(__name__)


class WebhookSender:
    """Sends events to the one address that the settings name."""

    def __init__(self, outbox: Outbox, url: str, secret: str, hosts: list[str]) -> None:
        """Take where events are kept, and how they are sent.

        Args:
            outbox: Keeps the events.
            url: Where they go.
            secret: Signs them: ``whsec_`` and base64.
            hosts: The hosts that ``url`` may name.

        Raises:
            SettingsError: The address or the secret cannot be used.
        """
        import httpx

        self.outbox = outbox
        self._url, self._signer = _checked_url(url, hosts), _signer(secret)
        # A proxy of the environment would look the host up again.
        self._client = httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)

    @classmethod
    def of(cls, settings: "Settings", database: "Database") -> Self | None:
        """Return the sender of some settings; None if they name no address. Raises as above."""
        if not settings.webhook_url:
            return None
        secret = revealed(settings.webhook_secret) or ""
        return cls(Outbox(database), settings.webhook_url, secret, settings.webhook_hosts)

    def deliver(self) -> int:
        """Try each event that is due; return how many.

        Raises:
            StoreError: The database cannot be read or written.
        """
        tried = 0
        while event := self.outbox.claim():
            tried += 1
            if why := self._failure(event):
                logger.warning("event %s did not arrive: %s", event.id, why)
                if self.outbox.failed(event):
                    logger.error("event %s is given up", event.id)
            else:
                self.outbox.sent(event)
        return tried

    def deliver_always(self, stopped: threading.Event | None = None) -> None:
        """Deliver again and again, in the background, until ``stopped`` is set."""
        stopped = stopped or threading.Event()

        def work() -> None:
            while not stopped.is_set():
                try:
                    self.deliver()
                except StoreError as error:
                    logger.error("no event could be sent: %s", error)
                stopped.wait(LOOK)

        threading.Thread(target=work, daemon=True, name="webhook").start()

    def _failure(self, event: Event) -> str:
        """Send an event; return why it did not arrive, or ""."""
        import httpx

        failure = ""
        try:
            for address in _addresses(self._url.host)[:ADDRESSES]:
                try:
                    return self._refusal(event, address)
                except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                    failure = f"{type(error).__name__} {error}"
        except (httpx.HTTPError, OSError, UnicodeError) as error:
            failure = f"{type(error).__name__} {error}"
        return failure

    def _refusal(self, event: Event, address: str) -> str:
        """Send an event to an address that was checked; a second look-up could give another one."""
        moment = datetime.now(UTC)
        headers = {
            "host": self._url.netloc.decode(),
            "content-type": "application/json",
            "webhook-id": event.id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": self._signer.sign(event.id, moment, event.body),
        }
        request = self._client.build_request(
            "POST",
            self._url.copy_with(host=address),
            content=event.body.encode(),
            headers=headers,
            extensions={"sni_hostname": self._url.host},  # whose certificate it must be
        )
        with contextlib.closing(self._client.send(request, stream=True)) as response:
            # What the receiver says is not read.
            return "" if response.is_success else f"status {response.status_code}"


def _checked_url(text: str, hosts: list[str]) -> "httpx.URL":
    import httpx

    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise SettingsError(f"webhook_url: expected https://host/path, found: {error}.") from None
    allowed = ("https", "http") if _is_loopback(url.host) else ("https",)
    if url.scheme not in allowed or not url.host or url.userinfo:
        raise SettingsError(
            "webhook_url: expected https://host/path without a name or password, found another "
            "address. Only a receiver on this machine may use http."
        )
    if url.host not in {host.lower() for host in hosts}:
        raise SettingsError(f"webhook_hosts: expected the host of webhook_url, {url.host!r}.")
    try:
        # Where nothing looks names up at the start, it is told at the first event.
        with contextlib.suppress(socket.gaierror):
            _addresses(url.host)
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"webhook_url: {error}") from None
    return url


def _addresses(host: str) -> list[str]:
    """Return the addresses of a host.

    Raises:
        OSError: There is none, or one of them is not public, and the host is not this machine.
    """
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    wrong = [a for a in found if not (_is_public(a) or (_is_loopback(host) and _is_loopback(a)))]
    if wrong:
        raise OSError(f"expected public addresses of {host}, found {', '.join(wrong)}.")
    return found


def _is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    inner = getattr(parsed, "ipv4_mapped", None) or parsed
    return inner.is_global and not inner.is_multicast


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _signer(secret: str) -> "Webhook":
    from standardwebhooks import Webhook

    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not SHORTEST <= len(key) <= LONGEST:
        raise SettingsError(
            f"webhook_secret: expected whsec_ and the base64 of {SHORTEST} to {LONGEST} random "
            "bytes; `openssl rand -base64 32` makes them."
        )
    return Webhook(key)
