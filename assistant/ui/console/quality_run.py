"""One run on the page Quality: what it found out, and what it printed."""

import gradio as gr

from assistant.quality_jobs import KINDS
from assistant.reports.evaluations import DEMO, last_lines
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import Place
from assistant.ui.console.quality_live import QUIET


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add whether all is invented, and the run that the address names, if it names one."""
    shown = gr.HTML()

    def show(request: gr.Request) -> str:
        frame.caller(request)
        place = Place.of("quality", request)
        return f"{frame.demo_banner(place)}{_run(frame, place)}"

    console.load(show, None, shown, **QUIET)


def _run(frame: Frame, place: Place) -> str:
    number = place.number("run")
    run = frame.runs.get(number) if number else None
    kind = run.kind.removeprefix(DEMO) if run else ""
    # Other pages have runs of their own.
    if run is None or kind not in KINDS:
        return ""
    close, log = place.url(run=None), last_lines(run.log)
    return frame.html("quality_run.jinja", run=run, kind=kind, log=log, close=close)
