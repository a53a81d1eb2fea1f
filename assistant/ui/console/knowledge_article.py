"""One article on the page Knowledge: as customers see it, beside its translation, with history."""

from typing import Any

import gradio as gr
from markupsafe import Markup

from assistant.articles.article_paths import existing
from assistant.articles.article_text import fields_of
from assistant.articles.difference import difference
from assistant.articles.drafts import Change, Drafts
from assistant.articles.errors import ArticleEditError
from assistant.articles.listing import counterpart
from assistant.articles.publishing import current_text
from assistant.store.audit import Audit
from assistant.ui.console.frame import Frame
from assistant.ui.console.knowledge_errors import told
from assistant.ui.console.knowledge_list import OPEN_DRAFT
from assistant.ui.console.place import Place
from assistant.ui.console.unanswered_groups import article_folder, articles_of
from assistant.web.article_page import rendered
from knowledge.errors import KnowledgeError


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add an article, or a change of one, to the page; nothing if the address names none."""
    shown = gr.HTML()
    restore = gr.Button(frame.text("knowledge.restore"), visible=False)
    change, opened = gr.Textbox(visible=False), gr.Textbox(visible=False)

    def show(request: gr.Request) -> tuple[str, object, str]:
        frame.caller(request)
        place = Place.of("knowledge", request)
        number = place.number("change")
        try:
            if number:
                one = Drafts(frame.desk.conversations.database).get(number)
                may = frame.may(request, "edit") and one.state == "live"
                return _change(frame, one), gr.update(visible=may), str(number)
            html = _article(frame, request, place.get("article")) if place.get("article") else ""
        except (ArticleEditError, KnowledgeError) as error:
            html = frame.html("knowledge_wrong.jinja", error=frame.refusal(error))
        return html, gr.update(visible=False), ""

    def back(number: str, request: gr.Request) -> str:
        caller = frame.caller(request, "edit")
        drafts = Drafts(frame.desk.conversations.database)
        with told(frame):
            one = drafts.get(int(number) if number.isdecimal() else 0)
            before = current_text(frame.settings.knowledge, one.path)
            draft = drafts.begin(one.path, one.lang, before, one.after, caller.name)
        Audit(frame.desk.conversations.database).note(caller.name, "restore", number[:80])
        return str(draft)

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    console.load(show, None, [shown, restore, change], **private)
    restore.click(back, change, opened, api_visibility="private").success(
        None, opened, opened, js=OPEN_DRAFT, api_visibility="private"
    )


def preview(text: str, path: str) -> Markup:
    """Return an article's text as customers see it; HTML in it is escaped."""
    return Markup(rendered(fields_of(text, path).body))  # noqa: S704  # the renderer escapes it


def _article(frame: Frame, request: gr.Request, path: str) -> str:
    existing(frame.settings.knowledge, path)
    articles = articles_of(frame)
    article = next((one for one in articles if one.path == path), None)
    if article is None:
        reason = next((s.reason for s in article_folder(frame).skipped if s.path == path), "")
        raise ArticleEditError(frame.text("knowledge.unread", path=path, reason=reason))
    other = counterpart(article, articles)
    drafts = Drafts(frame.desk.conversations.database)
    return frame.html(
        "knowledge_article.jinja",
        article=article,
        other=other,
        body=Markup(rendered(article.text)),  # noqa: S704  # the renderer escapes it
        other_body=Markup(rendered(other.text)) if other else "",  # noqa: S704
        history=drafts.history(path),
        drafts=drafts.open(path),
        may=frame.may(request, "edit"),
    )


def _change(frame: Frame, one: Change) -> str:
    lines = difference(one.before, one.after)
    return frame.html("knowledge_change.jinja", one=one, lines=lines)
