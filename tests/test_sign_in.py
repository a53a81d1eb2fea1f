"""People of the company who sign in: passwords, sessions, roles, and what is noted of them."""

import pytest
from fastapi.testclient import TestClient

from assistant.desk import Desk
from assistant.errors import SettingsError
from assistant.store.audit import Audit
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.users import Users
from assistant.users import main
from tests.conftest import served
from tests.fakes import Echo

PASSWORD = "a lantern in the fog"
LOCAL = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 5000)}
FAR = {"base_url": "https://bank.example", "client": ("203.0.113.7", 5000)}


@pytest.fixture
def server(store_url):
    database = Database.open(store_url)
    server = served(Desk(Echo(), Conversations(database)))
    server.far = lambda **how: TestClient(server.app, **{**FAR, **how})
    server.local = TestClient(server.app, **LOCAL)
    server.audit = Audit(database)
    yield server
    database.close()


def sign_in(client, name="ann", password=PASSWORD):
    return client.post("/v1/sign-in", json={"name": name, "password": password})


def test_whoever_signed_in_reaches_the_agents_routes_until_they_sign_out(server):
    server.users.add("ann", PASSWORD, "agent")
    browser = server.far()
    assert browser.get("/v1/handoffs").status_code == 401
    response = sign_in(browser)
    assert response.json() == {"name": "ann", "role": "agent"}
    cookie = response.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "secure", "samesite=lax"))
    assert browser.get("/v1/handoffs").status_code == 200
    assert browser.get("/v1/me").json()["name"] == "ann"
    assert browser.get("/metrics").status_code == 403
    browser.post("/v1/sign-out")
    assert browser.get("/v1/handoffs").status_code == 401
    assert [(d.who, d.did) for d in server.audit.latest()] == [("ann", "sign in")]


@pytest.mark.parametrize(
    ("name", "password"), [("ann", "a lantern in the dog"), ("bob", PASSWORD), ("ann", "")]
)
def test_a_wrong_name_or_password_is_refused_in_the_same_words(server, name, password):
    server.users.add("ann", PASSWORD, "agent")
    response = sign_in(server.far(), name, password)
    assert response.status_code == 401
    assert response.json()["error"]["message"] == "Expected a name and its password"
    assert "set-cookie" not in response.headers


def test_wrong_passwords_are_throttled_by_name_and_address(server):
    server.users.add("ann", PASSWORD, "agent")
    assert [sign_in(server.far(), password="wrong").status_code for _ in range(6)] == [401] * 5 + [
        429
    ]
    refused = sign_in(server.far())
    assert refused.status_code == 429, "even the right one"
    assert 0 < int(refused.headers["retry-after"]) <= 15 * 60
    assert sign_in(server.far(client=("203.0.113.8", 1))).status_code == 200, "not from elsewhere"


@pytest.mark.parametrize("change", ["remove", "change"])
def test_a_session_ends_with_its_user_or_password(server, change):
    server.users.add("ann", PASSWORD, "administrator")
    browser = server.far()
    sign_in(browser)
    assert browser.get("/metrics").status_code == 200
    if change == "remove":
        server.users.remove("ann")
    else:
        server.users.change("ann", "another long password")
    assert browser.get("/metrics").status_code == 401


def test_a_session_counts_for_no_other_sites_page_and_is_not_forged(server):
    server.users.add("ann", PASSWORD, "agent")
    browser = server.far()
    sign_in(browser)
    evil = {"origin": "https://evil.example"}
    assert browser.get("/v1/handoffs", headers=evil).status_code == 401
    assert (
        browser.get("/v1/handoffs", headers={"origin": "https://bank.example"}).status_code == 200
    )
    browser.cookies.set("frontdesk_session", "WyJhbm4iLCJ4Il0.aaaa.bbbb", domain="bank.example")
    assert server.far(cookies={"frontdesk_session": "WyJhbm4iLCJ4Il0.aaaa.bbbb"}).get(
        "/v1/handoffs"
    ).status_code == 401  # fmt: skip


def test_this_machine_is_open_until_somebody_can_sign_in(server):
    assert server.local.get("/v1/handoffs").status_code == 200
    assert "administer" in server.local.get("/v1/me").json()["scopes"]
    server.users.add("ann", PASSWORD, "agent")
    assert server.local.get("/v1/handoffs").status_code == 401
    assert server.local.get("/v1/me").json()["scopes"] == ["chat"]
    said = {"messages": [{"role": "user", "content": "a card?"}]}
    assert server.local.post("/v1/chat/completions", json=said).status_code == 200


@pytest.mark.parametrize(
    ("name", "password", "role", "expected"),
    [
        ("ann", "short", "agent", "at least 12 characters, found 5"),
        ("ann", PASSWORD, "king", "a role: agent, editor, administrator; found 'king'"),
        ("  ", PASSWORD, "agent", "1 to 80 characters"),
        ("shop", PASSWORD, "agent", "a new name, found 'shop'"),
    ],
)
def test_a_user_who_cannot_be_added_is_told_why(server, name, password, role, expected):
    server.keys.add("shop", ["agent"])
    with pytest.raises(SettingsError, match=expected):
        server.users.add(name, password, role)
    assert server.users.all() == []


def test_the_command_adds_lists_and_removes(store_url, monkeypatch, capsys):
    monkeypatch.setenv("FRONTDESK_DATABASE", store_url)
    monkeypatch.setattr("sys.stdin", _Piped(f"{PASSWORD}\n"))
    assert main(["add", "ann", "--role", "editor"]) == 0
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("ann: editor, since 2")
    assert PASSWORD not in shown
    database = Database.open(store_url)
    assert Users(database).check("ann", PASSWORD).role == "editor"
    assert main(["remove", "ann"]) == 0
    assert main(["remove", "ann"]) == 2
    assert "Expected the name of a user" in capsys.readouterr().err
    assert [d.did for d in Audit(database).latest()] == ["users remove", "users add"]
    database.close()


def test_the_settings_make_the_administrator_and_change_the_password(server):
    for password in (PASSWORD, PASSWORD, "another long password"):
        server.users.ensure("admin", password)
        assert server.users.check("admin", password).role == "administrator"
    assert server.users.check("admin", PASSWORD) is None


class _Piped:
    def __init__(self, text):
        self._text = text

    def isatty(self):
        return False

    def readline(self):
        return self._text
