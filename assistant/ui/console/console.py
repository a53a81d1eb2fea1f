"""The console as Gradio hosts it: one page for each file in ``pages/``."""

import gradio as gr

from assistant.ui.console.frame import Frame
from assistant.ui.console.pages import (
    conversations,
    home,
    inbox,
    knowledge,
    quality,
    settings,
    unanswered,
)


def build_console(frame: Frame) -> gr.Blocks:
    """Return the console in the language of a frame."""
    company = frame.desk.assistant.responder.company.name
    title = (
        f"{frame.text('frame.title')} · {company.get(frame.lang) or next(iter(company.values()))}"
    )
    console = gr.Blocks(analytics_enabled=False, title=title)
    for page in (home, inbox, conversations, unanswered, knowledge, quality, settings):
        page.build(console, frame)
    return console
