"""Writes an evaluation as ``evaluation.json`` and as one self-contained page."""

import base64
import io
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tuning.atomic_files import write_json, write_text
from tuning.evaluate.conversation_tables import (
    CONVERSATION_COLUMNS,
    KIND_COLUMNS,
    conversation_rows,
    kind_rows,
)
from tuning.evaluate.conversations import JudgedTurn
from tuning.evaluate.judged_replies import JudgedReply, as_rows
from tuning.evaluate.outcomes import (
    ANSWERABLE_COLUMNS,
    UNANSWERABLE_COLUMNS,
    answerable_rows,
    unanswerable_rows,
)
from tuning.evaluate.played_dialogues import PlayedDialogue
from tuning.evaluate.tables import (
    COLUMNS,
    DIALOGUE_COLUMNS,
    GAIN_COLUMNS,
    Row,
    Summary,
    cells,
    dialogue_rows,
    gain_rows,
    summarise,
)
from tuning.page_templates import render

PAGE = Path(__file__).with_name("report.html.jinja")
# Failures of each kind that the page shows.
SHOWN = 12
# The page's tables: title, columns, and which part of evaluation.json holds the rows.
TABLES = {
    "Questions": (COLUMNS, "summary"),
    "Questions that an article answers": (ANSWERABLE_COLUMNS, "answerable"),
    "Questions that nothing answers": (UNANSWERABLE_COLUMNS, "unanswerable"),
    "Gain over the first strategy": (GAIN_COLUMNS, "gains"),
    "Later turns of conversations": (CONVERSATION_COLUMNS, "conversations"),
    "Turns of conversations by kind": (KIND_COLUMNS, "kinds"),
    "Canned dialogues": (DIALOGUE_COLUMNS, "dialogues"),
}
COLOURS = {
    "right": "#2a7",
    "right after a pick": "#9d9",
    "asked in vain": "#fc3",
    "declined wrongly": "#aaa",
    "answered wrongly": "#c33",
}


def write_report(
    judged: Sequence[JudgedReply],
    played: Sequence[PlayedDialogue],
    out: Path,
    turns: Sequence[JudgedTurn] = (),
) -> None:
    """Write ``evaluation.json`` and ``report.html`` into a folder.

    Raises:
        OSError: They cannot be written.
    """
    summary = summarise(judged)
    content = {
        **figures(judged, played, turns),
        "questions": as_rows(judged),
        "turns": [turn.as_row() for turn in turns],
        "played": [entry.as_row() for entry in played],
    }
    write_json(out / "evaluation.json", content)
    page = render(
        PAGE,
        tables={
            title: (columns, [cells(columns, row) for row in content[key]])
            for title, (columns, key) in TABLES.items()
        },
        buckets=[(row["set"], row["strategy"], row["buckets"]) for row in summary.rows],
        failed_dialogues=[entry for entry in played if entry.failures],
        failed_replies=_failures(judged),
        picture=_picture(summary),
    )
    write_text(out / "report.html", page)


def figures(
    judged: Sequence[JudgedReply],
    played: Sequence[PlayedDialogue],
    turns: Sequence[JudgedTurn] = (),
) -> dict[str, list[Row]]:
    """Return the rows of the tables, without what was asked and replied."""
    return {
        "summary": summarise(judged).rows,
        "answerable": answerable_rows(judged),
        "unanswerable": unanswerable_rows(judged),
        "gains": gain_rows(judged),
        "conversations": conversation_rows(turns),
        "kinds": kind_rows(turns),
        "dialogues": dialogue_rows(played),
    }


def _failures(judged: Sequence[JudgedReply]) -> list[tuple[str, list[JudgedReply]]]:
    kinds: dict[str, list[JudgedReply]] = defaultdict(list)
    for entry in judged:
        if entry.outcome != "right":
            kinds[f"{entry.set}, {entry.strategy}: {entry.outcome}"].append(entry)
    return [(kind, entries[:SHOWN]) for kind, entries in sorted(kinds.items())]


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


def _parts(row: Row) -> Row:
    """Return the shares of the answerable questions by outcome; they add up to 1."""
    picked = row["right after a pick"] - row["right"]
    return {**row, "right after a pick": picked, "asked in vain": row["asked back"] - picked}
