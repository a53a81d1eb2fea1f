"""The form in which agents write, change and delete the replies that they use again and again."""

from typing import Any

import gradio as gr

from assistant.errors import SettingsError
from assistant.store.audit import Audit
from assistant.store.canned import LONGEST, LONGEST_TITLE, CannedReplies
from assistant.ui.console import inbox_view as view
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import Place

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


class CannedForm:
    """The list of canned replies, and the fields of the one that an address names."""

    def __init__(self, frame: Frame, where: gr.Textbox) -> None:
        """Add the form to the page.

        Args:
            frame: The console in one language.
            where: Holds the page's address.
        """
        self._frame, t = frame, frame.text
        self._replies = CannedReplies(frame.desk.conversations.database)
        listed = gr.HTML()
        languages = [(t("inbox.en"), "en"), (t("inbox.zh"), "zh")]
        lang = gr.Radio(languages, label=t("inbox.canned_lang"), value=frame.lang)
        names = {"title": t("inbox.canned_title"), "text": t("inbox.canned_text")}
        title = gr.Textbox(
            label=names["title"], max_length=LONGEST_TITLE, elem_id="fd-canned-title"
        )
        text = gr.Textbox(
            label=names["text"], lines=4, max_length=LONGEST, elem_id="fd-canned-text"
        )
        with gr.Row():
            keep = gr.Button(t("inbox.canned_keep"), variant="primary", elem_id="fd-canned-keep")
            remove = gr.Button(t("inbox.canned_remove"), elem_id="fd-canned-remove")
        told = gr.HTML()
        self.parts = [listed, lang, title, text]
        given = [where, lang, title, text]
        keep.click(self._keep, given, [told, *self.parts], **QUIET)
        remove.click(self._remove, [where], [told, *self.parts], **QUIET)

    def shown(self, place: Place, *, edits: bool) -> list[Any]:
        """Return the values of ``parts`` at an address; nothing where it does not ask for them."""
        if not edits:
            return ["", *[gr.skip()] * 3]
        return self._values(place)

    def _keep(self, query: str, lang: str, title: str, text: str, request: gr.Request) -> list[Any]:
        caller, place = self._frame.caller(request), view.place_of(query or "")
        number = place.number("canned")
        try:
            self._replies.keep(lang or "", title or "", text or "", caller.name, number)
        except SettingsError:
            return self._told("canned_wrong", None)
        self._note(caller.name, "keep canned", number)
        return self._told("canned_kept", place)

    def _remove(self, query: str, request: gr.Request) -> list[Any]:
        caller, place = self._frame.caller(request), view.place_of(query or "")
        number = place.number("canned")
        if not number:
            return self._told("choose", None)
        self._replies.remove(number)
        self._note(caller.name, "remove canned", number)
        return self._told("canned_removed", place)

    def _told(self, key: str, place: Place | None) -> list[Any]:
        """Return a sentence and the form as it is now; with None, as it was typed."""
        told = view.told(self._frame, self._frame.text(f"inbox.{key}"), wrong=place is None)
        return [told, *(self._values(place) if place else [gr.skip()] * 4)]

    def _values(self, place: Place) -> list[Any]:
        known = self._replies.get(place.number("canned")) if place.number("canned") else None
        replies = self._replies.all()
        listed = self._frame.html("inbox_canned_list.jinja", replies=replies, place=place)
        if known is None:
            return [listed, self._frame.lang, "", ""]
        return [listed, known.lang, known.title, known.text]

    def _note(self, who: str, deed: str, number: int) -> None:
        Audit(self._frame.desk.conversations.database).note(who, deed, str(number or ""))
