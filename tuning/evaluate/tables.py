"""Tables of an evaluation: shares with their intervals, and gains of one strategy over another."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuning.evaluate.judged_replies import JudgedReply
from tuning.evaluate.played_dialogues import PlayedDialogue
from tuning.metrics import gain_interval, share, share_interval

COLUMNS = (
    "set", "strategy", "right", "interval", "right after a pick", "answered wrongly", "asked back",
    "declined wrongly", "unanswerable declined", "unanswerable quoted after a pick",
    "figures without support", "other language", "worded by the model", "less than 80 % copied",
    "words", "first word s", "complete s",
)  # fmt: skip
GAIN_COLUMNS = ("set", "strategy", "compared with", "questions", "gain in right", "interval")
DIALOGUE_COLUMNS = ("dialogues", "strategy", "passed", "interval", "critical failed", "seconds")
# A reply of whose words fewer are its quotes' is worded.
COPIED = 0.8

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Summary:
    """One row per set and strategy; shares in [0, 1], seconds are medians."""

    rows: list[Row]

    def table(self) -> str:
        """Return the rows as a Markdown table."""
        return markdown(COLUMNS, self.rows)


def summarise(judged: Sequence[JudgedReply]) -> Summary:
    """Return the shares per set and strategy.

    ``right`` means every key fact, none forbidden, and the right article cited. ``right after a
    pick`` also counts replies that are right once the customer has picked the right article after a
    clarifying question. ``unanswerable quoted after a pick`` counts the questions that nothing
    answers and whose pick leads to an answer.
    """
    return Summary([_row(*key, group) for key, group in by_set(judged).items()])


def by_set(judged: Sequence[JudgedReply]) -> dict[tuple[str, str], list[JudgedReply]]:
    """Return the replies by set and strategy, in the order of their first ones."""
    groups: dict[tuple[str, str], list[JudgedReply]] = defaultdict(list)
    for entry in judged:
        groups[entry.set, entry.strategy].append(entry)
    return groups


def _row(name: str, strategy: str, group: Sequence[JudgedReply]) -> Row:
    answerable = [entry for entry in group if entry.answerable]
    unanswerable = [entry for entry in group if not entry.answerable]
    answered = [entry for entry in group if entry.action == "answer"]

    def outcome_share(outcome: str) -> float:
        return share([entry.outcome == outcome for entry in answerable])

    return {
        "set": name,
        "strategy": strategy,
        "right": outcome_share("right"),
        "interval": _interval_cell(*share_interval([entry.right for entry in answerable])),
        "right after a pick": share(
            [e.outcome == "right" or e.right_after_pick for e in answerable]
        ),
        "answered wrongly": outcome_share("answered wrongly"),
        "asked back": outcome_share("asked back"),
        "declined wrongly": outcome_share("declined wrongly"),
        "unanswerable declined": share([e.outcome == "right" for e in unanswerable]),
        "unanswerable quoted after a pick": share(
            [bool(e.pick) and not e.right_after_pick for e in unanswerable]
        ),
        "figures without support": sum(entry.unsupported for entry in group),
        "other language": sum(not entry.right_language for entry in group),
        "worded by the model": share([e.worded for e in answerable]),
        "less than 80 % copied": share([e.copied < COPIED for e in answered]),
        "words": f"{statistics.median([e.words for e in answered] or [0]):.0f}",
        "first word s": f"{statistics.median(entry.first_word for entry in group):.2f}",
        "complete s": f"{statistics.median(entry.complete for entry in group):.2f}",
        "buckets": _buckets(answerable),
    }


def _buckets(answerable: Sequence[JudgedReply]) -> dict[str, str]:
    buckets: dict[str, list[bool]] = defaultdict(list)
    for entry in answerable:
        buckets[entry.bucket].append(entry.right)
    return {name: f"{sum(right)} of {len(right)}" for name, right in sorted(buckets.items())}


def gain_rows(judged: Sequence[JudgedReply]) -> list[Row]:
    """Compare each strategy with a set's first one, on the answerable questions that both have.

    ``gain``, ``low`` and ``high`` are differences of the share of right replies, in [-1, 1].
    """
    sets: dict[str, dict[str, dict[str, bool]]] = defaultdict(lambda: defaultdict(dict))
    for entry in judged:
        if entry.answerable:
            sets[entry.set][entry.strategy][entry.question] = entry.right
    return [
        _gain_row(name, strategy, first, right, base)
        for name, strategies in sets.items()
        for first, base in list(strategies.items())[:1]
        for strategy, right in list(strategies.items())[1:]
        if base.keys() & right.keys()
    ]


def _gain_row(
    name: str, strategy: str, first: str, right: dict[str, bool], base: dict[str, bool]
) -> Row:
    gains = [right[question] - base[question] for question in base if question in right]
    gain = sum(gains) / len(gains)
    low, high = gain_interval(gains)
    return {
        "set": name,
        "strategy": strategy,
        "compared with": first,
        "questions": len(gains),
        "gain": gain,
        "low": low,
        "high": high,
        "gain in right": f"{gain:+.0%}",
        "interval": f"{low:+.0%} to {high:+.0%}",
    }


def gain_table(judged: Sequence[JudgedReply]) -> str:
    """Return ``gain_rows`` as a Markdown table, "" if there are none."""
    return markdown(GAIN_COLUMNS, gain_rows(judged))


def dialogue_rows(played: Sequence[PlayedDialogue]) -> list[Row]:
    """Return one row per language and strategy; ``seconds`` is the median of a dialogue."""
    groups: dict[tuple[str, str], list[PlayedDialogue]] = defaultdict(list)
    for entry in played:
        groups[entry.dialogue.metadata.language, str(entry.strategy)].append(entry)
    return [_dialogue_row(*key, group) for key, group in groups.items()]


def _dialogue_row(lang: str, strategy: str, group: Sequence[PlayedDialogue]) -> Row:
    passed = [not entry.failures for entry in group]
    return {
        "dialogues": f"{lang} ({len(group)})",
        "strategy": strategy,
        "passed": share(passed),
        "interval": _interval_cell(*share_interval(passed)),
        "critical failed": sum(entry.is_critical_failure for entry in group),
        "seconds": f"{statistics.median(entry.seconds for entry in group):.2f}",
    }


def dialogue_table(played: Sequence[PlayedDialogue]) -> str:
    """Return ``dialogue_rows`` as a Markdown table, "" if there are none."""
    return markdown(DIALOGUE_COLUMNS, dialogue_rows(played))


def cells(columns: Sequence[str], row: Row) -> list[str]:
    """Return a row's cells as text; a float is a share."""
    return [f"{row[c]:.0%}" if isinstance(row[c], float) else str(row[c]) for c in columns]


def markdown(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table, "" if there are none."""
    if not rows:
        return ""
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(cells(columns, row))} |" for row in rows]
    return "\n".join(lines)


def _interval_cell(low: float, high: float) -> str:
    return f"{low:.0%}–{high:.0%}"
