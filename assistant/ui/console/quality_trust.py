"""The trust curve of the page Quality: of answers given at a probability, how many were right."""

from typing import Any

import gradio as gr

from assistant.reports.trust import (
    BUCKETS,
    FEWEST,
    Bucket,
    JudgedAnswer,
    Trust,
    judged_answers,
    trust_curve,
)
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import ROWS, Place
from assistant.ui.console.quality_live import QUIET
from assistant.ui.console.table import Cell, Column, Table

COLOURS = ("#c2410c", "#6b7280")


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add the curve, its table and the answers behind it to the page."""
    told = gr.HTML()
    with gr.Row():
        with gr.Column(min_width=300):
            plot = gr.LinePlot(visible=False, **_look(frame))
        with gr.Column(min_width=300):
            table = gr.HTML()
    behind = gr.HTML()

    def show(request: gr.Request) -> tuple[str, gr.LinePlot, str, str]:
        frame.caller(request)
        place = Place.of("quality", request)
        trust = trust_curve(frame.desk.conversations.database, demo=place.get("demo") == "1")
        # A single point is no line.
        is_line = sum(bucket.is_enough for bucket in trust.buckets) > 1
        drawn = gr.LinePlot(value=_points(frame, trust), visible=is_line)
        rows = _table(frame, trust, place) if trust.judged else ""
        return (
            frame.html("quality_trust.jinja", trust=trust),
            drawn,
            rows,
            _behind(frame, trust, place),
        )

    console.load(show, None, [told, plot, table, behind], **QUIET)


def _look(frame: Frame) -> dict[str, Any]:
    names = [frame.text("quality.curve"), frame.text("quality.diagonal")]
    return {
        "x": "probability",
        "y": "right",
        "color": "line",
        "color_map": dict(zip(names, COLOURS, strict=True)),
        "x_title": frame.text("quality.probability"),
        "y_title": frame.text("quality.share_right"),
        "color_title": " ",
        "x_lim": [0, 1],
        "y_lim": [0, 1],
        "x_axis_format": ".0%",
        "y_axis_format": ".0%",
        "label": frame.text("quality.trust_table"),
        "show_label": False,
        "height": 380,
        "buttons": [],
    }


def _points(frame: Frame, trust: Trust) -> Any:
    import pandas as pd

    curve = [
        (b.expected, b.share, frame.text("quality.curve")) for b in trust.buckets if b.is_enough
    ]
    ideal = [(end, end, frame.text("quality.diagonal")) for end in (0.0, 1.0)]
    return pd.DataFrame([*curve, *ideal], columns=["probability", "right", "line"])


def _table(frame: Frame, trust: Trust, place: Place) -> str:
    columns = [
        Column("probability", frame.text("quality.probability")),
        Column("judged", frame.text("quality.judged"), kind="number"),
        Column("right", frame.text("quality.right"), kind="number"),
        Column("interval", frame.text("quality.interval"), kind="number"),
    ]
    rows = [_row(frame, n, b, place) for n, b in enumerate(trust.buckets) if b.judged]
    table = Table(frame.text("quality.trust_table"), columns, rows, Place("quality"), len(rows))
    return frame.html("table.jinja", table=table)


def _row(frame: Frame, number: int, bucket: Bucket, place: Place) -> list[Cell]:
    behind = place.url(bucket=number + 1, page=None)
    range_ = Cell(f"{bucket.low:.0%} – {bucket.high:.0%}", behind)
    if not bucket.is_enough:
        few = frame.text("quality.few", count=bucket.judged, fewest=FEWEST)
        return [range_, Cell(few), Cell("–"), Cell("–")]
    low, high = bucket.interval
    judged = Cell(f"{bucket.judged:,}", behind)
    return [range_, judged, Cell(f"{bucket.share:.0%}"), Cell(f"{low:.0%} – {high:.0%}")]


def _behind(frame: Frame, trust: Trust, place: Place) -> str:
    """Return the judged answers of the bucket that the address names, from 1; "" for none."""
    number = place.number("bucket")
    if not 1 <= number <= BUCKETS:
        return ""
    bucket = trust.buckets[number - 1]
    title = frame.text("quality.judged_in", low=f"{bucket.low:.0%}", high=f"{bucket.high:.0%}")
    found = judged_answers(
        frame.desk.conversations.database,
        number - 1,
        demo=place.get("demo") == "1",
        limit=ROWS,
        offset=(max(1, place.number("page", 1)) - 1) * ROWS,
    )
    names = ("question", "probability", "thumb", "when")
    columns = [Column(name, frame.text(f"quality.{name}")) for name in names]
    rows = [_judged(frame, one) for one in found]
    empty = frame.text("quality.judged_none")
    table = Table(title, columns, rows, place, bucket.judged, empty=empty)
    close = place.url(bucket=None, page=None)
    return frame.html("quality_behind.jinja", table=table, title=title, close=close)


def _judged(frame: Frame, one: JudgedAnswer) -> list[Cell]:
    thumb = frame.text("quality.thumb_up" if one.is_right else "quality.thumb_down")
    where = Place("conversations", {"id": one.conversation}).url(number=one.number)
    question = Cell(one.question, where)
    return [question, Cell(f"{one.answers:.0%}"), Cell(thumb), Cell(frame.time(one.created))]
