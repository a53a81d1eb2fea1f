"""The audit: who did what."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from assistant.store.audit import Audit, Deed
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import ROWS, Place
from assistant.ui.console.settings.part import Part
from assistant.ui.console.table import Cell, Column, Table


def add(frame: Frame) -> Part:
    """Add the part to the page that is being built."""
    audit = Audit(frame.desk.conversations.database)
    shown = gr.HTML()

    def show(request: gr.Request, place: Place) -> Sequence[Any]:
        del request
        names, deeds = audit.names()
        who, did = place.get("who"), place.get("did")
        page = max(1, place.number("page", 1))
        rows, total = audit.find(who, did, skip=(page - 1) * ROWS, count=ROWS)
        table = _table(frame, rows, place, total)
        filled = {"names": names, "deeds": deeds, "who": who, "did": did}
        return [frame.html("settings_audit.jinja", table=table, place=place, **filled)]

    return Part([shown], show)


def _table(frame: Frame, rows: Sequence[Deed], place: Place, total: int) -> Table:
    names = ("when", "who", "did", "on")
    columns = [Column(name, frame.text(f"settings.audit_{name}")) for name in names]
    cells = [[Cell(frame.time(d.created)), Cell(d.who), Cell(d.did), _on(d)] for d in rows]
    return Table(
        caption=frame.text("settings.part_audit"),
        columns=columns,
        rows=cells,
        place=place,
        total=total,
        csv=place_of_csv(place),
        empty=frame.text("settings.audit_empty"),
        is_headed=True,
    )


def place_of_csv(place: Place) -> str:
    """Return the address that gives the same deeds, all of them, as CSV."""
    wanted = Place(
        "/v1/exports/audit.csv", {n: place.get(n) for n in ("who", "did") if place.get(n)}
    )
    return wanted.url()


def _on(deed: Deed) -> Cell:
    """Return what a deed was done to; a conversation's id leads to it."""
    is_id = len(deed.on) == 32 and deed.on.isalnum()  # noqa: PLR2004  # as ids are
    return Cell(deed.on, Place("conversations", {"id": deed.on}).url() if is_id else "")
