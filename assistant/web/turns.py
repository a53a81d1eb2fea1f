"""Lets turns begin: not too often, not too many at a time, and each is counted."""

from assistant.messages import Stream
from assistant.web.access import Caller
from assistant.web.gate import Gate
from assistant.web.limits import Limits
from assistant.web.metrics import Metrics


class Turns:
    """Lets turns in, those of the page and those over HTTP alike."""

    def __init__(self, gate: Gate, limits: Limits, metrics: Metrics) -> None:
        """Take ready parts.

        Args:
            gate: Bounds how many are answered at a time.
            limits: Bounds how often one may ask.
            metrics: Counts them.
        """
        self.gate, self.limits, self.metrics = gate, limits, metrics

    def let_in(self, items: Stream, caller: Caller | None, address: str) -> Stream:
        """Yield the items of a turn once there is a place for it.

        Args:
            items: The turn; nothing of it is done before.
            caller: Who asks; None for a customer of another system.
            address: Where from.

        Raises:
            RefusedError: It came too often, or there is no place in time.
        """
        yield from self.metrics.observed(self._in_turn(items, caller, address))

    def _in_turn(self, items: Stream, caller: Caller | None, address: str) -> Stream:
        self.limits.take_turn(caller, address)
        yield from self.gate.let_in(items)
