"""Conversations that are kept, over HTTP: who may open them, and what is kept when."""

import threading
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from assistant.desk import Desk
from assistant.errors import BusyError, ConversationError, StoreError
from assistant.messages import Message
from assistant.secret_key import secret_key
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.web.tokens import Tokens
from tests.conftest import served
from tests.fakes import Echo

LOCAL = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 5000)}
FAR = {"base_url": "http://bank.example", "client": ("203.0.113.7", 5000)}


@pytest.fixture
def server(store_url):
    database = Database.open(store_url)
    desk = Desk(Echo(), Conversations(database))
    server = served(desk)
    yield SimpleNamespace(
        local=TestClient(server.app, **LOCAL, raise_server_exceptions=False),
        far=TestClient(server.app, **FAR, raise_server_exceptions=False),
        **vars(server),
    )
    database.close()


def ask(client, text, conversation=None, bearer="", key="", **more):
    body = {"messages": [{"role": "user", "content": text}], "conversation_id": conversation}
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    headers |= {"idempotency-key": key} if key else {}
    return client.post("/v1/chat/completions", json={**body, **more}, headers=headers)


def told(response):
    assert response.status_code == 200, response.text
    return response.json()["frontdesk"]


def test_a_conversation_goes_on_with_its_id(server):
    first = told(ask(server.local, "my card 4111 1111 1111 1111"))
    second = told(ask(server.local, "and abroad?", first["conversation_id"]))
    assert (first["number"], second["number"]) == (2, 4)
    assert second["text"] == "2: and abroad?"
    assert server.desk.assistant.known[1][0] == Message("user", "my card [card]")
    kept = server.local.get(f"/v1/conversations/{first['conversation_id']}").json()
    assert [m["content"] for m in kept["messages"]][:2] == ["my card [card]", first["text"]]
    assert kept["messages"][3]["frontdesk"]["action"] == "answer"


def test_a_client_with_a_history_of_its_own_is_not_kept(server):
    messages = [
        {"role": "user", "content": "a card?"},
        {"role": "assistant", "content": "It costs £5."},
        {"role": "user", "content": "and abroad?"},
    ]
    response = server.local.post("/v1/chat/completions", json={"messages": messages})
    assert told(response)["conversation_id"] is None


def test_a_stream_is_kept_and_the_same_key_gives_the_same_reply(server):
    response = ask(server.local, "a card?", key="k1", stream=True)
    assert response.text.endswith("data: [DONE]\n\n")
    conversation = server.desk.begin("x", "api")
    first = told(ask(server.local, "a card?", conversation, key="k1"))
    again = told(ask(server.local, "a card?", conversation, key="k1"))
    assert (again["text"], again["number"]) == (first["text"], first["number"])
    assert len(server.desk.conversations.messages(conversation)) == 2


def test_a_turn_that_fails_is_interrupted_and_can_be_asked_again(server):
    conversation = server.desk.begin("x", "api")
    server.desk.assistant.broken = True
    assert "secret" not in ask(server.local, "a card?", conversation, stream=True).text
    assert server.desk.conversations.messages(conversation)[0].state == "interrupted"
    server.desk.assistant.broken = False
    *_, reply = server.desk.again(conversation)
    assert reply.text == "0: a card?"
    assert list(server.desk.again(conversation)) == []


def test_a_changed_message_follows_what_was_said_before_it(server):
    conversation = server.desk.begin("x", "page")
    for text in ("one", "two", "three"):
        list(server.desk.serve(conversation, text))
    *_, reply = server.desk.serve(conversation, "two, changed", after=2)
    assert reply.text == "2: two, changed"
    assert len(server.desk.conversations.messages(conversation)) == 8, "nothing is lost"
    list(server.desk.serve(conversation, "four"))
    known = [message.text for message in server.desk.assistant.known[-1]]
    assert known == ["one", "0: one", "two, changed", "2: two, changed"]


def test_what_a_person_said_is_not_replaced(server):
    conversation = server.desk.begin("x", "page")
    list(server.desk.serve(conversation, "one"))
    server.desk.conversations.say(conversation, "Hello", "person", "ann")
    *_, reply = server.desk.serve(conversation, "one, changed", after=0)
    assert reply.text == "0: one, changed"
    list(server.desk.serve(conversation, "two"))
    known = [message.text for message in server.desk.assistant.known[-1]]
    assert known == ["Hello", "one, changed", "0: one, changed"]


def test_a_changed_message_that_was_interrupted_follows_the_same_one(server):
    conversation = server.desk.begin("x", "page")
    for text in ("one", "two"):
        list(server.desk.serve(conversation, text))
    stream = server.desk.serve(conversation, "two!", after=2)
    next(stream)
    stream.close()
    *_, reply = server.desk.again(conversation)
    assert (reply.text, reply.asked, reply.number) == ("2: two!", 5, 6)


