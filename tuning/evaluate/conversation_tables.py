"""Tables of conversations: their later turns by set, and the turns of each kind."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence

from tuning.evaluate.conversations import JudgedTurn
from tuning.evaluate.outcomes import OUTCOMES, Share
from tuning.evaluate.tables import Row, markdown

CONVERSATION_COLUMNS = (
    "set", "strategy", "later turns", "right", "answered wrongly", "asked back", "right alone",
    "answered wrongly alone", "right / right alone", "first word s", "of a first turn s",
)  # fmt: skip
KIND_COLUMNS = ("language", "strategy", "kind", "turns", *OUTCOMES, "right alone")
# A cell for what was not measured.
NONE = "–"


def conversation_rows(turns: Sequence[JudgedTurn]) -> list[Row]:
    """Return one row per set and strategy about the later turns.

    ``right / right alone`` is what remains of the share of right replies when the customer relies
    on the conversation. Seconds are medians.
    """
    groups = _grouped(turns, lambda turn: (turn.set, turn.strategy))
    return [
        {"set": name, "strategy": strategy, **_later_cells(group)}
        for (name, strategy), group in groups.items()
        if any(turn.is_later for turn in group)
    ]


def _later_cells(group: Sequence[JudgedTurn]) -> Row:
    later = [turn for turn in group if turn.is_later]
    first = [turn for turn in group if not turn.is_later]
    right, alone = _outcome(later, "right"), _alone(later, "right")
    return {
        "later turns": len(later),
        "right": right,
        "answered wrongly": _outcome(later, "answered wrongly"),
        "asked back": _outcome(later, "asked back"),
        "right alone": alone,
        "answered wrongly alone": _alone(later, "answered wrongly"),
        "right / right alone": _ratio(right, alone),
        "first word s": _median(later),
        "of a first turn s": _median(first),
    }


def kind_rows(turns: Sequence[JudgedTurn]) -> list[Row]:
    """Return one row per language, strategy and kind of turn, over all sets, by their number."""
    groups = _grouped(turns, lambda turn: (turn.lang, turn.strategy, turn.kind))
    rows = [
        {
            "language": lang,
            "strategy": strategy,
            "kind": kind,
            "turns": len(group),
            **{known: _outcome(group, known) for known in OUTCOMES},
            "right alone": _alone(group, "right"),
        }
        for (lang, strategy, kind), group in groups.items()
    ]
    return sorted(rows, key=lambda row: (row["language"], row["strategy"], -row["turns"]))


def _grouped(
    turns: Sequence[JudgedTurn], key: Callable[[JudgedTurn], tuple[str, ...]]
) -> dict[tuple[str, ...], list[JudgedTurn]]:
    """Return the turns by a key, in the order of their first ones."""
    groups: dict[tuple[str, ...], list[JudgedTurn]] = defaultdict(list)
    for turn in turns:
        groups[key(turn)].append(turn)
    return groups


def _outcome(group: Sequence[JudgedTurn], outcome: str) -> Share:
    return Share.of([turn.outcome == outcome for turn in group])


def _alone(group: Sequence[JudgedTurn], outcome: str) -> Share | str:
    asked = [turn.alone_outcome == outcome for turn in group if turn.alone_outcome]
    return Share.of(asked) if asked else NONE


def _ratio(right: Share, alone: Share | str) -> float | str:
    return right.value / alone.value if isinstance(alone, Share) and alone.value else NONE


def _median(group: Sequence[JudgedTurn]) -> str:
    return f"{statistics.median(turn.first_word for turn in group):.2f}" if group else NONE


def conversation_tables(turns: Sequence[JudgedTurn]) -> list[str]:
    """Return both as Markdown tables, "" for one without rows."""
    return [
        markdown(CONVERSATION_COLUMNS, conversation_rows(turns)),
        markdown(KIND_COLUMNS, kind_rows(turns)),
    ]
