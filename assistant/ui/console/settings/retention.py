"""How long conversations and contacts are kept, and what would go now."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from assistant.errors import SettingsError
from assistant.store.audit import Audit
from assistant.store.retention import purge, too_old
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
    database = frame.desk.conversations.database
    said, listed = gr.HTML(), gr.HTML()
    sure = gr.Checkbox(label=frame.text("settings.purge_sure"))
    now = gr.Button(frame.text("settings.purge"), variant="stop")
    outputs = [said, listed, sure]

    def show(request: gr.Request, place: Place) -> Sequence[Any]:
        del request
        settings = frame.live.settings
        count = too_old(database, settings.keep_days)
        shown = frame.html("settings_retention.jinja", settings=settings, count=count, place=place)
        return [told(frame), shown, False]

    def delete(is_sure: bool, request: gr.Request) -> Sequence[Any]:
        author = administrator(frame, request)
        with refusing(frame):
            if not is_sure:
                raise SettingsError(frame.text("settings.tick_first"))
            gone = purge(database, frame.live.settings.keep_days)
            Audit(database).note(author, "purge")
        return [told(frame, "purged", count=gone), *show(request, Place.of(PAGE, request))[1:]]

    now.click(delete, sure, outputs, **HIDDEN)
    return Part(outputs, show)