def test_whoever_stops_reading_leaves_the_message_interrupted(server):
    conversation = server.desk.begin("x", "api")
    stream = server.desk.serve(conversation, "a card?")
    next(stream)
    with pytest.raises(BusyError):
        next(server.desk.again(conversation))
    stream.close()
    assert server.desk.conversations.messages(conversation)[0].state == "interrupted"


def test_nothing_is_answered_that_cannot_be_kept(server, monkeypatch):
    def full(*_, **__):
        raise StoreError("found: database or disk is full")

    monkeypatch.setattr(server.desk.conversations, "ask", full)
    response = ask(server.local, "a card?", server.desk.begin("x", "api"))
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "not_kept"
    assert "disk" not in response.text


def test_an_invalid_message_begins_no_conversation(server):
    response = ask(server.local, "???")
    assert response.status_code == 400
    with server.desk.conversations.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM conversation").scalar() == 0


def bearer_of(server, who, conversation, other):
    if who.startswith("key"):
        return server.keys.add(who, ["metrics" if who == "key for metrics" else "chat"])
    known = {
        "own token": server.tokens.sign(conversation),
        "other token": server.tokens.sign(other),
    }
    forged = {"forged token": Tokens("t", 1).sign(conversation), "no key": "", "wrong key": "fd-x"}
    return {**known, **forged}[who]


CALLS = {
    "ask": lambda c, i, h: c.post(
        "/v1/chat/completions",
        json={"messages": [{"role": "user", "content": "hi"}], "conversation_id": i},
        headers=h,
    ),
    "read": lambda c, i, h: c.get(f"/v1/conversations/{i}", headers=h),
    "judge": lambda c, i, h: c.post(
        "/v1/feedback", json={"conversation_id": i, "number": 2, "thumb": "up"}, headers=h
    ),
    "delete": lambda c, i, h: c.delete(f"/v1/conversations/{i}", headers=h),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("no key", 401),
        ("wrong key", 401),
        ("forged token", 401),
        ("other token", 403),
        ("own token", 200),
        ("key", 200),
        ("key for metrics", 403),
    ],
)
def test_who_may_from_another_machine(server, who, status, call):
    conversation, other = server.desk.begin("x", "page"), server.desk.begin("x", "page")
    list(server.desk.serve(conversation, "a card?"))
    bearer = bearer_of(server, who, conversation, other)
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    response = CALLS[call](server.far, conversation, headers)
    assert response.status_code == (204 if (status, call) == (200, "delete") else status)
    if status != 200:
        assert set(response.json()["error"]) == {"message", "type", "code", "param"}
        assert "a card?" not in response.text
        assert len(server.desk.conversations.messages(conversation)) == 2


@pytest.mark.parametrize(
    "headers",
    [{"x-forwarded-for": "203.0.113.7"}, {"forwarded": "for=1"}, {"host": "evil.example"}],
)
def test_what_comes_through_a_proxy_or_under_another_name_is_not_local(server, headers):
    assert server.local.get("/v1/conversations/" + "0" * 32).status_code == 404
    assert server.local.get("/v1/conversations/" + "0" * 32, headers=headers).status_code == 401


def test_a_customers_token_opens_its_conversation_alone_on_this_machine_too(server):
    mine, other = (server.desk.begin("x", "page") for _ in range(2))
    headers = {"authorization": f"Bearer {server.tokens.sign(mine)}"}
    assert server.local.get(f"/v1/conversations/{mine}", headers=headers).status_code == 200
    assert server.local.get(f"/v1/conversations/{other}", headers=headers).status_code == 403


def test_a_revoked_key_is_refused(server):
    key = server.keys.add("crm", ["chat"])
    headers = {"authorization": f"Bearer {key}"}
    conversation = server.desk.begin("x", "api")
    assert server.far.get(f"/v1/conversations/{conversation}", headers=headers).status_code == 200
    server.keys.revoke("crm")
    assert server.far.get(f"/v1/conversations/{conversation}", headers=headers).status_code == 401
    assert [(k.name, k.revoked is not None) for k in server.keys.all()] == [("crm", True)]


def test_feedback_is_kept_and_shown(server):
    first = told(ask(server.local, "a card?"))
    place = {"conversation_id": first["conversation_id"], "number": first["number"]}
    said = {**place, "thumb": "down", "reason": "not what I asked", "rating": 2}
    assert server.local.post("/v1/feedback", json=said).json() == {"status": "kept"}
    kept = server.local.get(f"/v1/conversations/{first['conversation_id']}").json()
    assert kept["messages"][1]["thumb"] == "down"
    for wrong, status in (({**place, "number": 1}, 404), ({"conversation_id": "0" * 32}, 400)):
        assert server.local.post("/v1/feedback", json=wrong).status_code == status


