"""Tells on a page what went wrong with an article, in a sentence and without losing anything."""

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from assistant.articles.errors import ArticleEditError
from assistant.errors import BusyError, SettingsError, StoreError
from assistant.ui.console.frame import Frame
from knowledge.errors import KnowledgeError


@contextmanager
def told(frame: Frame) -> Iterator[None]:
    """Show an error's sentence on the page; what was typed stays there.

    Args:
        frame: The console in one language.

    Raises:
        gr.Error: In place of an error that says what to do.
    """
    try:
        yield
    except (ArticleEditError, BusyError, SettingsError, StoreError, KnowledgeError) as error:
        raise gr.Error(frame.refusal(error), print_exception=False, duration=None) from None
