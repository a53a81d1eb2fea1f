"""The list of articles, on the page Knowledge: search, upload, and the index."""

import secrets
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.articles.article_paths import new_path
from assistant.articles.drafts import Drafts
from assistant.articles.listing import ListedArticle, citations, listed
from assistant.articles.publishing import current_text
from assistant.articles.uploads import KINDS, read_upload
from assistant.store.audit import Audit
from assistant.ui.console.frame import Frame
from assistant.ui.console.knowledge_errors import told
from assistant.ui.console.knowledge_progress import INDEX, latest, progress, start_index
from assistant.ui.console.place import ROWS, Place
from assistant.ui.console.table import Cell, Column, Kind, Table
from assistant.ui.console.unanswered_groups import article_folder
from knowledge.errors import KnowledgeError

LANGS, STATES = ("en", "zh", "other"), ("valid", "expired", "future", "missing")
# Leads to a draft; its number is an argument of the script, not a part of it.
OPEN_DRAFT = "(n) => { if (/^\\d+$/.test(n)) location.assign(`knowledge?draft=${n}`); return n; }"
COLUMNS: dict[str, Kind] = {
    "title": "main", "lang": "brief", "counterpart": "text", "validity": "brief", "cited": "number",
}  # fmt: skip
# Of a button, in pixels.
WIDTH = 200
# What an address names if it is about one article.
ONE = ("article", "change", "draft", "edit", "new")


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add the list to the page; it is shown if the address names no article."""
    head = gr.HTML()
    with gr.Row(visible=False) as deeds:
        upload = gr.UploadButton(
            frame.text("knowledge.upload"),
            file_types=list(KINDS),
            size="md",
            scale=0,
            min_width=WIDTH,
        )
        rebuild = gr.Button(frame.text("knowledge.rebuild"), size="md", scale=0, min_width=WIDTH)
    opened = gr.Textbox(visible=False)
    running = gr.HTML()
    shown = gr.HTML()
    timer = gr.Timer(2, active=False)

    def show(request: gr.Request) -> tuple[str, str, object, str, object]:
        frame.caller(request)
        place = Place.of("knowledge", request)
        if any(place.get(name) for name in ONE):
            return "", "", gr.update(visible=False), "", gr.update(active=False)
        may = frame.may(request, "edit")
        buttons, state = gr.update(visible=may), _state(frame, only_running=True)
        return *_list(frame, place, may), buttons, *state

    def take(file: str, request: gr.Request) -> str:
        caller = frame.caller(request, "edit")
        with told(frame):
            number = keep_upload(frame, Path(file), caller.name)
        Audit(frame.desk.conversations.database).note(caller.name, "upload", str(number))
        return str(number)

    def build_index(request: gr.Request) -> tuple[str, object]:
        caller = frame.caller(request, "edit")
        with told(frame):
            start_index(frame, caller.name)
        Audit(frame.desk.conversations.database).note(caller.name, "index")
        return _state(frame)

    def look(request: gr.Request) -> tuple[str, object]:
        frame.caller(request)
        return _state(frame)

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    console.load(show, None, [head, shown, deeds, running, timer], **private)
    upload.upload(take, upload, opened, api_visibility="private").success(
        None, opened, opened, js=OPEN_DRAFT, api_visibility="private"
    )
    rebuild.click(build_index, None, [running, timer], api_visibility="private")
    timer.tick(look, None, [running, timer], **private)


def keep_upload(frame: Frame, file: Path, author: str) -> int:
    """Keep an uploaded document as a draft and return its number.

    Raises:
        ArticleEditError: It cannot be read.
    """
    found = read_upload(file)
    name = found.name or f"article-{secrets.token_hex(3)}"
    path = new_path(frame.settings.knowledge, name, found.lang)
    before = current_text(frame.settings.knowledge, path)
    drafts = Drafts(frame.desk.conversations.database)
    return drafts.begin(path, found.lang, before, found.text, author)


def _state(frame: Frame, *, only_running: bool = False) -> tuple[str, object]:
    run = latest(frame, INDEX)
    is_running = run is not None and run.state == "running"
    if only_running and not is_running:
        return "", gr.update(active=False)
    return progress(frame, run), gr.update(active=is_running)


def _list(frame: Frame, place: Place, may: bool) -> tuple[str, str]:
    """Return the search and the list, as HTML."""
    database, folder = frame.desk.conversations.database, article_folder(frame)
    try:
        articles = folder.articles()
    except KnowledgeError as error:
        return frame.html("knowledge_none.jinja", error=frame.refusal(error), may=may), ""
    demo = place.get("demo") == "1"
    rows = _wanted(listed(articles, citations(database, demo=demo)), place)
    page = min(max(1, place.number("page", 1)), max(1, -(-len(rows) // ROWS)))
    place = Place(place.page, {**place.values, "page": str(page)})
    columns = [Column(key, frame.text(f"knowledge.{key}"), True, COLUMNS[key]) for key in COLUMNS]
    cells = [_cells(frame, row) for row in rows[(page - 1) * ROWS : page * ROWS]]
    caption, empty = frame.text("knowledge.caption"), frame.text("knowledge.empty")
    table = Table(caption, columns, cells, place, len(rows), empty=empty, is_headed=True)
    drafts = Drafts(database).open()
    known = {"langs": LANGS, "states": STATES, "banner": frame.demo_banner(place), "demo": demo}
    head = frame.html("knowledge_head.jinja", place=place, may=may, **known)
    values = {"table": table, "drafts": drafts, "may": may, "skipped": folder.skipped}
    return head, frame.html("knowledge.jinja", **values)


def _wanted(rows: list[ListedArticle], place: Place) -> list[ListedArticle]:
    words = place.get("text").casefold().split()
    lang, state = place.one_of("lang", LANGS), place.one_of("state", STATES)
    found = [
        row
        for row in rows
        if all(word in f"{row.article.title} {row.article.path} {row.article.text}".casefold()
               for word in words)
        and lang in ("", row.article.lang)
        and (not state or state == row.state or (state == "missing" and not row.counterpart))
    ]  # fmt: skip
    keys = {
        "title": lambda row: row.article.title.casefold(),
        "lang": lambda row: row.article.lang,
        "counterpart": lambda row: row.counterpart,
        "validity": lambda row: str(row.article.valid_to or row.article.valid_from or ""),
        "cited": lambda row: row.cited,
    }
    sort = place.get("sort", "title")
    key = keys.get(sort.removeprefix("-"), keys["title"])
    return sorted(found, key=key, reverse=sort.startswith("-"))


def _cells(frame: Frame, row: ListedArticle) -> list[Cell]:
    article = row.article
    other = row.counterpart
    days = f"{article.valid_from or ''} – {article.valid_to or ''}".strip(" –")
    state = "" if row.state == "valid" else frame.text(f"knowledge.state_{row.state}")
    if row.state == "valid":
        days = frame.text("knowledge.until", day=article.valid_to) if article.valid_to else ""
    return [
        Cell(article.title, Place("knowledge", {"article": article.path}).url()),
        Cell(frame.text(f"knowledge.lang_{article.lang}")),
        Cell(other or frame.text("knowledge.missing"),
             Place("knowledge", {"article": other}).url() if other else ""),
        Cell(f"{state} {days}".strip() or frame.text("knowledge.always")),
        Cell(f"{row.cited:,}"),
    ]  # fmt: skip