def test_a_deleted_conversation_is_gone(server):
    conversation = told(ask(server.local, "a card?"))["conversation_id"]
    assert server.local.delete(f"/v1/conversations/{conversation}").status_code == 204
    assert server.local.get(f"/v1/conversations/{conversation}").status_code == 404
    assert ask(server.local, "hi", conversation).json()["error"]["code"] == "no_conversation"


def test_the_token_of_a_deleted_conversation_begins_nothing(server):
    given = server.far.post("/v1/conversations").json()
    conversation, token = given["conversation_id"], given["token"]
    latest = told(ask(server.far, "a card?", conversation, token))["conversation_token"]
    headers = {"authorization": f"Bearer {latest}"}
    assert server.far.delete(f"/v1/conversations/{conversation}", headers=headers).is_success
    for known in (token, latest):
        refused = ask(server.far, "hi", conversation, known)
        assert refused.status_code == 404
        assert "Begin a new conversation." in refused.json()["error"]["message"]
    assert not server.desk.conversations.has(conversation)
    # One that nobody has written to is no deleted one.
    given = server.far.post("/v1/conversations").json()
    headers = {"authorization": f"Bearer {given['token']}"}
    path = f"/v1/conversations/{given['conversation_id']}"
    assert server.far.delete(path, headers=headers).is_success
    assert ask(server.far, "a card?", given["conversation_id"], given["token"]).is_success


