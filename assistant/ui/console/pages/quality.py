"""Quality of the console: whether its probabilities are right, and what evaluations say."""

import gradio as gr

from assistant.ui.console import (
    quality_adapters,
    quality_caution,
    quality_evaluations,
    quality_run,
    quality_trust,
)
from assistant.ui.console.frame import Frame


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add the page to the console."""
    with frame.page(console, "quality"):
        gr.HTML(frame.html("quality_title.jinja"))
        quality_run.build(console, frame)
        quality_trust.build(console, frame)
        quality_caution.build(console, frame)
        quality_evaluations.build(console, frame)
        quality_adapters.build(console, frame)
