"""Finds the adapter that serves: from the settings, promoted, or shipped."""

import contextlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assistant.config import Settings

WEIGHTS = Path(__file__).parent.parent / "weights"
# The adapters that ship, by the last part of the name of the model that they are for.
SHIPPED = {
    "smollm2-135m-instruct": WEIGHTS / "answers",
    "qwen2.5-coder-0.5b-instruct": WEIGHTS / "answers-qwen",
}
FOLDER, POINTER = "adapters", "serving.json"
CONFIG = "adapter_config.json"


def serving_adapter(settings: Settings, model: str) -> Path | None:
    """Return the adapter's folder, or None if the generator has none.

    A promoted or shipped adapter serves only the model that it was made for. Every call reads the
    promotion's file, so a running assistant picks up a promotion.

    Args:
        settings: Its ``adapter`` comes first.
        model: The generator's name.
    """
    if settings.adapter:
        return settings.adapter
    promoted = read_pointer(settings.state).get("serving")
    if promoted:
        folder = Path(settings.state) / FOLDER / str(promoted)
        if _may_serve(folder, model):
            return folder
    shipped = SHIPPED.get(last_part(model))
    return shipped if shipped and (shipped / CONFIG).is_file() else None


def _may_serve(adapter: Path, model: str) -> bool:
    """Return whether an adapter was made for a model; of a damaged one, loading says what is."""
    try:
        return same_model(base_of(adapter), model)
    except (OSError, ValueError, KeyError):
        return True


def base_of(adapter: Path) -> str:
    """Return the name of the model that an adapter was made for.

    Raises:
        OSError: There is no such file.
        ValueError: It is not JSON.
        KeyError: It names no model.
    """
    config = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
    return str(config["base_model_name_or_path"])


def same_model(name: str, other: str) -> bool:
    """Return whether two names end in the same model, wherever it was loaded from."""
    return last_part(name) == last_part(other)


def last_part(name: str) -> str:
    """Return the last part of a model's name, in lower case."""
    return name.rstrip("/").split("/")[-1].lower()


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