def test_two_customers_never_see_each_others_words(server):
    """Markers of eight customers who talk at the same time."""

    def talk(number):
        conversation = server.desk.begin("x", "page")
        for turn in range(6):
            list(server.desk.serve(conversation, f"marker-{number}-{turn}"))
        known[number] = server.desk.conversations.messages(conversation)

    known = {}
    threads = [threading.Thread(target=talk, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, messages in known.items():
        assert len(messages) == 12
        assert all(f"marker-{number}-" in message.text for message in messages)
    for history in server.desk.assistant.known:
        assert len({message.text.split("marker-")[1][0] for message in history}) <= 1


def test_a_token_is_ours_and_not_too_old():
    tokens = Tokens("s", 1)
    token = tokens.sign("abc")
    assert tokens.read(token) == "abc"
    for reader, wrong in [
        (tokens, token[:-1]),
        (tokens, ""),
        (tokens, "abc"),
        (tokens, Tokens("t", 1).sign("abc")),
        (Tokens("s", -1), token),
    ]:
        with pytest.raises(ConversationError, match="Begin a new conversation"):
            reader.read(wrong)


def test_the_secret_is_made_once_and_can_be_read_by_its_owner_alone(tmp_path):
    first = secret_key(tmp_path / "state")
    assert secret_key(tmp_path / "state") == first
    assert len(first) > 40
    assert (tmp_path / "state" / "secret.key").stat().st_mode & 0o077 == 0
    assert secret_key(tmp_path, "given") == "given"
    assert len(list((tmp_path / "state").iterdir())) == 1


def test_a_turn_too_many_is_refused_with_the_time_to_come_back(server, monkeypatch):
    monkeypatch.setattr(server.gate, "_deadline", 0.05)
    monkeypatch.setattr(server.gate, "_running", 8)
    response = ask(server.local, "a card?")
    assert (response.status_code, response.json()["error"]["code"]) == (503, "full")
    assert int(response.headers["retry-after"]) >= 1
    monkeypatch.setattr(server.gate, "_running", 0)
    first = told(ask(server.local, "a card?"))
    judged = {"conversation_id": first["conversation_id"], "number": 2, "thumb": "up"}
    assert server.local.post("/v1/feedback", json=judged).status_code == 200
    metrics = server.local.get("/metrics").text
    for line in (
        'frontdesk_turns_total{action="answer",language="en",reason="answer"} 1.0',
        "frontdesk_refused_turns_total 1.0",
        'frontdesk_feedback_total{thumb="up"} 1.0',
        "frontdesk_running_turns 0.0",
        "frontdesk_first_word_seconds_count 1.0",
    ):
        assert line in metrics
    assert "a card" not in metrics


def test_a_client_that_leaves_frees_its_place(server):
    with server.local.stream(
        "POST",
        "/v1/chat/completions",
        json={"messages": [{"role": "user", "content": "a card?"}], "stream": True},
    ) as response:
        next(response.iter_lines())
    assert server.gate.running == 0


def test_the_privacy_notice_says_how_long_in_both_languages(server):
    english, chinese = (server.far.get(f"/privacy?lang={lang}").text for lang in ("en", "zh"))
    assert "1 days after your last message" in english
    assert english.count("<p>") == 6
    assert "之后 1 天" in chinese
    assert chinese.count("<p>") == 6
    assert server.far.get("/privacy?lang=<b>").status_code == 400


def test_other_sites_may_only_what_the_settings_allow(server):
    client = TestClient(served(server.desk, origins=["https://shop.example"]).app, **FAR)
    for origin, allowed in (("https://shop.example", True), ("https://evil.example", False)):
        response = client.get("/healthz", headers={"origin": origin})
        assert ("access-control-allow-origin" in response.headers) == allowed
        policy = response.headers["content-security-policy"]
        assert "frame-ancestors 'self' https://shop.example" in policy
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("who", "status"), [("no key", 401), ("own token", 403), ("key", 403), ("key for metrics", 200)]
)
def test_who_may_read_the_metrics(server, who, status):
    conversation = server.desk.begin("x", "page")
    bearer = bearer_of(server, who, conversation, conversation)
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    assert server.far.get("/metrics", headers=headers).status_code == status


def test_a_visitor_is_given_a_token_and_nothing_is_kept_before_the_first_message(server):
    given = server.far.post("/v1/conversations").json()
    conversation, token = given["conversation_id"], given["token"]
    assert not server.desk.conversations.has(conversation)
    assert told(ask(server.far, "a card?", conversation, token))["conversation_id"] == conversation
    headers = {"authorization": f"Bearer {token}"}
    kept = server.far.get(f"/v1/conversations/{conversation}", headers=headers).json()
    assert [m["content"] for m in kept["messages"]] == ["a card?", "0: a card?"]
    assert (kept["handoff"], kept["contact_until"]) == (None, None)
    other = server.far.post("/v1/conversations").json()["conversation_id"]
    assert ask(server.far, "a card?", other, token).status_code == 403


def test_an_interrupted_answer_is_given_again_over_http(server):
    conversation = server.desk.begin("x", "page")
    stream = server.desk.serve(conversation, "a card?")
    next(stream)
    stream.close()
    path = f"/v1/conversations/{conversation}/again"
    headers = {"authorization": f"Bearer {server.tokens.sign(conversation)}"}
    assert server.far.post(path, headers=headers).text.endswith("data: [DONE]\n\n")
    kept = server.desk.conversations.messages(conversation)
    assert [m.state for m in kept] == ["answered", "said"]
    assert server.far.post(path, headers=headers).status_code == 409


def test_a_changed_message_is_sent_with_what_it_follows(server):
    conversation = server.desk.begin("x", "page")
    for text in ("one", "two"):
        list(server.desk.serve(conversation, text))
    reply = told(ask(server.local, "two!", conversation, after=2))
    assert (reply["text"], reply["asked"], reply["number"]) == ("2: two!", 5, 6)
    path = f"/v1/conversations/{conversation}"
    kept = server.local.get(path).json()["messages"]
    assert [m["after"] for m in kept] == [None] * 4 + [2, None]
    assert kept[-1]["frontdesk"]["asked"] == 5


def test_the_number_of_the_message_is_told_each_time(server):
    first = ask(server.local, "a card?", key="k1")
    again = ask(server.local, "a card?", told(first)["conversation_id"], key="k1")
    streamed = ask(server.local, "and abroad?", told(first)["conversation_id"], stream=True)
    assert (told(first)["asked"], told(again)["asked"]) == (1, 1)
    assert first.json()["choices"][0]["message"]["frontdesk"]["asked"] == 1
    assert streamed.text.count('"asked": 3') == 2
    conversation = told(ask(server.local, "a person please"))["conversation_id"]
    handoff = server.desk.handover.handoffs.of(conversation)
    server.desk.handover.handoffs.take(handoff.id, "ann")
    with_person = told(ask(server.local, "are you there?", conversation))
    assert (with_person["reason"], with_person["asked"]) == ("with_person", 3)
    described = server.local.get("/openapi.json").json()["paths"]["/v1/chat/completions"]
    assert "``asked``" in described["post"]["description"]


def test_the_page_reads_quotes_all_of_it_and_when_people_answer(server):
    conversation = told(ask(server.local, "a person please"))["conversation_id"]
    path = f"/v1/conversations/{conversation}"
    assert server.local.get(f"{path}/quotes/2").json() == {"quotes": []}
    assert [m["role"] for m in server.local.get(f"{path}/export").json()["messages"]] == [
        "user",
        "assistant",
    ]
    assert server.local.get(path).json()["handoff"]["state"] == "waiting"
    people = server.local.get("/v1/people").json()
    assert people["open"] is True
    assert people["minutes"] == 5
    server.desk.assistant.responder.company.people = None
    assert server.local.get("/v1/people").status_code == 404
