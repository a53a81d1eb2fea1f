"""Settings of the console: what is set, who may do what, and who did what."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from assistant.ui.console.frame import Frame
from assistant.ui.console.place import Place
from assistant.ui.console.settings import deeds, hours, keys, people, retention, texts, values
from assistant.ui.console.settings.part import PAGE

# The parts in the order in which they are named: what each is called in an address.
PARTS = {
    "": values,
    "users": people,
    "keys": keys,
    "retention": retention,
    "hours": hours,
    "texts": texts,
    "audit": deeds,
}


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add the page to the console."""
    with frame.page(console, PAGE):
        top = gr.HTML()
        columns, built = [], {}
        for name, module in PARTS.items():
            with gr.Column(visible=False) as column:
                built[name] = module.add(frame)
            columns.append(column)
        outputs = [top, *columns, *(one for part in built.values() for one in part.outputs)]

        def show(request: gr.Request) -> Sequence[Any]:
            may = frame.may(request, "administer")
            place = Place.of(PAGE, request)
            here = place.one_of("part", tuple(PARTS))
            head = frame.html("settings.jinja", parts=tuple(PARTS), here=here, may=may)
            shown = [gr.update(visible=may and name == here) for name in PARTS]
            drawn: list[Any] = []
            for name, part in built.items():
                is_here = may and name == here
                drawn += part.show(request, place) if is_here else [gr.skip()] * len(part.outputs)
            return [head, *shown, *drawn]

        console.load(show, None, outputs, api_visibility="private")
