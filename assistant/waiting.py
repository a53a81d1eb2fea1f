"""Lets background work stand still while customers wait for a reply."""

import contextlib
import threading
from collections.abc import Iterator


class Waiting:
    """Counts the customers who wait."""

    def __init__(self) -> None:
        """Start with nobody waiting."""
        self._count = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def one(self) -> Iterator[int]:
        """Count one customer inside the block; give how many wait now."""
        with self._changed:
            self._count += 1
            count = self._count
        try:
            yield count
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def until_none(self) -> None:
        """Return once nobody waits."""
        with self._changed:
            self._changed.wait_for(lambda: not self._count)
