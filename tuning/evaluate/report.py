"""Sums an evaluation up: tables, intervals, pictures, one page, and what ``auto`` means."""

import base64
import io
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tuning.atomic_files import write_json, write_text
from tuning.evaluate.judged_replies import JudgedReply, as_rows
from tuning.evaluate.played_dialogues import Played
from tuning.metrics import interval, share

PAGE = Path(__file__).with_name("report.html.jinja")
# Failures of each kind that the page shows.
SHOWN = 12
COLUMNS = (
    "set", "strategy", "right", "interval", "right after a pick", "answered wrongly", "asked back",
    "declined wrongly", "unanswerable declined", "unanswerable quoted after a pick",
    "figures without support", "other language", "worded by the model", "first word s",
    "complete s",
)  # fmt: skip
COLOURS = {
    "right": "#2a7",
    "right after a pick": "#9d9",
    "asked in vain": "#fc3",
    "declined wrongly": "#aaa",
    "answered wrongly": "#c33",
}
DIALOGUE_COLUMNS = ("dialogues", "strategy", "passed", "interval", "critical failed", "seconds")


@dataclass(frozen=True, slots=True)
class Summary:
    """One row a set and strategy; shares in [0, 1], seconds are medians."""

    rows: list[dict[str, Any]]

    def table(self) -> str:
        """Return the rows as a Markdown table."""
        return _markdown(COLUMNS, self.rows)


def summarise(judged: Sequence[JudgedReply]) -> Summary:
    """Return the table; ``right`` means every key fact, none forbidden, the right article cited.

    ``right after a pick`` counts also what is right once the customer, asked back, has picked the
    right article; ``unanswerable quoted after a pick`` what a pick leads to where nothing answers.
    """
    groups: dict[tuple[str, str], list[JudgedReply]] = defaultdict(list)
    for entry in judged:
        groups[entry.set, entry.strategy].append(entry)
    return Summary([_row(*key, group) for key, group in groups.items()])


def _row(name: str, strategy: str, group: Sequence[JudgedReply]) -> dict[str, Any]:
    asked = [entry for entry in group if entry.answerable]
    unknown = [entry for entry in group if not entry.answerable]
    low, high = interval([entry.right for entry in asked])

    def ended(outcome: str) -> float:
        return share([entry.outcome == outcome for entry in asked])

    return {
        "set": name,
        "strategy": strategy,
        "right": ended("right"),
        "interval": f"{low:.0%}–{high:.0%}",
        "right after a pick": share([e.outcome == "right" or e.then_right for e in asked]),
        "answered wrongly": ended("answered wrongly"),
        "asked back": ended("asked back"),
        "declined wrongly": ended("declined wrongly"),
        "unanswerable declined": share([e.outcome == "right" for e in unknown]),
        "unanswerable quoted after a pick": share(
            [bool(e.picked) and not e.then_right for e in unknown]
        ),
        "figures without support": sum(entry.unsupported for entry in group),
        "other language": sum(not entry.right_language for entry in group),
        "worded by the model": share([e.worded for e in asked]),
        "first word s": f"{statistics.median(entry.first_word for entry in group):.2f}",
        "complete s": f"{statistics.median(entry.complete for entry in group):.2f}",
        "buckets": _buckets(asked),
    }


def _buckets(asked: Sequence[JudgedReply]) -> dict[str, str]:
    found: dict[str, list[bool]] = defaultdict(list)
    for entry in asked:
        found[entry.bucket].append(entry.right)
    return {name: f"{sum(right)} of {len(right)}" for name, right in sorted(found.items())}


def dialogue_rows(played: Sequence[Played]) -> list[dict[str, Any]]:
    """Return one row a language and strategy; ``seconds`` is the median of a whole dialogue."""
    groups: dict[tuple[str, str], list[Played]] = defaultdict(list)
    for entry in played:
        groups[entry.lang, entry.strategy].append(entry)
    return [_dialogue_row(*key, group) for key, group in groups.items()]


def _dialogue_row(lang: str, strategy: str, group: Sequence[Played]) -> dict[str, Any]:
    passed = [not entry.failures for entry in group]
    low, high = interval(passed)
    return {
        "dialogues": f"{lang} ({len(group)})",
        "strategy": strategy,
        "passed": sum(passed) / len(group),
        "interval": f"{low:.0%}–{high:.0%}",
        "critical failed": sum(e.critical and bool(e.failures) for e in group),
        "seconds": f"{statistics.median(entry.seconds for entry in group):.2f}",
    }


def dialogue_table(played: Sequence[Played]) -> str:
    """Return ``dialogue_rows`` as a Markdown table."""
    return _markdown(DIALOGUE_COLUMNS, dialogue_rows(played))


def write_report(judged: Sequence[JudgedReply], played: Sequence[Played], out: Path) -> None:
    """Write ``evaluation.json`` and ``report.html``."""
    from jinja2 import Environment, StrictUndefined

    summary = summarise(judged)
    dialogues = dialogue_rows(played)
    write_json(
        out / "evaluation.json",
        {
            "summary": summary.rows,
            "questions": as_rows(judged),
            "dialogues": dialogues,
            "played": [asdict(entry) for entry in played],
        },
    )
    page = Environment(undefined=StrictUndefined, autoescape=True).from_string(
        PAGE.read_text(encoding="utf-8")
    )
    write_text(
        out / "report.html",
        page.render(
            columns=COLUMNS,
            rows=[[_cell(row[c]) for c in COLUMNS] for row in summary.rows],
            buckets=[(r["set"], r["strategy"], r["buckets"]) for r in summary.rows],
            dialogue_columns=DIALOGUE_COLUMNS,
            dialogues=[[_cell(row[c]) for c in DIALOGUE_COLUMNS] for row in dialogues],
            failed=[entry for entry in played if entry.failures],
            failures=_failures(judged),
            picture=_picture(summary),
        ),
    )


def _failures(judged: Sequence[JudgedReply]) -> list[tuple[str, list[JudgedReply]]]:
    kinds: dict[str, list[JudgedReply]] = defaultdict(list)
    for entry in judged:
        if entry.outcome != "right":
            kinds[f"{entry.set}, {entry.strategy}: {entry.outcome}"].append(entry)
    return [(kind, found[:SHOWN]) for kind, found in sorted(kinds.items())]


def _picture(summary: Summary) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 0.5 * len(summary.rows) + 1.5), layout="constrained")
    axes = figure.subplots()
    names = [f"{row['set']}  {row['strategy']}" for row in summary.rows]
    left = np.zeros(len(names))
    parts = [_parts(row) for row in summary.rows]
    for outcome, colour in COLOURS.items():
        shares = np.array([part[outcome] for part in parts])
        axes.barh(names, shares, left=left, label=outcome, color=colour)
        left += shares
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="share of the answerable questions")
    figure.legend(ncol=5, loc="outside lower center", frameon=False)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _parts(row: dict[str, Any]) -> dict[str, float]:
    """Return what became of the answerable questions; the shares add up to 1."""
    picked = row["right after a pick"] - row["right"]
    return {**row, "right after a pick": picked, "asked in vain": row["asked back"] - picked}


def _markdown(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(_cell(row[c]) for c in columns)} |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return f"{value:.0%}" if isinstance(value, float) else str(value)
