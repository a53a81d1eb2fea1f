"""Serves the chat page and the HTTP interface: ``frontdesk serve`` or ``python app.py``."""

import argparse
import logging
import os
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assistant.config import Settings

logger = logging.getLogger(__name__)

EPILOG = """examples:
  %(prog)s
  %(prog)s --knowledge ./help-centre --port 8080
  %(prog)s --generator-url http://127.0.0.1:8000/v1 --generator my-model
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.serve") -> int:
    """Serve until stopped; return 2 if the settings or the folder cannot be used."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Serve the assistant in the browser and over HTTP.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    from assistant.config import ServeOptions, add_arguments

    add_arguments(parser, ServeOptions)
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError

    try:
        return _serve(given)
    except (AssistantError, KnowledgeError, OSError) as error:
        print(f"serve: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


def _serve(given: argparse.Namespace) -> int:
    from assistant.config import settings_of
    from assistant.errors import SettingsError

    _add_environment(vars(given))
    settings = settings_of(given)
    if not _is_free(settings.host, settings.port):
        raise SettingsError(
            f"Expected a free port, but {settings.host}:{settings.port} is in use or not an "
            f"address of this machine. Stop what listens there, or choose another --port or --host."
        )
    print("Starting: loading the libraries …", flush=True)
    import uvicorn

    app = _app(settings)
    print(f"Ready: http://{settings.host}:{settings.port}", flush=True)
    uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning")
    return 0


def _add_environment(given: dict[str, Any]) -> None:
    """Add what a Hugging Face Space sets, unless the command line says otherwise."""
    for name, variable in (("host", "GRADIO_SERVER_NAME"), ("port", "GRADIO_SERVER_PORT")):
        if os.environ.get(variable):
            given.setdefault(name, os.environ[variable])
    if "SPACE_ID" in os.environ:
        given.setdefault("host", "0.0.0.0")  # noqa: S104  # a Space is reached from outside
        if os.access("/data", os.W_OK):
            given.setdefault("state", "/data")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _app(settings: "Settings") -> "FastAPI":
    import gradio as gr

    from assistant.assistant import Assistant
    from assistant.desk import Desk
    from assistant.secret_key import secret_key
    from assistant.store.conversations import Conversations
    from assistant.store.database import Database
    from assistant.store.keys import Keys
    from assistant.store.retention import purge_daily
    from assistant.ui.chat import CSS, I18N, THEME, build_chat
    from assistant.web.access import Access
    from assistant.web.api import create_app
    from assistant.web.gate import Gate
    from assistant.web.tokens import Tokens

    # A database that cannot be used is told before the models are loaded.
    database = Database.open(settings.database_url)
    purge_daily(database, settings.keep_days, lambda error: logger.error("not purged: %s", error))
    given = settings.secret_key.get_secret_value() if settings.secret_key else None
    tokens = Tokens(secret_key(settings.state, given), settings.keep_days)
    print(f"Preparing the models and the index in {settings.state.resolve()} …", flush=True)
    assistant = Assistant.from_config(settings)
    desk = Desk(assistant, Conversations(database))
    desk.handover.remind_always()
    gate = Gate(settings.at_once, settings.queue, settings.patience)
    app: FastAPI = gr.mount_gradio_app(
        create_app(desk, Access(Keys(database), tokens), tokens, gate, settings.allowed_origins),
        build_chat(desk, tokens).queue(max_size=64),
        path="/",
        # Visitors must not see an exception's text, and prompts must not be kept.
        show_error=False,
        run_history=False,
        enable_monitoring=False,
        footer_links=[],
        ssr_mode=False,
        i18n=I18N,
        css=CSS,
        theme=THEME,
    )
    return app


if __name__ == "__main__":
    sys.exit(main())
