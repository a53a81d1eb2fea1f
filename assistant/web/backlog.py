"""Does work in the background: what belongs together in its order, and no more than is allowed."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

Work = Callable[[], None]

logger = logging.getLogger(__name__)


class Backlog:
    """Work that waits for one of a few threads."""

    def __init__(self, at_once: int, most: int) -> None:
        """Set the bounds.

        Args:
            at_once: How much is done at a time.
            most: How much is done and waits at a time.
        """
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="backlog")
        self._lock = threading.Condition()
        self._lines: dict[str, deque[Work]] = {}
        self._most = self._free = most

    def add(self, line: str, work: Work) -> bool:
        """Add work; return False if there is no room for it.

        Args:
            line: Work of the same line is done one after the other.
            work: What to do; an error is logged.
        """
        with self._lock:
            if not self._free:
                return False
            self._free -= 1
            if line in self._lines:  # a thread is at it, and comes to this next
                self._lines[line].append(work)
                return True
            self._lines[line] = deque([work])
        self._pool.submit(self._do, line)
        return True

    def wait(self, seconds: float) -> bool:
        """Wait until all work is done; return False if it is not done in time."""
        with self._lock:
            return self._lock.wait_for(lambda: self._free == self._most, seconds)

    def _do(self, line: str) -> None:
        while work := self._next(line):
            try:
                work()
            except Exception:  # the outermost handler of a thread
                logger.exception("work in the background failed")
            with self._lock:
                self._free += 1
                self._lock.notify_all()

    def _next(self, line: str) -> Work | None:
        with self._lock:
            if self._lines[line]:
                return self._lines[line].popleft()
            del self._lines[line]
            return None
