"""A server that is told to stop: turns end, or are marked, within ten seconds."""

import signal
import subprocess
import sys
import time

import httpx
import pytest

from assistant.store.conversations import Conversations
from assistant.store.database import Database
from tests.test_commands import _free_port, _wait

SERVER = """
import sys, time
from assistant.config import load_settings
from assistant.desk import Desk
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.web.run import run
from tests.conftest import served
from tests.fakes import Echo

class Slow(Echo):
    def stream(self, question, history=()):
        for item in super().stream(question, history):
            yield item
            time.sleep(float(sys.argv[3]))

desk = Desk(Slow(), Conversations(Database.open(sys.argv[1])))
settings = load_settings(port=int(sys.argv[2]))
run(served(desk).app, settings, desk.conversations.interrupt_all)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "state"), [(1.0, "answered"), (30.0, "interrupted")])
def test_turns_end_or_are_marked_when_the_server_is_told_to_stop(tmp_path, seconds, state):
    database, port = f"sqlite:///{tmp_path}/frontdesk.db", _free_port()
    server = subprocess.Popen([sys.executable, "-c", SERVER, database, str(port), str(seconds)])
    url = f"http://127.0.0.1:{port}"
    _wait(url, server)
    asked = {"messages": [{"role": "user", "content": "a card?"}], "stream": True}
    try:
        with httpx.stream("POST", f"{url}/v1/chat/completions", json=asked, timeout=40) as response:
            lines = response.iter_lines()
            assert next(lines).startswith("data: ")
            server.send_signal(signal.SIGTERM)
            start = time.monotonic()
            try:
                told = list(lines)
            except httpx.RemoteProtocolError:  # the connection ended with the process
                told = []
        server.wait(timeout=15)
        assert time.monotonic() - start < 10
    finally:
        server.kill()
    assert ("data: [DONE]" in told) == (state == "answered")
    conversations = Conversations(Database.open(database))
    with conversations.database.engine.connect() as connection:
        (conversation,) = connection.exec_driver_sql("SELECT id FROM conversation").scalars()
    assert conversations.messages(conversation)[0].state == state
