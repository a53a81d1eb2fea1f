"""Bounds how often a program or an address may ask, and how often a password may be wrong."""

import ipaddress
import math
import time

from assistant.web.access import Caller
from assistant.web.gate import RefusedError

# Of wrong passwords: for one name from one address, and for all names from one.
WRONG, WRONG_IN_ALL = "5 per 15 minutes", "30 per 15 minutes"


class TooOftenError(RefusedError):
    """Raised when somebody asks too often."""

    status, code = 429, "too_often"


class Limits:
    """Counts in this process alone (moving windows of the library ``limits``)."""

    def __init__(self, turns: int) -> None:
        """Set how many turns a minute a key or an address may have."""
        from limits import parse
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self.allow(turns)
        self._wrong, self._wrong_in_all = parse(WRONG), parse(WRONG_IN_ALL)

    def allow(self, turns: int) -> None:
        """Set how many turns a minute a key or an address may have from now on."""
        from limits import parse

        self._turns = parse(f"{turns} per minute")

    def take_turn(self, caller: Caller | None, address: str) -> None:
        """Count a turn. Those of this machine are not counted: nothing tells them apart.

        Args:
            caller: Who asks; None for a customer of another system.
            address: Where from.

        Raises:
            TooOftenError: It is one too many.
        """
        if caller and caller.kind == "local":
            return
        who = caller.name if caller and caller.kind == "program" else network(address)
        if not self._limiter.hit(self._turns, who):
            raise TooOftenError("questions", self._wait(self._turns, who))

    def may_sign_in(self, name: str, address: str) -> None:
        """Let somebody try a password.

        Raises:
            TooOftenError: Too many were wrong.
        """
        whole = network(address)
        for limit, who in ((self._wrong, (name, whole)), (self._wrong_in_all, (whole,))):
            if not self._limiter.test(limit, *who):
                raise TooOftenError("wrong passwords", self._wait(limit, *who))

    def note_wrong(self, name: str, address: str) -> None:
        """Count a wrong password."""
        self._limiter.hit(self._wrong, name, network(address))
        self._limiter.hit(self._wrong_in_all, network(address))

    def _wait(self, limit: object, *who: str) -> int:
        stats = self._limiter.get_window_stats(limit, *who)  # type: ignore[arg-type]
        return max(1, math.ceil(stats.reset_time - time.time()))


def network(address: str) -> str:
    """Return what one customer has: an IPv4 address, or a network of 64 bits of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
