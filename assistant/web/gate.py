"""Bounds how many turns are answered and wait at a time; refuses the rest at once."""

import contextlib
import threading
import time
from collections.abc import Iterator

from assistant.messages import Stream

# The shortest time after which a client may try again, in seconds.
SOONEST = 1
# How much the last turn counts in the mean duration of turns.
LATEST = 0.2


class RefusedError(Exception):
    """Raised for a turn that may be asked again a little later.

    Attributes:
        status: The HTTP status.
        code: A short name.
        retry_after: The seconds after which a client may try again.
    """

    status, code = 503, "full"

    def __init__(self, what: str, retry_after: int) -> None:
        """Take what is too many, and the seconds after which a client may try again."""
        super().__init__(f"Too many {what}. Try again in {retry_after} seconds.")
        self.retry_after = retry_after


class FullError(RefusedError):
    """Raised when too many wait, or one has waited too long."""

    def __init__(self, retry_after: int) -> None:
        """Take the seconds after which a client may try again."""
        super().__init__("questions at once", retry_after)


class Gate:
    """Lets turns in, first come, first served."""

    def __init__(self, at_once: int, waiting: int, deadline: float) -> None:
        """Set the bounds.

        Args:
            at_once: Turns that are answered at a time.
            waiting: Turns that wait at a time.
            deadline: Seconds that one waits.
        """
        self._at_once, self._most, self._deadline = at_once, waiting, deadline
        self._changed = threading.Condition()
        self._queue: list[object] = []
        self._running = 0
        self._mean = 0.5

    @property
    def most(self) -> int:
        """Turns that are answered or wait at a time, at most."""
        return self._at_once + self._most

    @property
    def running(self) -> int:
        """Turns that are answered now."""
        return self._running

    @property
    def waiting(self) -> int:
        """Turns that wait now."""
        return len(self._queue)

    def refusal(self) -> FullError | None:
        """Return the error of a turn that came now, if too many wait."""
        is_full = len(self._queue) >= self._most and self._running >= self._at_once
        return FullError(self._retry_after()) if is_full else None

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a place and hold it inside the block.

        Raises:
            FullError: Too many wait, or none left in time.
        """
        self._enter()
        start = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                took = time.monotonic() - start
                self._mean = (1 - LATEST) * self._mean + LATEST * took
                self._changed.notify_all()

    def let_in(self, items: Stream) -> Stream:
        """Yield the items of a turn once there is a place for it; raises as ``turn``."""
        with self.turn():
            yield from items

    def _enter(self) -> None:
        place = object()
        with self._changed:
            if refusal := self.refusal():
                raise refusal
            self._queue.append(place)
            try:
                came = self._changed.wait_for(lambda: self._is_next(place), self._deadline)
            finally:
                self._queue.remove(place)
                self._changed.notify_all()
            if not came:
                raise FullError(self._retry_after())
            self._running += 1

    def _is_next(self, place: object) -> bool:
        return self._running < self._at_once and self._queue[0] is place

    def _retry_after(self) -> int:
        ahead = len(self._queue) + self._running
        return max(SOONEST, round(self._mean * ahead / self._at_once))
