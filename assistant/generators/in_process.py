"""What generators in this process have in common."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assistant.errors import GeneratorError


class InProcess:
    """A model on this machine, with an optional adapter; it writes one text at a time."""

    def __init__(
        self, name: str, languages: frozenset[str], adapter: Callable[[], Path | None]
    ) -> None:
        """Take what replies record of it, its languages, and what returns its current adapter."""
        self._name, self._languages, self._adapter = name, languages, adapter
        # One call at a time: the model has one adapter switch, and cores are few. Text is written
        # by a thread of its own, so that a stalled reader never holds the lock.
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="generator")

    @property
    def name(self) -> str:
        """The name that replies record."""
        return self._name

    @property
    def languages(self) -> frozenset[str]:
        """The languages that the model speaks."""
        return self._languages

    @property
    def has_adapter(self) -> bool:
        """Whether ``adapter=True`` is possible."""
        return self._adapter() is not None

    @property
    def is_remote(self) -> bool:
        """False: no text leaves this machine."""
        return False

    def _wanted(self, adapter: bool) -> Path | None:  # as ``generate`` was called
        """Return the adapter that a call uses, None for none.

        Raises:
            GeneratorError: It wants one, and there is none.
        """
        wanted = self._adapter() if adapter else None
        if adapter and not wanted:
            raise GeneratorError(
                "Expected an adapter for this generator, found none. Set `adapter`."
            )
        return wanted
