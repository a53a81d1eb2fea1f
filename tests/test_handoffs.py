"""Conversations that go to a person and back: hours, who has what, what the customer hears."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from assistant.company import DAYS, People
from assistant.desk import WITH_PERSON, Desk
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.tables import HandoffRow, now
from tests.conftest import served
from tests.fakes import Echo

WEEKDAYS = dict.fromkeys(DAYS[:5], "09:00-17:30")


@pytest.fixture
def desk(store_url):
    database = Database.open(store_url)
    yield Desk(Echo(), Conversations(database))
    database.close()


@pytest.fixture
def agents(desk):
    """Two agents, each with a key, on another machine."""
    server, clients = served(desk), {}
    for name, scope in (("ann", "agent"), ("bob", "agent"), ("shop", "chat")):
        bearer = f"Bearer {server.keys.add(name, [scope])}"
        far = {"base_url": "http://bank.example", "client": ("203.0.113.7", 5000)}
        clients[name] = TestClient(server.app, **far, headers={"authorization": bearer})
    return SimpleNamespace(**clients, tokens=server.tokens)


def said(desk, conversation, text):
    *_, reply = desk.serve(conversation, text)
    return reply


def called(desk, text="a person please"):
    conversation = desk.begin("x", "page")
    return conversation, said(desk, conversation, text)


def test_a_wish_for_a_person_calls_one_and_says_so_once(desk):
    conversation, reply = called(desk)
    assert reply.text.endswith("<person_called en {}>")
    assert reply.support[-1].sentence == "<person_called en {}>"
    assert desk.conversations.messages(conversation)[1].text == reply.text
    again = said(desk, conversation, "a person, urgent")
    assert "<person" not in again.text
    (handoff,) = desk.handover.handoffs.all()
    assert (handoff.state, handoff.urgent) == ("waiting", True)
    assert handoff.summary["wanted"] == ["a person please"]


def test_while_a_person_has_it_the_assistant_is_silent(desk, agents):
    conversation, _ = called(desk)
    number = agents.ann.get("/v1/handoffs").json()["data"][0]["id"]
    told = agents.ann.post(f"/v1/handoffs/{number}/reply", json={"text": "Hello, Ann here."})
    assert (told.json()["role"], told.json()["author"]) == ("person", "ann")
    silent = said(desk, conversation, "my card 4111 1111 1111 1111")
    assert (silent.text, silent.reason) == ("", WITH_PERSON)
    agents.ann.post(f"/v1/handoffs/{number}/note", json={"text": "seems honest"})
    assert agents.ann.post(f"/v1/handoffs/{number}/typing").json()["is_typing"]
    shown = agents.ann.get(f"/v1/handoffs/{number}").json()["messages"]
    assert [m["role"] for m in shown] == ["user", "assistant", "person", "user", "note"]
    assert shown[3]["content"] == "my card [card]"
    token = {"authorization": f"Bearer {agents.tokens.sign(conversation)}"}
    theirs = agents.shop.get(f"/v1/conversations/{conversation}", headers=token).json()["messages"]
    assert "seems honest" not in str(theirs), "a note is for people alone"
    assert agents.ann.post(f"/v1/handoffs/{number}/give-back").json()["state"] == "returned"
    answered = said(desk, conversation, "and a letter?")
    assert answered.text.startswith("5: "), "the person's words belong to the conversation"
    assert desk.conversations.messages(conversation)[5].text == "<person_back en {}>"


def test_one_agent_has_a_conversation_at_a_time(desk, agents):
    called(desk)
    number = agents.ann.get("/v1/handoffs").json()["data"][0]["id"]
    assert agents.ann.post(f"/v1/handoffs/{number}/take").json()["agent"] == "ann"
    assert agents.ann.post(f"/v1/handoffs/{number}/take").status_code == 200
    for verb in ("take", "typing", "give-back", "close"):
        response = agents.bob.post(f"/v1/handoffs/{number}/{verb}")
        assert response.status_code == 409
        assert "ann has it" in response.json()["error"]["message"]
    for verb in ("reply", "note"):
        response = agents.bob.post(f"/v1/handoffs/{number}/{verb}", json={"text": "x"})
        assert response.status_code == 409
    assert agents.bob.get(f"/v1/handoffs/{number}").status_code == 409
    assert agents.ann.post(f"/v1/handoffs/{number}/close").json()["state"] == "closed"
    assert agents.ann.post(f"/v1/handoffs/{number}/take").status_code == 409
    assert agents.bob.get("/v1/handoffs?state=closed").json()["data"][0]["id"] == number


@pytest.mark.parametrize(
    ("verb", "path"),
    [("get", ""), ("get", "/1"), *(("post", f"/1/{v}") for v in ("take", "typing", "close"))],
)
def test_agents_routes_want_an_agents_key(desk, agents, verb, path):
    conversation, _ = called(desk)
    assert getattr(agents.shop, verb)(f"/v1/handoffs{path}").status_code == 403
    token = {"authorization": f"Bearer {agents.tokens.sign(conversation)}"}
    assert getattr(agents.shop, verb)(f"/v1/handoffs{path}", headers=token).status_code == 403
    nobody = {"authorization": ""}
    assert getattr(agents.shop, verb)(f"/v1/handoffs{path}", headers=nobody).status_code == 401


def test_who_waits_longest_comes_first_after_who_is_in_danger(desk):
    first, second, urgent = (
        called(desk, text)[0] for text in ("a person", "person", "person urgent")
    )
    waiting = [handoff.conversation for handoff in desk.handover.handoffs.all()]
    assert waiting == [urgent, first, second]


def test_who_waits_too_long_is_told_once(desk):
    conversation, _ = called(desk)
    assert desk.handover.remind() == []
    with desk.conversations.database.write() as session:
        (row,) = session.query(HandoffRow)
        row.created = now() - timedelta(minutes=6)
    assert len(desk.handover.remind()) == 1
    assert desk.handover.remind() == []
    assert desk.conversations.messages(conversation)[-1].text == "<person_late en {}>"


def test_how_long_it_usually_takes_is_said_from_what_it_took(desk):
    called(desk)
    (handoff,) = desk.handover.handoffs.all()
    with desk.conversations.database.write() as session:
        session.get(HandoffRow, handoff.id).created = now() - timedelta(minutes=3)
    desk.handover.handoffs.take(handoff.id, "ann")
    _, reply = called(desk)
    assert "person_called_usual en {'minutes': '3'}" in reply.text


def test_out_of_hours_the_customer_hears_when_somebody_answers(desk, monkeypatch):
    company = desk.assistant.responder.company
    company.people = People(timezone="Asia/Shanghai", hours=WEEKDAYS)
    moment = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)  # a Saturday
    monkeypatch.setattr("assistant.handover.now", lambda: moment)
    _, reply = called(desk)
    gaps = "{'day': 'Monday', 'time': '09:00', 'zone': 'Asia/Shanghai'}"
    assert f"<person_away en {gaps}>" in reply.text
    assert desk.handover.remind() == []


def test_a_company_without_people_hands_nothing_over(desk):
    desk.assistant.responder.company.people = None
    _, reply = called(desk)
    assert "<person" not in reply.text
    assert desk.handover.handoffs.all() == []
    assert desk.handover.remind() == []


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-30T09:00+00:00", "2026-11-30T09:00+00:00"),
        ("2026-11-30T08:59+00:00", "2026-11-30T09:00+00:00"),
        ("2026-11-30T17:30+00:00", "2026-12-01T09:00+00:00"),
        ("2026-12-04T18:00+00:00", "2026-12-07T09:00+00:00"),
        # The clock goes forward in that night.
        ("2027-03-27T12:00+00:00", "2027-03-29T09:00+01:00"),
    ],
)
def test_when_people_answer_next(moment, opening):
    people = People(timezone="Europe/London", hours=WEEKDAYS)
    assert people.opening(datetime.fromisoformat(moment)) == datetime.fromisoformat(opening)


def test_people_who_never_answer_have_no_opening():
    assert People(timezone="UTC", hours={}).opening(datetime.now(UTC)) is None
    around = People(timezone="UTC", hours=dict.fromkeys(DAYS, "0:00-24:00"))
    assert around.is_open(datetime.now(UTC))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"timezone": "London"}, "such as Europe/London"),
        ({"hours": {"mon": "09:00-17:00"}}, "days such as monday"),
        ({"hours": {"monday": "9 to 5"}}, "hours such as 08:00-22:00"),
        ({"hours": {"monday": "17:00-09:00"}}, "hours such as 08:00-22:00"),
    ],
)
def test_wrong_hours_are_an_error(wrong, said):
    with pytest.raises(ValidationError, match=said):
        People.model_validate({"timezone": "UTC", "hours": WEEKDAYS, **wrong})
