"""Nothing beyond this machine is contacted, from the start to an answer."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT, STATE

# Every way to another machine begins with one of these.
SERVE = """
import socket, sys
asked = []

def closed(name):
    real = getattr(socket.socket, name)
    def call(self, *given):
        where = given[-1]
        if self.family != socket.AF_UNIX and where[0] not in ("127.0.0.1", "::1", "localhost"):
            asked.append((name, where))
            raise OSError("no way out")
        return real(self, *given)
    setattr(socket.socket, name, call)

for name in ("connect", "connect_ex", "sendto"):
    closed(name)
real_lookup = socket.getaddrinfo
def lookup(host, *given, **how):
    if host not in (None, "", "127.0.0.1", "::1", "localhost", "0.0.0.0"):
        asked.append(("getaddrinfo", host))
        raise OSError("no way out")
    return real_lookup(host, *given, **how)
socket.getaddrinfo = lookup

from fastapi.testclient import TestClient
from assistant.assistant import Assistant
from assistant.config import Settings
from assistant.serve import with_page
from tests.conftest import desk_of, served
server = served(desk_of(Assistant.from_config(Settings(state=sys.argv[1])), sys.argv[2]))
app = with_page(server.app, server.desk, server.access)
with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 5000)) as client:
    assert client.get("/").status_code == 200
    for text in ("how much is a replacement card?", "补一张卡多少钱？"):
        asked_for = {"messages": [{"role": "user", "content": text}]}
        answer = client.post("/v1/chat/completions", json=asked_for).json()
        assert "5" in answer["choices"][0]["message"]["content"], answer
assert not asked, asked
try:
    socket.create_connection(("198.51.100.1", 80), timeout=1)
except OSError:
    assert asked, "the guard does not see what it should"
"""


@pytest.mark.model
def test_serving_contacts_no_other_machine(tmp_path):
    command = [sys.executable, "-c", SERVE, str(STATE), str(tmp_path)]
    done = subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-3000:]
