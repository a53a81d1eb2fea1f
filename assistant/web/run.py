"""Runs the server, and ends it in time: a supervisor that asked it to stop waits only so long."""

import os
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assistant.config import Settings

# Seconds that turns have to end after the signal to stop, and until the process ends in any case.
GRACE, LAST = 7, 9


def run(app: "FastAPI", settings: "Settings", leave: Callable[[], None]) -> None:
    """Serve until a signal says to stop; then let turns end for ``GRACE`` seconds.

    Args:
        app: The application.
        settings: Say where to listen, and which proxies to trust.
        leave: Marks what is still being answered, before the process ends.
    """
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE,
    )
    _Server(config, leave).run()
    leave()


class _Server(uvicorn.Server):
    """A server that waits for no thread longer than ``LAST`` seconds: none can be stopped."""

    def __init__(self, config: uvicorn.Config, leave: Callable[[], None]) -> None:
        super().__init__(config)
        self._leave = leave

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        super().handle_exit(sig, frame)
        threading.Thread(target=self._end, daemon=True, name="end").start()

    def _end(self) -> None:
        threading.Event().wait(LAST)
        try:
            self._leave()
        finally:
            os._exit(0)
