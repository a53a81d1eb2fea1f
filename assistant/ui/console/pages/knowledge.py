"""The articles: find, read, write, try and publish them."""

import gradio as gr

from assistant.ui.console import knowledge_article, knowledge_editor, knowledge_list
from assistant.ui.console.frame import Frame


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add the page to the console."""
    with frame.page(console, "knowledge"):
        knowledge_list.build(console, frame)
        knowledge_article.build(console, frame)
        knowledge_editor.build(console, frame)
