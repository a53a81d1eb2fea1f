"""What every part of the page Settings is: what it draws, and what draws it anew."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant.errors import AssistantError
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import Place

PAGE = "settings"
# Nothing of the console is advertised as what programs may call, and a refusal must not cover the
# form with what is to be put right.
HIDDEN: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page.

    Attributes:
        outputs: Its components that change.
        show: Returns their values, for who looks and the address.
    """

    outputs: Sequence[Any]
    show: Callable[[gr.Request, Place], Sequence[Any]]


def administrator(frame: Frame, request: gr.Request) -> str:
    """Return the name of who acts.

    Raises:
        gr.Error: They may not change settings.
    """
    caller = frame.caller(request, "administer")
    return caller.name or caller.kind


@contextmanager
def refusing(frame: Frame) -> Iterator[None]:
    """Tell in the page's language what the block could not do, with the reason that it gives.

    Raises:
        gr.Error: It could not.
    """
    try:
        yield
    except AssistantError as error:
        reason = frame.text("settings.refused", reason=frame.refusal(error))
        raise gr.Error(reason, print_exception=False) from None


def told(frame: Frame, key: str = "", **values: object) -> str:
    """Return the HTML that says what was done; nothing without a key."""
    said = frame.text(f"settings.{key}", **values) if key else ""
    return frame.html("settings_told.jinja", said=said)
