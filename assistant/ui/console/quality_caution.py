"""Caution on the page Quality: what another one would have done, and keeping it."""

import math

import gradio as gr

from assistant.errors import SettingsError
from assistant.reports.caution import DAYS, preview
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import Place
from assistant.ui.console.quality_live import QUIET

# The range of the setting; the slider ends earlier, where hardly anybody goes on.
LEAST, MOST, USUALLY_MOST = 0.5, 100.0, 20.0
STEP = 0.5
# Of a button, in pixels.
WIDTH = 220


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add the slider, its preview and the button to the page."""
    what = frame.text("quality.caution_what", days=DAYS)
    gr.HTML(frame.html("quality_heading.jinja", title=frame.text("quality.caution"), texts=[what]))
    slider = gr.Slider(
        LEAST, USUALLY_MOST, step=STEP, label=frame.text("quality.caution_slider"), buttons=[]
    )
    seen = gr.HTML()
    with gr.Row():
        keep = gr.Button(
            frame.text("quality.caution_keep"), visible=False, scale=0, min_width=WIDTH
        )
    told = gr.HTML()

    def show(request: gr.Request) -> tuple[gr.Slider, str, gr.Button, str]:
        now, why = _caution(frame), _why_not(frame, request)
        moved = gr.Slider(value=now, maximum=max(USUALLY_MOST, now))
        return moved, _preview(frame, request, now), gr.Button(visible=not why), _said(frame, why)

    def move(then: float, request: gr.Request) -> str:
        frame.caller(request)
        return _preview(frame, request, _valid(frame, then))

    def store(then: float, request: gr.Request) -> tuple[str, str]:
        who = frame.caller(request, "administer")
        then = _valid(frame, then)
        if frame.live.settings.is_fixed("caution"):
            raise gr.Error(_why_not(frame, request), print_exception=False)
        try:
            frame.live.set("caution", then, who.name)
        except SettingsError as error:
            raise gr.Error(frame.refusal(error), print_exception=False) from None
        key = "kept" if frame.live.is_live("caution") else "kept_later"
        kept = frame.text(f"quality.caution_{key}", caution=f"{then:g}")
        return _preview(frame, request, then), _said(frame, kept)

    console.load(show, None, [slider, seen, keep, told], **QUIET)
    slider.input(move, slider, seen, trigger_mode="always_last", **QUIET)
    keep.click(store, slider, [seen, told], **QUIET)


def _caution(frame: Frame) -> float:
    return frame.live.settings.caution


def _valid(frame: Frame, then: object) -> float:
    """Return a caution of the setting's range; of anything else, the nearest or that of now."""
    if not isinstance(then, int | float) or not math.isfinite(then):
        return _caution(frame)
    return min(max(float(then), LEAST), MOST)


def _why_not(frame: Frame, request: gr.Request) -> str:
    """Return why who looks cannot keep another caution; "" if they can."""
    settings = frame.live.settings
    if settings.is_fixed("caution"):
        place = settings.place_of("caution").replace(" ", "_")
        return frame.text("quality.caution_fixed", place=frame.text(f"quality.place_{place}"))
    return "" if frame.may(request, "administer") else frame.text("quality.caution_not_yours")


def _said(frame: Frame, text: str) -> str:
    return frame.html("quality_said.jinja", text=text)


def _preview(frame: Frame, request: gr.Request, then: float) -> str:
    demo = Place.of("quality", request).get("demo") == "1"
    now = _caution(frame)
    seen = preview(frame.desk.conversations.database, (now, then), demo=demo)
    shown = {"now": f"{now:g}", "then": f"{then:g}", "days": DAYS}
    return frame.html("quality_caution.jinja", seen=seen, **shown)
