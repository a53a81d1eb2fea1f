"""What is set, where each value comes from, and the form that changes one."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from assistant.config import KEEPABLE
from assistant.reports.setting_list import SettingLine, setting_lines
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import Place
from assistant.ui.console.settings.part import (
    HIDDEN,
    PAGE,
    Part,
    administrator,
    refusing,
    told,
)


def add(frame: Frame) -> Part:
    """Add the part to the page that is being built."""
    said = gr.HTML()
    with gr.Group(visible=False) as form:
        which = gr.HTML()
        value = gr.Textbox(label=frame.text("settings.value"), max_length=200)
        with gr.Row():
            save = gr.Button(frame.text("settings.save"), variant="primary")
            reset = gr.Button(frame.text("settings.reset"))
    listed = gr.HTML()
    outputs = [said, form, which, value, listed]

    def show(request: gr.Request, place: Place) -> Sequence[Any]:
        lines = _lines(frame)
        line = _chosen(lines, place)
        return [
            told(frame),
            gr.update(visible=line is not None),
            frame.html("settings_value.jinja", line=line, live=frame.live) if line else "",
            line.value if line else "",
            frame.html("settings_values.jinja", lines=lines, place=place, live=frame.live),
        ]

    def keep(given: str, request: gr.Request) -> Sequence[Any]:
        who, place = administrator(frame, request), Place.of(PAGE, request)
        name = place.one_of("set", KEEPABLE)
        with refusing(frame):
            frame.live.set(name, given.strip(), who)
        key = "kept" if frame.live.is_live(name) else "kept_restart"
        return [told(frame, key, name=name), *show(request, place)[1:]]

    def forget(request: gr.Request) -> Sequence[Any]:
        who, place = administrator(frame, request), Place.of(PAGE, request)
        name = place.one_of("set", KEEPABLE)
        with refusing(frame):
            frame.live.unset(name, who)
        return [told(frame, "forgotten", name=name), *show(request, place)[1:]]

    save.click(keep, value, outputs, **HIDDEN)
    value.submit(keep, value, outputs, **HIDDEN)
    reset.click(forget, None, outputs, **HIDDEN)
    return Part(outputs, show)


def _lines(frame: Frame) -> list[SettingLine]:
    return setting_lines(frame.live.settings, frame.live.kept.rows())


def _chosen(lines: Sequence[SettingLine], place: Place) -> SettingLine | None:
    """Return the setting that the address wants changed, if it can be."""
    name = place.one_of("set", KEEPABLE)
    return next((line for line in lines if line.name == name and line.can_change), None)
