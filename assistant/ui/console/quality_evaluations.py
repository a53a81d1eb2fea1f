"""Evaluations on the page Quality: started here, and drawn over time."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from assistant.articles.gate import dialogues_of
from assistant.quality_jobs import (
    FEW,
    KINDS,
    dialogues_command,
    is_installed,
    questions_command,
)
from assistant.reports.evaluations import DEMO, DIALOGUES, QUESTIONS, Point, evaluations
from assistant.store.runs import Run
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import Place
from assistant.ui.console.quality_live import QUIET, Live
from assistant.ui.console.table import Cell, Column, Table

SIZES = ("few", "all")
# Runs that the list shows, and rows of each chart's table: those before are behind their runs.
LATEST, BESIDE = 12, 6


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add the buttons, the charts and the tables to the page."""
    said = gr.HTML()
    sizes = [(frame.text(f"quality.size_{size}", count=FEW), size) for size in SIZES]
    size = gr.Radio(sizes, value="few", label=frame.text("quality.size"), visible=False)
    with gr.Row():
        play = gr.Button(frame.text("quality.play"), visible=False, scale=0, min_width=220)
        ask = gr.Button(frame.text("quality.ask"), visible=False, scale=0, min_width=220)
    live = Live(frame, (DIALOGUES, QUESTIONS), "edit")
    charts: list[Any] = []
    for kind in (DIALOGUES, QUESTIONS):
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                charts.append(gr.LinePlot(visible=False, **_look(frame, kind)))
            with gr.Column(scale=3, min_width=300):
                charts.append(gr.HTML())
    listed = gr.HTML()

    def draw(request: gr.Request) -> list[Any]:
        why = _why_not(frame, request)
        folder = dialogues_of(frame.settings)
        can_ask = is_installed() and frame.may(request, "edit")
        buttons = [gr.Radio(visible=can_ask), gr.Button(visible=can_ask)]
        can_play = gr.Button(visible=can_ask and folder is not None)
        place = Place.of("quality", request)
        drawn = [value for kind in (DIALOGUES, QUESTIONS) for value in _chart(frame, kind, place)]
        title, what = frame.text("quality.runs"), frame.text("quality.runs_what")
        heading = frame.html("quality_heading.jinja", title=title, texts=[what, *why])
        return [heading, *buttons, can_play, *drawn, _list(frame, place)]

    def start_dialogues(request: gr.Request) -> list[Any]:
        frame.caller(request, "edit")
        folder = dialogues_of(frame.settings)
        if folder is None or not is_installed():
            raise gr.Error(" ".join(_why_not(frame, request)), print_exception=False)
        live.start(request, DIALOGUES, dialogues_command(folder))
        return live.refresh(request)

    def start_questions(wanted: str, request: gr.Request) -> list[Any]:
        frame.caller(request, "edit")
        if not is_installed():
            raise gr.Error(frame.text("quality.not_installed"), print_exception=False)
        few = wanted != "all"
        live.start(request, QUESTIONS, questions_command(frame.settings.state, few=few))
        return live.refresh(request)

    live.connect(console, [said, size, ask, play, *charts, listed], draw)
    play.click(start_dialogues, None, live.outputs, **QUIET)
    ask.click(start_questions, size, live.outputs, **QUIET)


def _why_not(frame: Frame, request: gr.Request) -> list[str]:
    """Return the sentences that say what cannot be started, and why."""
    if not is_installed():
        return [frame.text("quality.not_installed")]
    if not frame.may(request, "edit"):
        return [frame.text("quality.runs_not_yours")]
    no_folder = dialogues_of(frame.settings) is None
    return [frame.text("quality.no_dialogues")] if no_folder else []


def _look(frame: Frame, kind: str) -> dict[str, Any]:
    share = "passed" if kind == DIALOGUES else "right"
    return {
        "x": "time",
        "y": "share",
        "color": "set",
        "x_title": frame.text("quality.when"),
        "y_title": frame.text(f"quality.{share}"),
        "color_title": " ",
        "y_lim": [0, 1],
        # Names of days and months would be English in every language.
        "x_axis_format": "%m-%d",
        "y_axis_format": ".0%",
        "label": frame.text(f"quality.{kind}_plot"),
        "buttons": [],
    }


def _chart(frame: Frame, kind: str, place: Place) -> tuple[Any, str]:
    """Return a kind's chart and the table beside it."""
    import pandas as pd

    demo = place.get("demo") == "1"
    points = evaluations(frame.desk.conversations.database, kind, demo=demo)
    if not points:
        empty = frame.text("quality.plot_empty")
        title = frame.text(f"quality.{kind}_plot")
        return gr.LinePlot(visible=False), frame.html("quality_none.jinja", title=title, text=empty)
    rows = [(point.created, point.name, point.share) for point in reversed(points)]
    data = pd.DataFrame(rows, columns=["time", "set", "share"])
    # A single run is no line.
    is_line = len({point.created for point in points}) > 1
    return gr.LinePlot(value=data, visible=is_line), _beside(frame, kind, points, place)


def _beside(frame: Frame, kind: str, points: Sequence[Point], place: Place) -> str:
    names = ["when", "set", "passed", "interval", "critical"]
    if kind == QUESTIONS:
        names = ["when", "set", "right", "interval", "wrong", "declined"]
    texts = ("when", "set")
    columns = [
        Column(name, frame.text(f"quality.{name}"), kind="text" if name in texts else "number")
        for name in names
    ]
    rows = [_row(frame, point, place) for point in points[:BESIDE]]
    title = frame.text(f"quality.{kind}_plot")
    table = Table(title, columns, rows, Place("quality"), len(rows))
    return frame.html("table.jinja", table=table)


def _row(frame: Frame, point: Point, place: Place) -> list[Cell]:
    when = Cell(frame.time(point.created, day=True), place.url(run=point.run))
    cells = [when, Cell(point.name), Cell(f"{point.share:.0%}"), Cell(point.interval)]
    if point.declined is None:
        return [*cells, Cell(f"{point.wrong:.0f}")]
    return [*cells, Cell(f"{point.wrong:.0%}"), Cell(f"{point.declined:.0%}")]


def _list(frame: Frame, place: Place) -> str:
    """Return the table of the last runs of all kinds of this page."""
    before = DEMO if place.get("demo") == "1" else ""
    runs = [run for kind in KINDS for run in frame.runs.latest(f"{before}{kind}", LATEST)]
    runs = sorted(runs, key=lambda run: -run.id)[:LATEST]
    names = ("run", "kind", "state", "author", "when", "ended")
    columns = [Column(name, frame.text(f"quality.{name}")) for name in names]
    rows = [_run(frame, run, place) for run in runs]
    title, empty = frame.text("quality.latest_runs"), frame.text("quality.runs_empty")
    table = Table(title, columns, rows, Place("quality"), len(rows), empty=empty)
    return frame.html("table.jinja", table=table)


def _run(frame: Frame, run: Run, place: Place) -> list[Cell]:
    kind = frame.text(f"quality.kind_{run.kind.removeprefix(DEMO)}")
    state = frame.text(f"quality.state_{run.state}")
    number = Cell(str(run.id), place.url(run=run.id))
    times = [Cell(frame.time(moment)) for moment in (run.created, run.ended)]
    return [number, Cell(kind), Cell(state), Cell(run.author), *times]
