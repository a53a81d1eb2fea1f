"""The inbox: who waits, a conversation with its evidence, and the reply of a person."""

import logging
import secrets
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from assistant.errors import AssistantError
from assistant.reports.inbox import SNOOZES
from assistant.store.handoff import OPEN, Handoff
from assistant.store.handoffs import OUTCOMES
from assistant.ui.console import inbox_view as view
from assistant.ui.console.frame import Frame
from assistant.ui.console.inbox_canned import QUIET, CannedForm
from assistant.ui.console.inbox_deeds import Deeds, Told
from assistant.ui.console.place import Place
from assistant.web.access import Caller

# Seconds between two looks for something new; only a tab that is seen looks.
LOOK = 2.5
# Takes what was sent off what stands in the box, so that what was typed meanwhile stays.
WITHOUT_SENT = """(typed, sent) => {
  document.dispatchEvent(new Event("fd-sent"));
  return sent && typed.startsWith(sent) ? typed.slice(sent.length).trimStart() : typed;
}"""

logger = logging.getLogger(__name__)


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add the page to the console."""
    with frame.page(console, "inbox"), gr.Row(elem_id="fd-inbox"):
        _Page(frame).build(console)


class _Page:
    """The components of the page, and what happens with them."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._deeds = frame, Deeds(frame)

    def build(self, console: gr.Blocks) -> None:
        self._evidence = gr.HTML(render=False)
        with gr.Column(elem_classes="fd-inbox-side", min_width=0):
            self._listed = gr.HTML(elem_id="fd-listed")
        with gr.Column(elem_classes="fd-inbox-talk", min_width=0):
            self._where = gr.Textbox(visible="hidden", label="where")
            self._seen = gr.Textbox(visible="hidden", label="seen")
            self._key = gr.Textbox(visible="hidden", label="key")
            self._sent = gr.Textbox(visible="hidden", label="sent")
            self._head = gr.HTML()
            self._talk = gr.HTML()
            with gr.Column(visible=False) as self._writing:
                self._build_reply()
            with gr.Column(visible=False) as self._canned_form:
                self._canned = CannedForm(self._frame, self._where)
        with gr.Column(elem_classes="fd-inbox-evidence", min_width=0):
            self._evidence.render()  # type: ignore[no-untyped-call]
            with gr.Column(visible=False, elem_classes="fd-acting") as self._acting:
                self._build_deeds()
        self._live(console)

    def _build_reply(self) -> None:
        t, acts = self._frame.text, self._acts
        self._reply = gr.Textbox(
            label=t("inbox.reply"),
            info=t("inbox.reply_info"),
            lines=4,
            max_lines=14,
            elem_id="fd-reply",
        )
        gr.HTML(self._frame.html("inbox_figures.jinja"))
        with gr.Row():
            send = gr.Button(t("inbox.send"), variant="primary", elem_id="fd-send", size="md")
            note = gr.Button(t("inbox.keep_note"), elem_id="fd-note", size="md")
            suggest = gr.Button(t("inbox.suggest"), elem_id="fd-suggest", size="md")
        self._told = gr.HTML(elem_id="fd-told")
        suggested = gr.HTML(elem_id="fd-suggested")
        self._replies = gr.HTML()
        for button, do in ((send, self._deeds.reply), (note, self._deeds.note)):
            self._says(button, do)
        acts(suggest, self._suggest, [self._where], [suggested], show_progress="minimal")

    def _build_deeds(self) -> None:
        t = self._frame.text
        gr.HTML(f"<h2>{t('inbox.more_to_do')}</h2>")
        with gr.Row():
            take = gr.Button(t("inbox.take"), elem_id="fd-take", size="md")
            back = gr.Button(t("inbox.give_back"), elem_id="fd-back", size="md")
        self._does(take, lambda caller, handoff, _: self._deeds.take(caller, handoff))
        self._does(back, lambda caller, handoff, _: self._deeds.give_back(caller, handoff))
        self._assign = gr.Radio([], label=t("inbox.assign"), elem_id="fd-assign")
        self._chosen(self._assign, "assign_do", self._deeds.assign)
        self._chosen(self._radio("snooze", SNOOZES), "snooze_do", self._deeds.snooze)
        self._chosen(self._radio("close", OUTCOMES), "close_do", self._deeds.close)

    def _radio(self, label: str, names: Sequence[str]) -> gr.Radio:
        choices = [(self._frame.text(f"inbox.{name}"), name) for name in names]
        return gr.Radio(choices, label=self._frame.text(f"inbox.{label}"))

    def _live(self, console: gr.Blocks) -> None:
        parts = [self._listed, self._head, self._talk, self._evidence]
        columns = [self._writing, self._acting, self._canned_form]
        opened = [self._where, self._seen, self._key, *parts, *columns, self._replies]
        opened += [self._assign, *self._canned.parts]
        console.load(self._open, None, opened, api_visibility="private", show_progress="hidden")
        timer, seen = gr.Timer(LOOK), [self._where, self._seen]
        self._acts(timer, self._look, seen, [self._seen, *parts])

    def _acts(
        self,
        what: gr.Button | gr.Timer,
        do: Callable[..., Any],
        inputs: list[Any],
        outputs: list[Any],
        **how: Any,
    ) -> Any:
        listen = what.tick if isinstance(what, gr.Timer) else what.click
        options = {**QUIET, **how}
        return listen(do, inputs, outputs, **options)

    def _does(self, button: gr.Button, do: Callable[[Caller, Handoff, str], Told]) -> None:
        """Let a button do something to the open handoff."""
        self._chosen(None, button, do)

    def _chosen(
        self,
        choice: gr.Radio | None,
        button: gr.Button | str,
        do: Callable[[Caller, Handoff, str], Told],
    ) -> None:
        """Let a button do what was chosen, and show the page as it is afterwards."""
        if isinstance(button, str):
            named = f"fd-{button.replace('_', '-')}"
            button = gr.Button(self._frame.text(f"inbox.{button}"), elem_id=named, size="md")

        def act(query: str, chosen: str | None, request: gr.Request) -> list[Any]:
            caller, place, handoff = self._at(query, request)
            told = do(caller, handoff, chosen or "") if handoff else self._gone()
            return [
                view.told(self._frame, told.text, wrong=told.wrong),
                *self._again(caller, place),
            ]

        inputs = [self._where, choice or self._sent]
        self._acts(button, act, inputs, [self._told, *self._parts()])

    def _says(self, button: gr.Button, do: Callable[[Caller, Handoff, str, str], Told]) -> None:
        """Let a button send what stands in the box, once."""

        def act(query: str, text: str, key: str, request: gr.Request) -> list[Any]:
            caller, place, handoff = self._at(query, request)
            told = do(caller, handoff, text or "", key or "") if handoff else self._gone()
            done = view.told(self._frame, told.text, wrong=told.wrong)
            sent, new = ("", gr.skip()) if told.wrong else (text, secrets.token_hex(16))
            return [done, sent, new, *self._again(caller, place)]

        inputs = [self._where, self._reply, self._key]
        outputs = [self._told, self._sent, self._key, *self._parts()]
        done = self._acts(button, act, inputs, outputs)
        taken = [self._reply, self._sent]
        done.success(None, taken, self._reply, js=WITHOUT_SENT, api_visibility="private")

    def _parts(self) -> list[Any]:
        return [self._seen, self._listed, self._head, self._talk, self._evidence]

    def _at(self, query: str, request: gr.Request) -> tuple[Caller, Place, Handoff | None]:
        caller, place = self._frame.caller(request), view.place_of(query or "")
        return caller, place, view.handoff_at(self._frame, place)

    def _gone(self) -> Told:
        return Told(self._frame.text("inbox.gone"), wrong=True)

    def _again(self, caller: Caller, place: Place) -> list[Any]:
        shown = view.drawn(self._frame, caller, place)
        return [view.fingerprint(shown), *shown]

    def _look(self, query: str, seen: str, request: gr.Request) -> Any:
        """Return what is new since the last look."""
        caller, place = self._frame.caller(request), view.place_of(query or "")
        shown = view.drawn(self._frame, caller, place)
        new = view.fingerprint(shown)
        return [gr.skip() if new == seen else new, *view.changed(shown, seen or "")]

    def _open(self, request: gr.Request) -> list[Any]:
        """Return the page as its address asks for it."""
        frame, caller = self._frame, self._frame.caller(request)
        place = Place.of("inbox", request)
        handoff, edits = view.handoff_at(frame, place), place.get("edit") == "1"
        shown = view.drawn(frame, caller, place)
        is_open = handoff is not None and handoff.state in OPEN and not edits
        others = [u.name for u in frame.access.sessions.users.all() if u.name != caller.name]
        return [
            urlencode(place.values),
            view.fingerprint(shown),
            secrets.token_hex(16),
            *shown,
            *(gr.Column(visible=visible) for visible in (is_open, is_open, edits)),
            view.canned(frame, place, handoff) if handoff else "",
            gr.Radio(others, visible=bool(others)),
            *self._canned.shown(place, edits=edits),
        ]

    def _suggest(self, query: str, request: gr.Request) -> str:
        """Return what the assistant would reply; nothing of it is kept or sent."""
        frame, (_, _, handoff) = self._frame, self._at(query, request)
        if handoff is None:
            return view.suggested(frame, None, frame.text("inbox.gone"))
        try:
            return view.suggested(frame, frame.desk.suggest(handoff.conversation))
        except AssistantError as error:
            logger.warning("nothing was suggested: %s", error)
            return view.suggested(frame, None, frame.text("inbox.suggest_failed"))
