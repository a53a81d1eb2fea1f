"""Lets what is changed in the console take effect in servers that run."""

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from assistant.config import KEEPABLE, Settings
from assistant.desk import Desk
from assistant.errors import StoreError
from assistant.store.kept_settings import KeptSettings
from assistant.wording import PEOPLE, check_wording, original_sayings

# Seconds between two looks for what another process has changed.
LOOK = 2.0

logger = logging.getLogger(__name__)


class LiveSettings:
    """The settings of a running server.

    Attributes:
        settings: As they are now, and where each value comes from.
        kept: Keeps what is changed.
    """

    def __init__(self, settings: Settings, kept: KeptSettings) -> None:
        """Take the settings that the server began with, and what keeps changes."""
        self.settings, self.kept = settings, kept
        self._began = settings
        self._changes: dict[str, Callable[[Any], None]] = {}
        self._reword: Callable[[Mapping[str, Any]], None] = lambda _: None
        self._seen: Mapping[str, Any] = {}
        self._turn = threading.Lock()

    @classmethod
    def of(cls, settings: Settings, desk: Desk) -> "LiveSettings":
        """Return the settings of a desk, with what is kept of them in effect."""
        live = cls(settings, KeptSettings(desk.conversations.database))
        assistant = desk.assistant
        live.on("caution", assistant.finder.policy.weigh)
        for name in ("strategy", "max_characters"):
            live.on(name, partial(setattr, assistant.responder, name))
        live._reword = Reworded(desk).apply
        live.look()
        return live

    def on(self, name: str, change: Callable[[Any], None]) -> None:
        """Say what puts a setting into effect while the server runs.

        Args:
            name: One of ``KEEPABLE``.
            change: Gets the new value. Values of now are in effect already.
        """
        self._changes[name] = change

    def is_live(self, name: str) -> bool:
        """Return whether a change takes effect at once; else it waits for a restart."""
        return name in self._changes

    def waits(self, name: str) -> bool:
        """Return whether a changed value waits for a restart."""
        old, new = getattr(self._began, name), getattr(self.settings, name)
        return not self.is_live(name) and bool(old != new)

    def set(self, name: str, value: Any, author: str) -> None:
        """Keep a value and put it into effect. Raises as ``KeptSettings.set``."""
        self.kept.set(name, value, author)
        self.look()

    def unset(self, name: str, author: str) -> None:
        """Let the file's value count again, in effect too. Raises as ``KeptSettings.unset``."""
        self.kept.unset(name, author)
        self.look()

    def look(self) -> None:
        """Put what was changed since the last look into effect.

        Raises:
            StoreError: The database cannot be read.
        """
        with self._turn:
            kept = self.kept.all()
            if kept == self._seen:
                return
            old, self.settings = self.settings, self.settings.with_kept(kept)
            self._seen = kept
            for name in KEEPABLE:
                value = getattr(self.settings, name)
                if name in self._changes and value != getattr(old, name):
                    self._changes[name](value)
            self._reword(kept)

    def look_always(self) -> None:
        """Look again and again in the background, for what other processes change."""

        def work() -> None:
            while True:
                threading.Event().wait(LOOK)
                try:
                    self.look()
                except StoreError as error:
                    logger.error("settings could not be read: %s", error)

        threading.Thread(target=work, daemon=True, name="settings").start()


class Reworded:
    """Puts changed opening hours, greetings and sayings into a running desk, and old ones back."""

    def __init__(self, desk: Desk) -> None:
        """Take a desk whose wording is that of the files."""
        self._assistant = desk.assistant
        company = desk.assistant.responder.company
        self._people, self._greeting = company.people, dict(company.greeting)

    def apply(self, kept: Mapping[str, Any]) -> None:
        """Use the kept wording, and the files' for all else.

        Args:
            kept: Values by name; what is not right any more is left out and logged.
        """
        from assistant.company import People
        from assistant.errors import SettingsError

        right = {}
        for name, value in kept.items():
            if name in KEEPABLE:
                continue
            try:
                right[name] = check_wording(name, value)
            except SettingsError as error:
                logger.warning("what the console keeps is left out: %s", error)
        responder = self._assistant.responder
        company = responder.company
        company.people = People(**right[PEOPLE]) if PEOPLE in right else self._people
        greetings = {lang: right.get(f"greeting.{lang}") for lang in ("en", "zh")}
        company.greeting = {**self._greeting, **{k: v for k, v in greetings.items() if v}}
        for lang, sayings in responder.sayings.items():
            for name, text in original_sayings()[lang].items():
                sayings.sayings[name] = right.get(f"saying.{lang}.{name}", text)
