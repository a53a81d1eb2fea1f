"""Serves the chat page and the HTTP interface: ``frontdesk serve`` or ``python app.py``."""

import argparse
import logging
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assistant.config import Settings
    from assistant.desk import Desk
    from assistant.web.access import Access
    from assistant.web.turns import Turns

# The user whose password the settings may hold.
ADMIN = "admin"

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
    if not is_free(settings.host, settings.port):
        raise SettingsError(
            f"Expected a free port, but {settings.host}:{settings.port} is in use or not an "
            f"address of this machine. Stop what listens there, or choose another --port or --host."
        )
    print("Starting: loading the libraries …", flush=True)
    from assistant.web.logs import log
    from assistant.web.run import run

    log(settings.logs)
    app, desk = _app(settings)
    print(f"Ready: http://{settings.host}:{settings.port}", flush=True)
    run(app, settings, desk.conversations.interrupt_all)
    return 0


def _add_environment(given: dict[str, Any]) -> None:
    """Add what a Hugging Face Space sets, unless the command line says otherwise."""
    for name, variable in (("host", "GRADIO_SERVER_NAME"), ("port", "GRADIO_SERVER_PORT")):
        if os.environ.get(variable):
            given.setdefault(name, os.environ[variable])
    if "SPACE_ID" in os.environ:
        given.setdefault("host", "0.0.0.0")  # noqa: S104  # a Space is reached from outside
        # Through its own proxy alone, which says where from; else all visitors count as one.
        os.environ.setdefault("FRONTDESK_TRUSTED_PROXIES", '["*"]')
        if os.access("/data", os.W_OK):
            given.setdefault("state", "/data")


def is_free(host: str, port: int) -> bool:
    """Return whether a server can listen at an address of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _app(settings: "Settings") -> "tuple[FastAPI, Desk]":
    from assistant.assistant import Assistant
    from assistant.chatwoot import Chatwoot
    from assistant.chatwoot_bot import ChatwootBot
    from assistant.desk import Desk
    from assistant.live_settings import LiveSettings
    from assistant.secret_key import revealed, secret_key
    from assistant.store.contacts import Contacts
    from assistant.store.conversations import Conversations
    from assistant.store.database import Database
    from assistant.store.retention import purge_daily
    from assistant.web.access import Access
    from assistant.web.api import create_app
    from assistant.web.chatwoot_routes import chatwoot_routes
    from assistant.web.identity import Identity
    from assistant.web.tokens import Tokens
    from assistant.webhook import WebhookSender

    # A database that cannot be used is told before the models are loaded.
    database = Database.open(settings.database_url)
    webhook, chatwoot = WebhookSender.of(settings, database), Chatwoot.of(settings)
    secret = secret_key(settings.state, revealed(settings.secret_key))
    tokens = Tokens(secret, settings.keep_days)
    purge_daily(database, lambda: tokens.days, lambda error: logger.error("not purged: %s", error))
    access = Access.open(database, tokens, secret)
    _tell_who_may(access, settings)
    print(f"Preparing the models and the index in {settings.state.resolve()} …", flush=True)
    tell = webhook.outbox.tell if webhook else None
    desk = Desk(Assistant.from_config(settings), Conversations(database), tell)
    desk.handover.remind_always()
    if webhook:
        webhook.deliver_always()
    turns = _turns(settings, desk)
    live = LiveSettings.of(settings, desk)
    sealed_with = revealed(settings.contact_key) or secret
    contacts = Contacts(database, sealed_with, settings.contact_days)
    live.on("per_minute", turns.limits.allow)
    live.on("keep_days", lambda days: setattr(tokens, "days", days))
    live.on("contact_days", lambda days: setattr(contacts, "days", days))
    live.look_always()
    identity = Identity(revealed(settings.identity_secret))
    app = create_app(desk, access, turns, contacts, settings.allowed_origins, identity)
    if chatwoot:
        bot = ChatwootBot(desk, chatwoot, settings.public_url)
        app.include_router(chatwoot_routes(bot, turns))
    from assistant.ui.console.mount import with_console

    # Before the page at /, which takes every other address.
    app = with_console(app, desk, access, settings, live)
    return with_page(app, desk, access, settings.knowledge), desk


def _turns(settings: "Settings", desk: "Desk") -> "Turns":
    from assistant.web.gate import Gate
    from assistant.web.limits import Limits
    from assistant.web.metrics import Metrics
    from assistant.web.turns import Turns

    gate = Gate(settings.at_once, settings.queue, settings.patience)
    handoffs = desk.handover.handoffs
    metrics = Metrics(gate, lambda: len(handoffs.all(["waiting"])))
    return Turns(gate, Limits(settings.per_minute), metrics)


def _tell_who_may(access: "Access", settings: "Settings") -> None:
    """Make the administrator of the settings, and say so while agents' routes are open."""
    from assistant.secret_key import revealed

    password = revealed(settings.admin_password)
    if password:
        access.sessions.users.ensure(ADMIN, password)
    if access.is_open():
        print(
            "Nobody can sign in yet: agents' routes are open on this machine and closed to others. "
            "`frontdesk users add NAME` changes that.",
            flush=True,
        )


def with_page(
    app: "FastAPI", desk: "Desk", access: "Access", knowledge: Path | None = None
) -> "FastAPI":
    """Return the application with the chat page on it.

    Args:
        app: The HTTP interface.
        desk: Holds the conversations.
        access: Says how long tokens are good for.
        knowledge: The knowledge folder, which has the company's logo if there is one.
    """
    import gradio as gr

    from assistant.ui.chat import build_chat, page_head
    from assistant.ui.head import WithHead
    from assistant.web.page_routes import page_routes

    responder = desk.assistant.responder
    logo = responder.company.look.logo
    # Before the page itself, which takes every other address.
    app.include_router(page_routes(knowledge / logo if knowledge and logo else None))

    def head() -> str:
        """Return the page's head, which tells settings that change while the server runs."""
        return page_head(responder.company, access.tokens.days, responder.max_characters)

    app.add_middleware(WithHead, head=head)
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build_chat(responder.company),
        path="/",
        # Visitors must not see an exception's text, and prompts must not be kept.
        show_error=False,
        run_history=False,
        enable_monitoring=False,
        footer_links=[],
        ssr_mode=False,
    )
    return mounted


if __name__ == "__main__":
    sys.exit(main())
