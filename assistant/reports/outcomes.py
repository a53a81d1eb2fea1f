"""What became of each conversation: one of six, the first that applies."""

from datetime import timedelta
from typing import TYPE_CHECKING

from assistant.store.tables import now
from assistant.store.team_tables import SummaryRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

# A conversation in which nothing was said for so long has ended.
QUIET = timedelta(minutes=30)
# In the order in which they are listed; the page and the command say what each means.
OUTCOMES = ("unhappy", "handed", "declined", "confirmed", "quiet", "open")


def outcome() -> "ColumnElement[str]":
    """Return what became of a conversation, as a column of its summary."""
    from sqlalchemy import case

    row = SummaryRow
    return case(
        (row.disliked | row.repeated, "unhappy"),
        (row.handed, "handed"),
        (row.declined, "declined"),
        (row.liked | row.thanked, "confirmed"),
        (row.pending | (row.seen > now() - QUIET), "open"),
        else_="quiet",
    )


def tenths(counts: dict[str, int]) -> dict[str, float]:
    """Return the percentages of some counts, with one decimal, so that they add up to 100.

    Args:
        counts: How many of each; all nought gives nought.
    """
    total = sum(counts.values())
    if not total:
        return dict.fromkeys(counts, 0.0)
    shares = {name: 1000 * count / total for name, count in counts.items()}
    whole = {name: int(share) for name, share in shares.items()}
    # What rounding down has left goes where it took most.
    left = 1000 - sum(whole.values())
    for name in sorted(shares, key=lambda n: whole[n] - shares[n])[:left]:
        whole[name] += 1
    return {name: share / 10 for name, share in whole.items()}
