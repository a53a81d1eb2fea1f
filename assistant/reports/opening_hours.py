"""How long somebody waited, counted while people are there."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from itertools import accumulate

from assistant.company import People


class OpeningHours:
    """The opening hours between two times; those of years are found in a few steps."""

    def __init__(self, people: People | None, since: datetime, until: datetime) -> None:
        """Find the hours.

        Args:
            people: The company's people; without them, or without hours, all time counts.
            since: The first time, with its zone.
            until: The last one.
        """
        always = people is None or not people.hours
        spans = [(since.timestamp(), until.timestamp())]
        if people and not always:
            spans = list(_spans(people, since, until))
        self._opens = [opens for opens, _ in spans]
        self._lengths = [closes - opens for opens, closes in spans]
        self._before = [0.0, *accumulate(self._lengths)]

    def seconds(self, since: datetime, until: datetime) -> float:
        """Return the seconds between two times, from the first to the last, that lie in them."""
        return max(0.0, self._until(until.timestamp()) - self._until(since.timestamp()))

    def _until(self, moment: float) -> float:
        """Return the open seconds before a moment."""
        place = bisect_right(self._opens, moment) - 1
        if place < 0:
            return 0.0
        return self._before[place] + min(moment - self._opens[place], self._lengths[place])


def _spans(people: People, since: datetime, until: datetime) -> Iterator[tuple[float, float]]:
    """Yield from when to when people are there, as seconds since 1970."""
    opens = people.opening(since)
    while opens is not None and opens < until:
        closes = people.closing(opens)
        yield opens.timestamp(), closes.timestamp()
        opens = people.opening(closes)
