"""How it goes: what became of the conversations, how fast, and in which mood."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from assistant.reports.figures import Figures, compared
from assistant.reports.outcomes import OUTCOMES, tenths
from assistant.reports.period import DAYS, Period
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import Place

if TYPE_CHECKING:
    from pandas import DataFrame

# Dark enough for white words on them; console.css has the same.
COLOURS = {"unhappy": "#b3261e", "handed": "#8e4ec6", "declined": "#a15c00", "confirmed": "#1f7a45",
           "quiet": "#5d6b7a", "open": "#1769aa"}  # fmt: skip
# What the second plot follows: the fewer, the better.
WORSE = ("unhappy", "handed", "declined")
MINUTE, HOUR = 60, 3600


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add the page to the console."""
    with frame.page(console, ""):
        shown = gr.HTML()
        with gr.Row():
            bars = gr.BarPlot(**_plot(frame, "outcomes", OUTCOMES))
            lines = gr.LinePlot(**_plot(frame, "shares", WORSE))
        steps = gr.HTML()

        def show(request: gr.Request) -> tuple[str, Any, Any, str]:
            frame.caller(request)
            place = Place.of("", request)
            now, before = _figures(frame, place)
            is_empty = not now.conversations
            plots = (_counts(frame, now), _shares(frame, now))
            update_bars, update_lines = (gr.update(value=p, visible=not is_empty) for p in plots)
            return (
                _page(frame, place, now, before),
                update_bars,
                update_lines,
                _steps(frame, place, now),
            )

        console.load(
            show,
            None,
            [shown, bars, lines, steps],
            show_progress="hidden",
            api_visibility="private",
        )


def _figures(frame: Frame, place: Place) -> tuple[Figures, Figures]:
    people = frame.desk.assistant.responder.company.people
    period = Period.of(place.values, people)
    database = frame.desk.conversations.database
    return compared(database, period, people, demo=place.get("demo") == "1")


def _plot(frame: Frame, name: str, outcomes: tuple[str, ...]) -> dict[str, Any]:
    """Return how a plot of outcomes over time looks."""
    told = {frame.text(f"home.{outcome}"): COLOURS[outcome] for outcome in outcomes}
    y = frame.text("home.conversations" if name == "outcomes" else "home.percent")
    label = frame.text(f"home.over_time_{name}")
    return {
        "x": frame.text("home.when"), "y": y, "color": frame.text("home.what"), "color_map": told,
        "title": label, "label": label, "show_label": False, "height": 360,
        "x_title": "", "color_title": "",
        "x_label_angle": -90,
        "visible": False, "buttons": [],
    }  # fmt: skip


def _counts(frame: Frame, figures: Figures) -> "DataFrame":
    return _frame(frame, figures, OUTCOMES, "home.conversations", lambda counts: counts)


def _shares(frame: Frame, figures: Figures) -> "DataFrame":
    return _frame(frame, figures, WORSE, "home.percent", tenths)


def _frame(
    frame: Frame,
    figures: Figures,
    names: tuple[str, ...],
    y: str,
    of: Callable[[dict[str, int]], Any],
) -> "DataFrame":
    """Return a row for each step and outcome, as Gradio's plots take it."""
    import pandas as pd

    rows = [
        (step.first.isoformat(), frame.text(f"home.{name}"), of(outcomes)[name])
        for step, outcomes in figures.steps
        for name in names
    ]
    columns = [frame.text(key) for key in ("home.when", "home.what", y)]
    return pd.DataFrame(rows, columns=columns)


def _opens(place: Place, period: Period) -> Callable[..., str]:
    """Return what gives the address of a period's conversations, narrowed by a filter."""

    def url(name: str = "", value: str = "") -> str:
        kept = {**period.values, "demo": "1"} if place.get("demo") == "1" else period.values
        return Place("conversations", {**kept, **({name: value} if name else {})}).url()

    return url


def _page(frame: Frame, place: Place, now: Figures, before: Figures) -> str:
    choices = [
        (days, place.url(days=days, **{"from": None, "to": None}), _is_chosen(place, days))
        for days in DAYS
    ]
    query = Place("", {**place.values, **now.period.values}).url().removeprefix("./")
    return frame.html(
        "home.jinja",
        now=now,
        before=before,
        banner=frame.demo_banner(place),
        choices=choices,
        demo=place.get("demo") == "1",
        csv=f"/v1/exports/figures.csv{query}",
        opens=_opens(place, now.period),
        opens_before=_opens(place, before.period),
        span=lambda seconds: _span(frame, seconds),
    )


def _is_chosen(place: Place, days: int) -> bool:
    return not (place.get("from") or place.get("to")) and place.get("days", str(DAYS[0])) == str(
        days
    )


def _steps(frame: Frame, place: Place, now: Figures) -> str:
    def opens(step: Period, name: str = "", value: str = "") -> str:
        return _opens(place, step)(name, value)

    return frame.html("home_steps.jinja", now=now, opens_step=opens)


def _span(frame: Frame, seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < MINUTE:
        return frame.text("home.seconds", seconds=round(seconds))
    if seconds < HOUR:
        return frame.text("home.minutes", minutes=round(seconds / MINUTE))
    hours, rest = divmod(round(seconds / MINUTE), MINUTE)
    return frame.text("home.hours", hours=hours, minutes=rest)
