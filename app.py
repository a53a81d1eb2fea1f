"""Serves the chat page and the HTTP interface: ``python app.py``."""

import argparse
import os
import socket
import sys
from collections.abc import Sequence

EPILOG = """examples:
  python app.py
  python app.py --knowledge ./help-centre --port 8080
  python app.py --generator-url http://127.0.0.1:8000/v1 --generator my-model
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the assistant, mount page and API, and serve until stopped."""
    parser = argparse.ArgumentParser(
        prog="python app.py",
        description="Serve the assistant in the browser and over HTTP.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", help="the address to listen on; default 127.0.0.1")
    parser.add_argument("--port", type=int, help="the port to listen on; default 7860")
    from assistant.config import add_arguments

    add_arguments(parser)
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError

    try:
        return _serve(given)
    except (AssistantError, KnowledgeError) as error:
        print(f"app: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


def _serve(given: argparse.Namespace) -> int:
    from assistant.config import settings_of
    from assistant.errors import SettingsError

    # Gradio's own variables, which a Space sets, count unless the command line says otherwise.
    given.host = given.host or os.environ.get("GRADIO_SERVER_NAME")
    given.port = given.port or os.environ.get("GRADIO_SERVER_PORT")
    if "SPACE_ID" in os.environ:
        given.host = given.host or "0.0.0.0"  # noqa: S104  # a Space is reached from outside
        given.state = given.state or ("/data" if os.access("/data", os.W_OK) else None)
    settings = settings_of(given)
    if not _is_free(settings.host, settings.port):
        raise SettingsError(
            f"Expected a free port, but something listens on {settings.host}:{settings.port} "
            f"already. Stop it, or choose another with --port."
        )
    print("Starting: loading the libraries …", flush=True)
    import gradio as gr
    import uvicorn

    from assistant.assistant import Assistant
    from assistant.ui.chat import CSS, I18N, THEME, build_chat
    from assistant.web.api import create_app

    print("Preparing the models and the index …", flush=True)
    assistant = Assistant.from_config(settings)
    app = gr.mount_gradio_app(
        create_app(assistant),
        build_chat(assistant).queue(max_size=64),
        path="/",
        # Otherwise an exception's text would reach anybody, and prompts would be kept.
        show_error=False,
        run_history=False,
        enable_monitoring=False,
        footer_links=[],
        ssr_mode=False,
        i18n=I18N,
        css=CSS,
        theme=THEME,
    )
    print(f"Ready: http://{settings.host}:{settings.port}", flush=True)
    uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning")
    return 0


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
