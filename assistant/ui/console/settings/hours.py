"""When people answer: over what ``company.yml`` says."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from assistant.company import DAYS, People
from assistant.errors import SettingsError
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
from assistant.wording import PEOPLE


def add(frame: Frame) -> Part:
    """Add the part to the page that is being built."""
    said, intro = gr.HTML(), gr.HTML()
    with gr.Row():
        zone = gr.Textbox(label=frame.text("settings.zone"), max_length=60)
        minutes = gr.Textbox(label=frame.text("settings.minutes"), max_length=5)
    with gr.Row(elem_classes="fd-days"):
        days = [
            gr.Textbox(label=frame.text(f"settings.{day}"), max_length=20, min_width=140)
            for day in DAYS
        ]
    with gr.Row():
        save = gr.Button(frame.text("settings.save"), variant="primary")
        reset = gr.Button(frame.text("settings.reset_company"))
    outputs = [said, intro, zone, minutes, *days]

    def show(request: gr.Request, place: Place) -> Sequence[Any]:
        del request, place
        people = frame.desk.assistant.responder.company.people
        kept = frame.live.kept.rows().get(PEOPLE)
        intro = frame.html("settings_hours.jinja", people=people, kept=kept)
        return [told(frame), intro, *_fields(people)]

    def keep(zone: str, minutes: str, *rest: Any) -> Sequence[Any]:
        hours, request = rest[: len(DAYS)], rest[-1]
        author = administrator(frame, request)
        open_on = {day: said.strip() for day, said in zip(DAYS, hours, strict=True) if said.strip()}
        value = {"timezone": zone.strip(), "minutes": minutes.strip(), "hours": open_on}
        with refusing(frame):
            frame.live.set(PEOPLE, value, author)
        return [told(frame, "hours_kept"), *show(request, Place.of(PAGE, request))[1:]]

    def forget(request: gr.Request) -> Sequence[Any]:
        author = administrator(frame, request)
        with refusing(frame):
            if PEOPLE not in frame.live.kept.all():
                raise SettingsError(frame.text("settings.not_changed"))
            frame.live.unset(PEOPLE, author)
        return [told(frame, "hours_back"), *show(request, Place.of(PAGE, request))[1:]]

    save.click(_with_request(keep, len(outputs) - 2), outputs[2:], outputs, **HIDDEN)
    reset.click(forget, None, outputs, **HIDDEN)
    return Part(outputs, show)


def _with_request(keep: Any, count: int) -> Any:
    """Return a function of so many values and the request, which Gradio finds by its annotation."""
    assert count == len(DAYS) + 2  # noqa: S101  # the signature below

    def keep_all(
        zone: str, minutes: str, mon: str, tue: str, wed: str, thu: str, fri: str, sat: str,
        sun: str, request: gr.Request,
    ) -> Sequence[Any]:  # fmt: skip
        return keep(zone, minutes, mon, tue, wed, thu, fri, sat, sun, request)  # type: ignore[no-any-return]

    return keep_all


def _fields(people: People | None) -> list[str]:
    if people is None:
        return ["", "5", *[""] * len(DAYS)]
    return [people.timezone, str(people.minutes), *(people.hours.get(day, "") for day in DAYS)]
