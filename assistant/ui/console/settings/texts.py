"""The greeting and the fixed sentences: change one, see it in both languages, put it back."""

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from assistant.errors import SettingsError
from assistant.reports.wording_list import WordingLine, preview, wording_lines
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
        text = gr.Textbox(label=frame.text("settings.text"), lines=3, max_length=1000)
        with gr.Row():
            look = gr.Button(frame.text("settings.preview"))
            save = gr.Button(frame.text("settings.save"), variant="primary")
            reset = gr.Button(frame.text("settings.reset"))
        seen = gr.HTML()
    listed = gr.HTML()
    outputs = [said, form, which, text, seen, listed]

    def show(request: gr.Request, place: Place) -> Sequence[Any]:
        del request
        lines = _lines(frame)
        line = lines.get(place.get("text"))
        return [
            told(frame),
            gr.update(visible=line is not None),
            frame.html("settings_text.jinja", line=line) if line else "",
            line.text if line else "",
            _preview(frame, line, line.text) if line else "",
            frame.html("settings_texts.jinja", lines=list(lines.values()), place=place),
        ]

    def see(given: str, request: gr.Request) -> str:
        administrator(frame, request)
        line = _chosen(frame, request)
        with refusing(frame):
            return _preview(frame, line, given)

    def keep(given: str, request: gr.Request) -> Sequence[Any]:
        author, line = administrator(frame, request), _chosen(frame, request)
        with refusing(frame):
            frame.live.set(line.name, given, author)
        return [
            told(frame, "text_kept", name=line.name),
            *show(request, Place.of(PAGE, request))[1:],
        ]

    def forget(request: gr.Request) -> Sequence[Any]:
        author, line = administrator(frame, request), _chosen(frame, request)
        with refusing(frame):
            if not line.author:
                raise SettingsError(frame.text("settings.not_changed"))
            frame.live.unset(line.name, author)
        return [
            told(frame, "forgotten", name=line.name),
            *show(request, Place.of(PAGE, request))[1:],
        ]

    look.click(see, text, seen, **HIDDEN)
    save.click(keep, text, outputs, **HIDDEN)
    reset.click(forget, None, outputs, **HIDDEN)
    return Part(outputs, show)


def _lines(frame: Frame) -> Mapping[str, WordingLine]:
    responder = frame.desk.assistant.responder
    found = wording_lines(responder.company, frame.live.kept.rows())
    return {line.name: line for line in found}


def _chosen(frame: Frame, request: gr.Request) -> WordingLine:
    """Return the text that the address names.

    Raises:
        gr.Error: It names none.
    """
    name = Place.of(PAGE, request).get("text")
    line = _lines(frame).get(name)
    if line is None:
        raise gr.Error(frame.text("settings.no_text"), print_exception=False)
    return line


def _preview(frame: Frame, line: WordingLine, text: str) -> str:
    """Return how a text looks, and the same one in the other language as it is now."""
    lines, company = _lines(frame), frame.desk.assistant.responder.company
    drawn = [(line.lang, preview(line.name, text, company))]
    other = lines.get(line.name_in("zh" if line.lang == "en" else "en"))
    if other:
        drawn.append((other.lang, preview(other.name, other.text, company)))
    return frame.html("settings_preview.jinja", drawn=drawn)
