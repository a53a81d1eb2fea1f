"""The real application with the console on it, and a scripted answerer instead of models.

`python -m tests.console_server` serves it, to look at the console. On this machine it is open to
all until somebody can sign in.
"""

import os
import sys
import tempfile
import threading
from pathlib import Path

from assistant.config import load_settings
from assistant.serve import with_page
from assistant.ui.console.mount import with_console
from tests.conftest import desk_of, served
from tests.page_server import Answerer, PageServer, _free_port


class ConsoleServer(PageServer):
    """The application with the console, served from a thread of this process."""

    def __init__(self, folder: Path, **settings) -> None:
        self.answerer = Answerer()
        self.served = served(desk_of(self.answerer, folder))
        self.desk, self.access = self.served.desk, self.served.access
        self.settings = load_settings(state=folder, **settings)
        app = with_console(self.served.app, self.desk, self.access, self.settings)
        self._app = with_page(app, self.desk, self.access)
        self.port = _free_port()
        self.start()


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
