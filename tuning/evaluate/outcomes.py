"""Tables of outcomes: what became of a set's questions, each share with its interval."""

from collections.abc import Sequence
from typing import NamedTuple, Self

from tuning.evaluate.judged_replies import JudgedReply
from tuning.evaluate.tables import Row, by_set, markdown
from tuning.metrics import share, share_interval

OUTCOMES = ("right", "answered wrongly", "asked back", "declined wrongly")
# What a reply does to a question that nothing answers; any other action declines it.
ACTIONS = {"answer": "answered", "clarify": "asked back"}
ANSWERABLE_COLUMNS = ("set", "strategy", "answerable", "right article cited", *OUTCOMES)
UNANSWERABLE_COLUMNS = ("set", "strategy", "unanswerable", *ACTIONS.values(), "declined")


class Share(NamedTuple):
    """A share with the ends of its 95 % interval, all in [0, 1]; JSON holds the three numbers."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, flags: Sequence[bool]) -> Self:
        """Return the share of true values."""
        return cls(share(flags), *share_interval(flags))

    def __str__(self) -> str:
        """Return what a cell of a table shows."""
        return f"{self.value:.0%} ({self.low:.0%}–{self.high:.0%})"


def answerable_rows(judged: Sequence[JudgedReply]) -> list[Row]:
    """Return one row per set and strategy about the questions that an article answers.

    ``answerable`` is their number. The shares of the ``OUTCOMES`` add up to 1; a reply with any of
    them may cite the right article.
    """
    return [
        {
            "set": name,
            "strategy": strategy,
            "answerable": len(group),
            "right article cited": Share.of([entry.right_article for entry in group]),
            **{known: Share.of([entry.outcome == known for entry in group]) for known in OUTCOMES},
        }
        for (name, strategy), group in by_set([e for e in judged if e.answerable]).items()
    ]


def unanswerable_rows(judged: Sequence[JudgedReply]) -> list[Row]:
    """Return one row per set and strategy about the questions that nothing answers.

    ``unanswerable`` is their number. The three shares add up to 1: ``declined`` leaves out the
    clarifying questions, which the summary's ``unanswerable declined`` includes.
    """
    groups = by_set([entry for entry in judged if not entry.answerable])
    return [
        {"set": name, "strategy": strategy, "unanswerable": len(group), **_shares(group)}
        for (name, strategy), group in groups.items()
    ]


def _shares(group: Sequence[JudgedReply]) -> Row:
    done = [ACTIONS.get(entry.action, "declined") for entry in group]
    return {
        known: Share.of([name == known for name in done])
        for known in (*ACTIONS.values(), "declined")
    }


def outcome_tables(judged: Sequence[JudgedReply]) -> list[str]:
    """Return both as Markdown tables, "" for one without rows."""
    return [
        markdown(ANSWERABLE_COLUMNS, answerable_rows(judged)),
        markdown(UNANSWERABLE_COLUMNS, unanswerable_rows(judged)),
    ]
