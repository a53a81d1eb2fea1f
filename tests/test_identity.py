"""Who a customer is, where the company's site has signed it: over HTTP, and in what is kept."""

import hashlib
import hmac
import json
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from assistant import data
from assistant.config import load_settings
from assistant.desk import Desk
from assistant.errors import SettingsError
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.outbox import Outbox
from assistant.web.tokens import Tokens
from tests.conftest import served
from tests.fakes import Echo
from tests.test_kept_conversations import FAR, LOCAL, ask, told

SECRET = "a secret of the company's site"
OTHER = "the secret of another company"


def signed(user, secret=SECRET):
    """Return what a site hands out for a user; made as docs/widget.md says."""
    made = hmac.new(secret.encode(), user.encode(), hashlib.sha256).hexdigest()
    return {"user": user, "signature": made}


@pytest.fixture
def database(store_url):
    database = Database.open(store_url)
    yield database
    database.close()


@pytest.fixture
def server(database):
    return serving(database, SECRET)


def serving(database, secret):
    outbox = Outbox(database)
    desk = Desk(Echo(), Conversations(database), outbox.tell)
    server = served(desk, identity_secret=secret)
    return SimpleNamespace(
        far=TestClient(server.app, **FAR), local=TestClient(server.app, **LOCAL),
        outbox=outbox, **vars(server),
    )  # fmt: skip


def begun(server, user=None):
    response = server.far.post("/v1/conversations", json=signed(user) if user else None)
    assert response.status_code == 200, response.text
    return response.json()["conversation_id"], response.json()["token"]


def refused(server, body, status=403):
    response = server.far.post("/v1/conversations", json=body)
    assert response.status_code == status, response.text
    return response.json()["error"]["message"]


def test_a_signed_customer_is_known_from_the_first_message_to_the_agent(server):
    conversation, token = begun(server, "42")
    first = told(ask(server.far, "a person please", conversation, token))
    (listed,) = server.local.get("/v1/handoffs").json()["data"]
    assert (listed["conversation"], listed["customer"]) == (conversation, "42")
    read = server.local.get(f"/v1/handoffs/{listed['id']}").json()
    assert read["customer"] == "42"
    assert server.tokens.customer(first["conversation_token"]) == "42", "it goes on with the token"
    assert '"42"' not in server.outbox.claim().body


def test_a_conversation_that_a_signed_customer_begins_with_a_message_is_theirs(server):
    _, token = begun(server, "42")
    conversation = told(ask(server.far, "a card?", bearer=token))["conversation_id"]
    assert rows(server) == [(conversation, "42")]


def test_whoever_is_not_signed_is_anonymous(server):
    for body in (None, {}, {"user": "", "signature": ""}, {"language": "en"}):
        given = server.far.post("/v1/conversations", json=body).json()
        assert server.tokens.customer(given["token"]) == ""
    told(ask(server.far, "a person please", given["conversation_id"], given["token"]))
    assert server.local.get("/v1/handoffs").json()["data"][0]["customer"] == ""


@pytest.mark.parametrize(
    "forged",
    [
        signed("42", OTHER),
        {**signed("42"), "user": "43"},
        {**signed("42"), "user": "42 "},
        {"user": "42", "signature": "0" * 64},
        {"user": "42", "signature": "é"},
    ],
)
def test_a_forged_signature_is_refused(server, forged):
    assert "Expected the signature of this user" in refused(server, forged)
    assert SECRET not in refused(server, forged)


def test_half_of_it_is_refused(server):
    for name in ("user", "signature"):
        assert "found one of them" in refused(server, {name: signed("42")[name]})


def test_without_a_secret_no_signature_is_right(database):
    for secret in (None, ""):
        server = serving(database, secret)
        assert "`identity_secret` is not set" in refused(server, signed("42", secret or ""))
        begun(server)


@pytest.mark.parametrize("user", ["x" * 81, "4\n2", "4\u202e2", "4\x002"])
def test_an_id_is_short_and_printable(server, user):
    refused(server, signed(user), 400)


@pytest.mark.parametrize("user", ["x" * 80, "客户 42", "ann@shop.example"])
def test_any_short_printable_id_will_do(server, user):
    conversation, token = begun(server, user)
    told(ask(server.far, "a card?", conversation, token))
    assert rows(server) == [(conversation, user)]


def test_an_id_opens_no_conversation_that_the_customer_has_no_token_of(server):
    conversation, token = begun(server, "42")
    told(ask(server.far, "a card?", conversation, token))
    for user in ("42", "43"):
        _, other = begun(server, user)
        headers = {"authorization": f"Bearer {other}"}
        assert (
            server.far.get(f"/v1/conversations/{conversation}", headers=headers).status_code == 403
        )
        assert ask(server.far, "mine", conversation, other).status_code == 403


def test_a_token_cannot_be_given_another_customer():
    tokens = Tokens("s", 1)
    token = tokens.sign("abc", "42")
    assert (tokens.read(token), tokens.customer(token)) == ("abc", "42")
    assert (tokens.read(tokens.sign("abc")), tokens.customer(tokens.sign("abc"))) == ("abc", "")
    head, _, rest = tokens.sign("abc", "43").partition(".")
    assert head
    for forged in (f"{head}.{token.partition('.')[2]}", f"{token.partition('.')[0]}.{rest}"):
        with pytest.raises(Exception, match="Begin a new conversation"):
            tokens.customer(forged)


def rows(server):
    with server.desk.conversations.database.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT id, customer FROM conversation ORDER BY created")
        return [tuple(row) for row in found]


def test_a_customers_conversations_go_out_and_away_together(tmp_path, capsys):
    database, state = (
        Database.open(f"sqlite:///{tmp_path}/frontdesk.db"),
        ["--state", str(tmp_path)],
    )
    server = serving(database, SECRET)
    mine, others = [begun(server, "42") for _ in range(2)], [begun(server, "43"), begun(server)]
    for conversation, token in (*mine, *others):
        told(ask(server.far, f"a card for {conversation}?", conversation, token))
    file = tmp_path / "out.json"
    assert data.main(["export", "--customer", "42", "--out", str(file), *state]) == 0
    out = json.loads(file.read_text(encoding="utf-8"))
    ids = [one["conversation"][0]["id"] for one in out["conversations"]]
    assert (out["customer"], ids) == ("42", [conversation for conversation, _ in mine])
    assert not any(conversation in file.read_text("utf-8") for conversation, _ in others)
    assert data.main(["erase", "--customer", "42", *state]) == 0
    assert sorted(rows(server)) == sorted([(others[0][0], "43"), (others[1][0], "")])
    for verb, customer in (("erase", "42"), ("export", "42"), ("erase", ""), ("erase", "%")):
        assert data.main([verb, "--customer", customer, *state]) == 2
    assert "Expected a customer of whom a conversation is kept" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        data.main(["erase", others[0][0], "--customer", "43", *state])
    assert data.main(["audit", *state]) == 0
    assert capsys.readouterr().out.count("terminal: erase") == 2
    database.close()


def test_a_secret_that_can_be_guessed_is_refused_and_not_told(monkeypatch):
    monkeypatch.setenv("FRONTDESK_IDENTITY_SECRET", "swordfish")
    with pytest.raises(SettingsError, match="identity_secret: .*at least 16") as caught:
        load_settings()
    assert "swordfish" not in str(caught.value)
