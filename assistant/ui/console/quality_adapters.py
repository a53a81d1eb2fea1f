"""Adapters on the page Quality: the one that serves, those that could, and what the gate says."""

from typing import Any

import gradio as gr

from assistant.quality_jobs import (
    PROMOTION,
    ROLLBACK,
    is_installed,
    promotion_command,
    rollback_command,
)
from assistant.reports.adapters import TRAINED, Adapters, adapters
from assistant.ui.console.frame import Frame
from assistant.ui.console.quality_live import QUIET, Live


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add what serves, the candidates, the buttons and the gate's decisions to the page."""
    told = gr.HTML()
    candidate = gr.Radio([], label=frame.text("quality.candidates"), visible=False)
    with gr.Row():
        promote = gr.Button(frame.text("quality.promote"), visible=False, scale=0, min_width=220)
        back = gr.Button(frame.text("quality.rollback"), visible=False, scale=0, min_width=220)
    live = Live(frame, (PROMOTION, ROLLBACK), "administer")
    decided = gr.HTML()

    def draw(request: gr.Request) -> list[Any]:
        there = adapters(frame.live.settings)
        may = is_installed() and frame.may(request, "administer")
        has = may and bool(there.candidates)
        return [
            frame.html("quality_adapters.jinja", there=there, why=_why_not(frame, request, there)),
            gr.Radio(choices=_choices(frame, there), visible=has),
            gr.Button(visible=has),
            gr.Button(visible=may and there.former is not None),
            frame.html("quality_decisions.jinja", decisions=there.decisions),
        ]

    def judge(name: str | None, request: gr.Request) -> list[Any]:
        frame.caller(request, "administer")
        there = {one.name: one for one in adapters(frame.live.settings).candidates}
        if not name or name not in there:
            raise gr.Error(frame.text("quality.choose"), print_exception=False)
        command = promotion_command(there[name].folder)
        live.start(request, PROMOTION, command, name[:80])
        return live.refresh(request)

    def roll_back(request: gr.Request) -> list[Any]:
        live.start(request, ROLLBACK, rollback_command())
        return live.refresh(request)

    live.connect(console, [told, candidate, promote, back, decided], draw)
    promote.click(judge, candidate, live.outputs, **QUIET)
    back.click(roll_back, None, live.outputs, **QUIET)


def _choices(frame: Frame, there: Adapters) -> list[tuple[str, str]]:
    def label(name: str, serves: bool) -> str:
        return frame.text("quality.candidate_serves", name=name) if serves else name

    return [(label(one.name, one.serves), one.name) for one in there.candidates]


def _why_not(frame: Frame, request: gr.Request, there: Adapters) -> list[str]:
    """Return the sentences that say what cannot be done, and why."""
    if not is_installed():
        return [frame.text("quality.not_installed")]
    if not frame.may(request, "administer"):
        return [frame.text("quality.adapters_not_yours")]
    why = [frame.text("quality.adapters_fixed")] if there.is_fixed else []
    if not there.candidates:
        folder = frame.live.settings.state / TRAINED
        why.append(frame.text("quality.candidates_empty", folder=folder))
    return why
