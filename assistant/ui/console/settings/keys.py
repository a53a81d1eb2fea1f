"""The keys of programs: make one, which is shown once, and revoke one."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from assistant.store.audit import Audit
from assistant.store.keys import SCOPES, Keys
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
    keys, audit = Keys(database), Audit(database)
    said = gr.HTML()
    with gr.Group() as making:
        name = gr.Textbox(label=frame.text("settings.key_name"), max_length=80)
        known = [(frame.text(f"settings.scope_{scope}"), scope) for scope in SCOPES]
        scopes = gr.CheckboxGroup(known, value=["chat"], label=frame.text("settings.scopes"))
        make = gr.Button(frame.text("settings.make_key"), variant="primary")
    with gr.Group(visible=False) as ending:
        which = gr.HTML()
        revoke = gr.Button(frame.text("settings.revoke"), variant="stop")
    listed = gr.HTML()
    outputs = [said, making, name, ending, which, listed]

    def show(request: gr.Request, place: Place) -> Sequence[Any]:
        del request
        found = keys.all()
        chosen = next(
            (key for key in found if key.name == place.get("key") and not key.revoked), None
        )
        return [
            told(frame),
            gr.update(visible=chosen is None),
            "",
            gr.update(visible=chosen is not None),
            frame.html("settings_key.jinja", key=chosen) if chosen else "",
            frame.html("settings_keys.jinja", keys=found, place=place),
        ]

    def make_one(name: str, scopes: Sequence[str], request: gr.Request) -> Sequence[Any]:
        author, name = administrator(frame, request), name.strip()
        with refusing(frame):
            key = keys.add(name, scopes)
            audit.note(author, "keys add", name)
        once = frame.html("settings_new_key.jinja", name=name, key=key)
        return [once, *show(request, Place.of(PAGE, request))[1:]]

    def end(request: gr.Request) -> Sequence[Any]:
        author, place = administrator(frame, request), Place.of(PAGE, request)
        with refusing(frame):
            keys.revoke(place.get("key"))
            audit.note(author, "keys revoke", place.get("key"))
        return [told(frame, "revoked", name=place.get("key")), *show(request, place)[1:]]

    make.click(make_one, [name, scopes], outputs, **HIDDEN)
    revoke.click(end, None, outputs, **HIDDEN)
    return Part(outputs, show)
