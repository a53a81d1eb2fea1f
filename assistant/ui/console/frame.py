"""What every page of the console has: its words, who looks at it, and how it is drawn."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import gradio as gr
from fastapi import HTTPException
from markupsafe import Markup

from assistant.config import Settings
from assistant.desk import Desk
from assistant.live_settings import LiveSettings
from assistant.store.database import Database
from assistant.store.runs import Runs
from assistant.store.summaries import has_demo
from assistant.ui.console.place import Place
from assistant.ui.console.words import LANGUAGES, Lang, words
from assistant.web.access import Access, Caller

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
# The pages in the order of the navigation: what each is called in an address.
PAGES = ("", "inbox", "conversations", "unanswered", "knowledge", "quality", "settings")


@dataclass(frozen=True, slots=True)
class Frame:
    """The console in one language.

    Attributes:
        lang: The language of its pages.
        desk: Holds the conversations.
        access: Tells who calls.
        settings: The settings that the server runs with.
        live: The settings that change while it runs, and what changes them.
    """

    lang: Lang
    desk: Desk
    access: Access
    settings: Settings
    live: LiveSettings

    @property
    def runs(self) -> Runs:
        """Starts and stops jobs: the same ones for all pages, in both languages."""
        return _runs(self.desk.conversations.database, self.settings.state / "runs")

    def text(self, key: str, **values: object) -> str:
        """Return a text of the pages, such as ``home.title``, with values filled in."""
        return words(self.lang)[key].format(**values)

    def refusal(self, error: Exception) -> str:
        """Return why something was refused, in the page's language where somebody wrote it."""
        return self.refused(getattr(error, "key", ""), getattr(error, "values", {}), str(error))

    def refused(self, key: str, values: Mapping[str, object], message: str) -> str:
        """Return the sentence of an error by its key; its own message for an unknown one."""
        known = words(self.lang).get(f"refusals.{key}")
        return known.format(**values) if known else message

    def html(self, template: str, **values: Any) -> str:
        """Return a template's HTML. Every value is escaped, whoever typed it."""
        return _environment().get_template(template).render(t=self.text, frame=self, **values)

    def caller(self, request: gr.Request, scope: str = "agent") -> Caller:
        """Return who looks or acts.

        Args:
            request: What Gradio hands to a function of a page.
            scope: What they must be allowed to do: agent, edit or administer.

        Raises:
            gr.Error: They signed out, were removed or may not.
        """
        try:
            return self.access.caller(request.request, scope)  # type: ignore[arg-type]
        except HTTPException as error:
            key = "frame.signed_out" if error.status_code == 401 else f"frame.not_{scope}"  # noqa: PLR2004
            raise gr.Error(self.text(key), print_exception=False) from None

    def may(self, request: gr.Request, scope: str) -> bool:
        """Return whether who looks may do something."""
        return scope in self.caller(request).scopes

    def time(self, moment: datetime | None, *, day: bool = False) -> str:
        """Return a time, or a day, in the zone of the company's people; "" for None."""
        if moment is None:
            return ""
        people = self.desk.assistant.responder.company.people
        zone = ZoneInfo(people.timezone) if people else UTC
        return moment.astimezone(zone).strftime("%Y-%m-%d" if day else "%Y-%m-%d %H:%M")

    def demo_banner(self, place: Place) -> Markup:
        """Return what says whether invented conversations are shown, and switches between both.

        Args:
            place: Where somebody is.

        Returns:
            HTML; "" where there are none.
        """
        shown = place.get("demo") == "1"
        if not shown and not has_demo(self.desk.conversations.database):
            return Markup()
        url = place.url(demo=None if shown else 1)
        return Markup(self.html("demo_banner.jinja", shown=shown, url=url))  # noqa: S704  # escaped

    @contextmanager
    def page(self, console: gr.Blocks, name: str) -> Iterator[None]:
        """Add what is built inside to the console as a page, below the navigation.

        Args:
            console: The console.
            name: One of ``PAGES``.
        """
        title = self.text(f"frame.{name or 'home'}")
        where = console.route(title, name) if name else console
        with where:
            gr.HTML(self.html("navigation.jinja", here=name, pages=PAGES, languages=LANGUAGES))
            yield


@cache
def _runs(database: Database, folder: Path) -> Runs:
    # Others would take what these have started for abandoned, and could not stop it.
    return Runs(database, folder)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
