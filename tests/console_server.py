"""The real application with the console on it, with a scripted answerer or with real models.

`python -m tests.console_server` serves it scripted, to look at the console. On this machine it is
open to all until somebody can sign in.
"""

import os
import sys
import tempfile
import threading
from pathlib import Path

from assistant.assistant import Assistant
from assistant.config import Settings, load_settings
from assistant.serve import with_page
from assistant.ui.console.mount import with_console
from tests.conftest import STATE, desk_of, served
from tests.page_server import Answerer, PageServer, _free_port


class ConsoleServer(PageServer):
    """The application with the console, served from a thread of this process."""

    def __init__(self, folder: Path, **settings) -> None:
        self.answerer = Answerer()
        self.serve(self.answerer, load_settings(state=folder, **settings))

    def serve(self, answerer, settings: Settings) -> None:
        """Serve an assistant with these settings from now on."""
        self.settings = settings
        self.served = served(desk_of(answerer, settings.state))
        self.desk, self.access = self.served.desk, self.served.access
        app = with_console(self.served.app, self.desk, self.access, settings)
        self._app = with_page(app, self.desk, self.access)
        self.port = _free_port()
        self.start()


class RealConsole(ConsoleServer):
    """The console with the real assistant of a small company."""

    def __init__(self, folder: Path, knowledge: Path) -> None:
        # The prepared models are shared; runs and trials are this server's own.
        (STATE / "models").mkdir(parents=True, exist_ok=True)
        (folder / "models").symlink_to(STATE / "models")
        settings = Settings(knowledge=knowledge, state=folder)
        self.serve(Assistant.from_config(settings), settings)


def main() -> None:
    """Serve until interrupted."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        server = ConsoleServer(Path(folder))
        sys.stdout.write(f"{server.url}/console\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
