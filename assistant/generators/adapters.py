"""Finds the adapter that serves: from the settings, promoted, or shipped."""

import contextlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assistant.config import Settings

SHIPPED = Path(__file__).parent.parent / "weights" / "answers"
FOLDER, POINTER = "adapters", "serving.json"


def serving_adapter(settings: Settings) -> Path | None:
    """Return the adapter's folder, or None if the generator has none.

    The shipped adapter fits the default generator only. Every call reads the promotion's file, so
    a running assistant picks up a promotion.
    """
    if settings.adapter:
        return settings.adapter
    if settings.generator:
        return None
    promoted = read_pointer(settings.state).get("serving")
    if promoted:
        return Path(settings.state) / FOLDER / str(promoted)
    return SHIPPED if (SHIPPED / "adapter_config.json").is_file() else None


def read_pointer(state: Path) -> dict[str, Any]:
    """Return what ``tuning.promote`` wrote: ``serving`` and ``former``, folders in ``FOLDER``."""
    file = state / FOLDER / POINTER
    if not file.is_file():
        return {}
    pointer: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return pointer


@contextlib.contextmanager
def quiet_loading() -> Iterator[None]:
    """Silence two expected warnings: an adapter lacks base weights, and is not the first one."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.set_verbosity(before)
