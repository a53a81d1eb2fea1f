"""What the editor of the page Knowledge does: keeps drafts, tries and publishes them."""

import dataclasses
from typing import Any

import gradio as gr

from assistant.articles.article_paths import inside, new_path
from assistant.articles.article_text import Fields, read_article, with_fields
from assistant.articles.drafts import Change, Drafts
from assistant.articles.errors import ArticleEditError
from assistant.articles.publishing import companions, current_text
from assistant.store.audit import Audit
from assistant.ui.console.frame import Frame
from assistant.ui.console.knowledge_begun import Begun, begun
from assistant.ui.console.knowledge_beside import (
    beside,
    changed_meanwhile,
    lacks_translation,
)
from assistant.ui.console.knowledge_errors import told
from assistant.ui.console.knowledge_progress import PUBLISH, latest, progress, start_publishing
from assistant.ui.console.knowledge_trial import tried
from assistant.ui.console.place import Place
from knowledge.errors import KnowledgeError

# The fields of the editor, as its functions take and give them.
FIELDS = (
    *("title", "name", "lang", "body", "questions"),
    *("valid_from", "valid_to", "translation_of"),
)


class Drafting:
    """The functions of the editor. Each checks again who calls and what is sent."""

    def __init__(self, frame: Frame) -> None:
        """Take the console in one language."""
        self._frame = frame
        database = frame.desk.conversations.database
        self._drafts, self._audit = Drafts(database), Audit(database)

    def show(self, request: gr.Request) -> list[Any]:
        """Return what the address asks for: a new article, one that is changed, or a draft."""
        self._frame.caller(request)
        place = Place.of("knowledge", request)
        wanted = any(place.get(name) for name in ("new", "edit", "draft"))
        if not wanted or place.get("article") or place.get("change"):
            return self._nothing()
        if not self._frame.may(request, "edit"):
            return self._nothing(self._frame.text("frame.not_edit"))
        try:
            return self._shown(begun(self._frame, place, self._frame.caller(request).name))
        except (ArticleEditError, KnowledgeError) as error:
            return self._nothing(self._frame.refusal(error))

    def keep(
        self, request: gr.Request, given: str, path: str, seen: str, *typed: str
    ) -> tuple[Any, ...]:
        """Keep what was typed as a draft, and say so; what is wrong is said and stays typed."""
        author = self._frame.caller(request, "edit").name
        fields = {name: value or "" for name, value in zip(FIELDS, typed, strict=True)}
        with told(self._frame):
            one = self._kept(author, given, path, seen, fields)
            read_article(one.after, one.path)
            hidden = gr.update(visible=False)
            return (*self._state(one), hidden, hidden)

    def publish(self, given: str, request: gr.Request) -> tuple[str, object]:
        """Begin to check a draft, with its translation's, and to publish what passes."""
        author = self._frame.caller(request, "edit").name
        with told(self._frame):
            one = self._draft(given)
            numbers = [one.id, *(other.id for other in companions(self._drafts, one))]
            start_publishing(self._frame, numbers, author)
        self._audit.note(author, "try to publish", one.path[:80])
        return self.look(given, request)

    def look(self, given: str, request: gr.Request) -> tuple[str, object]:
        """Return how far publishing is."""
        self._frame.caller(request)
        run = latest(self._frame, PUBLISH, given) if given.isdecimal() else None
        is_running = run is not None and run.state == "running"
        return progress(self._frame, run), gr.update(active=is_running)

    def put_aside(self, given: str, request: gr.Request) -> str:
        """Drop a draft."""
        author = self._frame.caller(request, "edit").name
        if given.isdecimal():
            self._drafts.drop(int(given))
            self._audit.note(author, "drop draft", given[:80])
        return self._frame.html("knowledge_dropped.jinja")

    def accept(self, given: str, request: gr.Request) -> tuple[str, object]:
        """Let a draft change what is there now, whose difference was shown."""
        author = self._frame.caller(request, "edit").name
        with told(self._frame):
            one = self._draft(given)
            self._drafts.rebase(one.id, current_text(self._frame.settings.knowledge, one.path))
        self._audit.note(author, "rebase draft", given[:80])
        return self._saved(one), gr.update(visible=False)

    def attempt(self, given: str, question: str, request: gr.Request) -> str:
        """Ask a question of the assistant that serves, and of one that has the draft."""
        self._frame.caller(request, "edit")
        with told(self._frame):
            replies = tried(self._frame, self._draft(given), question)
        return self._frame.html("knowledge_trial.jinja", replies=replies)

    def _kept(
        self, author: str, given: str, path: str, seen: str, fields: dict[str, str]
    ) -> Change:
        name = fields.pop("name").strip()
        wanted = Fields(**fields)
        if given:
            one = self._draft(given)
            text = with_fields(one.after, one.path, wanted)
            if text == one.after:
                return one
            # What was shown is known by when it was saved.
            shown = one.updated if one.updated.isoformat() == seen else one.created
            return self._drafts.save(one.id, text, seen=shown)
        folder = self._frame.settings.knowledge
        if wanted.lang not in ("en", "zh"):
            raise ArticleEditError(self._frame.text("knowledge.which_language"))
        others = [one.path for one in self._drafts.open() if one.lang != wanted.lang]
        target = path or new_path(folder, name, wanted.lang, others)
        inside(folder, target)
        before = current_text(folder, target)
        if before and not path:
            raise ArticleEditError(self._frame.text("knowledge.taken", path=target))
        text = with_fields(before, target, wanted)
        number = self._drafts.begin(target, wanted.lang, before, text, author)
        self._audit.note(author, "draft", str(number))
        return self._drafts.get(number)

    def _draft(self, given: str) -> Change:
        return self._drafts.get(int(given) if given.isdecimal() and len(given) < 10 else 0)  # noqa: PLR2004

    def _state(self, one: Change | None) -> tuple[Any, ...]:
        """Return number, path, when it was saved, what is said of it, and a button's state."""
        if one is None:
            return "", "", "", "", gr.update(visible=False)
        changed = changed_meanwhile(self._frame, one)
        stamp = one.updated.isoformat()
        said = changed or self._saved(one)
        return str(one.id), one.path, stamp, said, gr.update(visible=bool(changed))

    def _saved(self, one: Change) -> str:
        together = [other.path for other in companions(self._drafts, one)]
        lacks = not together and lacks_translation(self._frame, one)
        return self._frame.html("knowledge_saved.jinja", one=one, together=together, lacks=lacks)

    def _shown(self, what: Begun) -> list[Any]:
        one, values = what.draft, dataclasses.asdict(what.fields)
        once = {"name": what.name, "lang": values["lang"]}
        run = latest(self._frame, PUBLISH, str(one.id)) if one else None
        is_running = run is not None and run.state == "running"
        _, _, seen, said, rebase = self._state(one)
        return [
            self._frame.html("knowledge_editor.jinja", path=what.path, draft=one),
            gr.update(visible=True),
            beside(self._frame, what),
            *(str(one.id) if one else "", what.path, seen, said, rebase),
            progress(self._frame, run),
            gr.update(active=is_running),
            *(
                gr.update(value=once[name], visible=not what.path)
                if name in once
                else gr.update(value=values[name])
                for name in FIELDS
            ),
        ]

    def _nothing(self, error: str = "") -> list[Any]:
        head = self._frame.html("knowledge_wrong.jinja", error=error) if error else ""
        hidden, off = gr.update(visible=False), gr.update(active=False)
        return [head, hidden, "", "", "", "", "", hidden, "", off, *(gr.skip() for _ in FIELDS)]
