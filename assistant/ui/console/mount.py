"""Mounts the console on the server, once for each language."""

import warnings
from typing import TYPE_CHECKING

from assistant.config import Settings
from assistant.desk import Desk
from assistant.live_settings import LiveSettings
from assistant.web.access import Access

if TYPE_CHECKING:
    from fastapi import FastAPI

# The largest file that can be uploaded; longer documents are no help articles.
LARGEST = "20mb"


def with_console(
    app: "FastAPI",
    desk: Desk,
    access: Access,
    settings: Settings,
    live: LiveSettings | None = None,
) -> "FastAPI":
    """Return the application with the console on it.

    Args:
        app: The HTTP interface. What is mounted at ``/`` must come later.
        desk: Holds the conversations.
        access: Tells who calls.
        settings: The settings that the server runs with.
        live: What changes them while it runs; None for what the desk alone can change.
    """
    from pathlib import Path

    import gradio as gr

    from assistant.ui.console.console import build_console
    from assistant.ui.console.frame import Frame
    from assistant.ui.console.words import LANGUAGES
    from assistant.web.console_routes import SignInFirst, console_routes, who_works

    app.include_router(console_routes(access))
    app.add_middleware(SignInFirst, access=access)
    here = Path(__file__).parent
    live = live or LiveSettings.of(settings, desk)
    # Gradio says at each mount that it turns off what is off.
    warnings.filterwarnings("ignore", "SSR mode is not supported", UserWarning)
    for lang in LANGUAGES:
        mounted: FastAPI = gr.mount_gradio_app(
            app,
            build_console(Frame(lang, desk, access, settings, live)),
            path=f"/console/{lang}",
            auth_dependency=who_works(access),
            # Its own font has no bold and no Chinese here.
            theme=gr.themes.Default(font=["system-ui", "sans-serif"]),
            css_paths=here / "console.css",
            head='<script type="module" src="/console.js"></script>',
            max_file_size=LARGEST,
            show_error=False,
            run_history=False,
            enable_monitoring=False,
            footer_links=[],
            ssr_mode=False,
        )
    return mounted
