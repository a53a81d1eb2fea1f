"""All conversations: search and filter them, and open one turn by turn."""

import re
from collections.abc import Mapping
from typing import Any

import gradio as gr

from assistant.errors import ConversationError
from assistant.reports.conversation_list import (
    CHANNELS,
    FILTERS,
    SORTS,
    Found,
    Wanted,
    count,
    found,
    known_intents,
)
from assistant.reports.turns import MESSAGES, opened
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import ROWS, Place
from assistant.ui.console.table import Cell, Column, Table

_ID = re.compile("[0-9a-f]{32}")


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add the page to the console."""
    with frame.page(console, "conversations"):
        shown = gr.HTML()

        def show(request: gr.Request) -> str:
            frame.caller(request)
            place = Place.of("conversations", request)
            return _one(frame, place) if place.get("id") else _all(frame, place)

        console.load(show, None, shown, show_progress="hidden", api_visibility="private")


def wanted_at(frame: Frame, place: Place) -> Wanted:
    """Return which conversations an address asks for."""
    sort = place.get("sort", "-created")
    people = frame.desk.assistant.responder.company.people
    known = sort if sort.removeprefix("-") in SORTS else "-created"
    return Wanted(place.values, people, place.get("demo") == "1", known)


def _all(frame: Frame, place: Place) -> str:
    database, wanted = frame.desk.conversations.database, wanted_at(frame, place)
    total = count(database, wanted)
    # An address may ask for a page that is not there any more.
    page = min(max(1, place.number("page", 1)), max(1, -(-total // ROWS)))
    place = Place(place.page, {**place.values, "page": str(page)})
    rows = found(database, wanted, (page - 1) * ROWS, ROWS)
    table = Table(
        frame.text("conversations.caption"),
        _columns(frame),
        [_cells(frame, place, row) for row in rows],
        place,
        total,
        csv=_csv(place),
        empty=frame.text("conversations.empty" if wanted.active else "conversations.empty_at_all"),
    )
    return frame.html(
        "conversations.jinja",
        banner=frame.demo_banner(place),
        wanted=wanted,
        filters=FILTERS,
        intents=known_intents(database, demo=wanted.demo),
        table=table,
    )


def _csv(place: Place) -> str:
    query = place.url(page=None).partition("?")[2]
    return f"/v1/exports/conversations.csv{'?' + query if query else ''}"


def _columns(frame: Frame) -> list[Column]:
    text = frame.text
    return [
        Column("created", text("conversations.created"), sorts=True, kind="brief"),
        Column("question", text("conversations.question"), kind="main"),
        Column("outcome", text("conversations.outcome"), kind="brief"),
        Column("sentiment", text("conversations.sentiment"), kind="brief"),
        Column("thumb", text("conversations.thumb"), kind="brief"),
        Column("language", text("conversations.language"), kind="brief"),
        Column("channel", text("conversations.channel"), kind="brief"),
        Column("turns", text("conversations.turns"), sorts=True, kind="number"),
        Column("first_word", text("conversations.first_word"), sorts=True, kind="number"),
        Column("updated", text("conversations.updated"), sorts=True, kind="brief"),
    ]


def _cells(frame: Frame, place: Place, row: Found) -> list[Cell]:
    def named(name: str, value: str) -> Cell:
        known = FILTERS[name] or ()
        return Cell(frame.text(f"conversations.{name}_{value}") if value in known else value)

    url = place.url(id=row.id, page=None)
    question = row.question or frame.text("conversations.no_question")
    first = "" if row.first_word is None else f"{row.first_word:.1f}"
    return [
        Cell(frame.time(row.created)),
        Cell(question, url),
        named("outcome", row.outcome),
        named("sentiment", row.sentiment),
        named("thumb", row.thumb),
        named("language", row.language),
        named("channel", row.channel),
        Cell(f"{row.turns:,}"),
        Cell(first),
        Cell(frame.time(row.updated)),
    ]


def _one(frame: Frame, place: Place) -> str:
    """Return one conversation; ``number`` in the address marks and opens a message."""
    marked = place.number("number")
    page = (marked - 1) // MESSAGES + 1 if marked else max(1, place.number("page", 1))
    conversation, desk = place.get("id"), frame.desk
    if not _ID.fullmatch(conversation):
        return _gone(frame, place)
    try:
        one = opened(desk.conversations, desk.assistant.article, conversation, page)
    except ConversationError:
        return _gone(frame, place)
    return frame.html(
        "conversation.jinja",
        one=one,
        place=place,
        banner=frame.demo_banner(place),
        page=page,
        last_page=max(1, -(-one.total // MESSAGES)),
        marked=marked,
        pairs=_pairs,
        channels=CHANNELS,
        moods=FILTERS["sentiment"],
    )


def _gone(frame: Frame, place: Place) -> str:
    return frame.html("conversation_gone.jinja", place=place)


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in values.items())
