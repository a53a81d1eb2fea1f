"""Unanswered questions, grouped by meaning: what was missing, and whether it still is."""

import gradio as gr

from assistant.errors import AssistantError
from assistant.reports.question_groups import QuestionGroup, group_with
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import ROWS, Place
from assistant.ui.console.table import Cell, Column, Kind, Table
from assistant.ui.console.unanswered_groups import (
    DAYS,
    articles_of,
    gap,
    groups_at,
    languages,
    named,
)

# Wordings of a group that are asked again at once.
TRIED = 5
COLUMNS: dict[str, Kind] = {
    "question": "main", "times": "number", "asked_in": "brief", "first": "brief", "last": "brief",
    "missing": "text", "nearest": "text",
}  # fmt: skip


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add the page to the console."""
    with frame.page(console, "unanswered"):
        shown = gr.HTML()
        again = gr.Button(frame.text("unanswered.again"), visible=False, elem_classes="fd-short")
        name = gr.Textbox(visible=False)
        replies = gr.HTML()

        def show(request: gr.Request) -> tuple[str, object, str]:
            frame.caller(request)
            place = Place.of("unanswered", request)
            groups, left = groups_at(frame, place)
            group = group_with(groups, place.get("group")) if place.get("group") else None
            html = _group(frame, place, group) if group else _all(frame, place, groups, left)
            return html, gr.update(visible=group is not None), f"{place.url()[:400]}"

        def ask(address: str, request: gr.Request) -> str:
            frame.caller(request)
            from urllib.parse import parse_qsl, urlsplit

            place = Place("unanswered", dict(parse_qsl(urlsplit(address).query)))
            group = group_with(groups_at(frame, place)[0], place.get("group"))
            if group is None:
                raise gr.Error(frame.text("unanswered.gone"), print_exception=False)
            told = [_asked(frame, text) for text in group.texts[:TRIED]]
            return frame.html("unanswered_again.jinja", told=told)

        outputs = [shown, again, name]
        console.load(show, None, outputs, show_progress="hidden", api_visibility="private")
        again.click(ask, name, replies, api_visibility="private")


def _asked(frame: Frame, text: str) -> dict[str, object]:
    """Return what the assistant replies now; nothing of it is kept."""
    try:
        *_, reply = frame.desk.assistant.stream(text)
    except AssistantError as error:
        return {"question": text, "action": "error", "text": str(error), "titles": ()}
    titles = tuple(source.title for source in reply.sources)  # type: ignore[union-attr]
    action, said = str(reply.action), reply.text  # type: ignore[union-attr]
    return {"question": text, "action": action, "text": said, "titles": titles}


def _all(frame: Frame, place: Place, groups: list[QuestionGroup], left: int) -> str:
    page = min(max(1, place.number("page", 1)), max(1, -(-len(groups) // ROWS)))
    place = Place(place.page, {**place.values, "page": str(page)})
    columns = [Column(key, frame.text(f"unanswered.{key}"), kind=COLUMNS[key]) for key in COLUMNS]
    table = Table(
        frame.text("unanswered.caption"),
        columns,
        [_cells(frame, place, group) for group in groups[(page - 1) * ROWS : page * ROWS]],
        place,
        len(groups),
        empty=frame.text("unanswered.empty"),
        is_headed=True,
    )
    chosen = place.one_of("days", DAYS, "30")
    choices = [(days, place.url(days=days, page=None), days == chosen) for days in DAYS]
    asked = sum(len(group.questions) for group in groups)
    banner = frame.demo_banner(place)
    values = {"table": table, "choices": choices, "left": left, "asked": asked, "banner": banner}
    return frame.html("unanswered.jinja", **values)


def _cells(frame: Frame, place: Place, group: QuestionGroup) -> list[Cell]:
    near = group.nearest
    best = f"{near.title}: {near.sentence} ({near.answers:.0%})" if near and near.sentence else ""
    return [
        Cell(group.middle.question, place.url(group=group.name, page=None)),
        Cell(f"{len(group.questions):,}"),
        Cell(named(frame, group.languages)),
        Cell(frame.time(group.first, day=True)),
        Cell(frame.time(group.last, day=True)),
        Cell(gap(frame, group)),
        Cell(best),
    ]


def _group(frame: Frame, place: Place, group: QuestionGroup) -> str:
    near = group.nearest
    return frame.html(
        "unanswered_group.jinja",
        group=group,
        gap=gap(frame, group),
        languages=languages(frame, group, articles_of(frame)),
        near=near,
        back=place.url(group=None),
        write=Place("knowledge", {"group": group.name, **_kept(place)}).url(new="1"),
        shown=group.questions[:ROWS],
    )


def _kept(place: Place) -> dict[str, str]:
    return {name: place.get(name) for name in ("days", "demo") if place.get(name)}
