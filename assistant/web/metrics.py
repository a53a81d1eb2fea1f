"""Counts turns and times them, for Prometheus; never what was said."""

import time
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from assistant.messages import Stream
from assistant.web.gate import Gate, RefusedError

CONTENT_TYPE = CONTENT_TYPE_LATEST
# Seconds; the first word should come within one.
BUCKETS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32)


class Metrics:
    """Counts what one server does."""

    def __init__(self, gate: Gate, waiting_for_people: Callable[[], float]) -> None:
        """Start at nought.

        Args:
            gate: Knows how many turns run and wait.
            waiting_for_people: Returns how many customers wait for a person.
        """
        self._registry = CollectorRegistry()
        names: dict[str, Any] = {"registry": self._registry, "namespace": "frontdesk"}
        self._turns = Counter(
            "turns", "Turns, by what the reply did", ["action", "reason", "language"], **names
        )
        self._failed = Counter("failed_turns", "Turns that failed", **names)
        self._refused = Counter("refused_turns", "Turns that were refused as too many", **names)
        self._first = Histogram(
            "first_word_seconds", "Until the first word", buckets=BUCKETS, **names
        )
        self._whole = Histogram("turn_seconds", "Until the whole reply", buckets=BUCKETS, **names)
        self._feedback = Counter("feedback", "Judgements of customers", ["thumb"], **names)
        Gauge("running_turns", "Turns that are answered", **names).set_function(
            lambda: gate.running
        )
        Gauge("waiting_turns", "Turns that wait", **names).set_function(lambda: gate.waiting)
        Gauge("waiting_for_people", "Customers who wait for a person", **names).set_function(
            waiting_for_people
        )

    def observed(self, items: Stream) -> Stream:
        """Yield the items of a turn and count it."""
        start = time.perf_counter()
        is_first = True
        try:
            for item in items:
                if is_first:
                    self._first.observe(time.perf_counter() - start)
                    is_first = False
                if not isinstance(item, str):
                    self._whole.observe(time.perf_counter() - start)
                    self._turns.labels(str(item.action), item.reason, item.language).inc()
                yield item
        except RefusedError:
            self.refused()
            raise
        except Exception:
            self._failed.inc()
            raise

    def refused(self) -> None:
        """Count a turn that was refused."""
        self._refused.inc()

    def judged(self, thumb: str | None) -> None:
        """Count a judgement: up, down, or None for taken back."""
        self._feedback.labels(thumb or "none").inc()

    def text(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        return generate_latest(self._registry)
