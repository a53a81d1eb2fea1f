"""The inbox without a browser: who waits, what sleeps, who is there, and what is sent once."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from assistant.desk import Desk
from assistant.errors import HandoffError, SettingsError
from assistant.reports.inbox import has_contact, inbox, wakes
from assistant.store.canned import CannedReplies
from assistant.store.contacts import Contacts
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.presence import Presence
from assistant.store.tables import ConversationRow, HandoffRow, now
from assistant.store.team_tables import PresenceRow
from assistant.store.users import Users
from tests.conftest import served
from tests.fakes import Echo

PASSWORD = "a lantern in the fog"


@pytest.fixture
def desk(store_url):
    database = Database.open(store_url)
    yield Desk(Echo(), Conversations(database))
    database.close()


@pytest.fixture
def users(desk):
    users = Users(desk.conversations.database)
    for name, role in (("ann", "agent"), ("bob", "agent"), ("ada", "administrator")):
        users.add(name, PASSWORD, role)
    return users


@pytest.fixture
def agents(desk, users):
    """Three people who signed in, each with a session of their own."""
    server, found = served(desk), {}
    for name in ("ann", "bob", "ada"):
        client = TestClient(server.app, base_url="http://bank.example", client=("203.0.113.7", 1))
        client.post("/v1/sign-in", json={"name": name, "password": PASSWORD})
        found[name] = client
    return SimpleNamespace(**found, users=users)


def called(desk, text="a person please"):
    conversation = desk.begin("x", "page")
    list(desk.serve(conversation, text))
    handoff = desk.handover.handoffs.of(conversation)
    return conversation, handoff.id


def roles(desk, conversation):
    return [message.role for message in desk.conversations.messages(conversation)]


def test_the_urgent_come_first_and_then_who_waits_longest(desk):
    first, second, urgent = (
        called(desk, text)[1] for text in ("person", "person", "person urgent")
    )
    found = inbox(desk.conversations.database)
    assert [entry.handoff.id for entry in found.entries] == [urgent, first, second]
    assert (found.total, found.waiting) == (3, 3)
    assert found.entries[1].last == "person"
    some = inbox(desk.conversations.database, limit=1, offset=1)
    assert ([entry.handoff.id for entry in some.entries], some.total) == ([first], 3)


def test_whoever_was_answered_waits_no_more_until_they_write_again(desk):
    conversation, number = called(desk)
    assert inbox(desk.conversations.database).entries[0].since is not None
    desk.handover.reply(number, "ann", "Hello")
    assert inbox(desk.conversations.database).entries[0].since is None
    list(desk.serve(conversation, "and now?"))
    (entry,) = inbox(desk.conversations.database, "mine", "ann").entries
    assert (entry.last, now() - entry.since < timedelta(minutes=1)) == ("and now?", True)
    assert inbox(desk.conversations.database, "mine", "bob").entries == []
    assert inbox(desk.conversations.database).waiting == 0


def test_invented_conversations_are_never_counted_with_real_ones(desk):
    conversation, number = called(desk)
    with desk.conversations.database.write() as session:
        session.get(ConversationRow, conversation).is_demo = True
    assert inbox(desk.conversations.database).total == 0
    demo = inbox(desk.conversations.database, demo=True)
    assert ([entry.handoff.id for entry in demo.entries], demo.waiting) == ([number], 1)


def test_what_sleeps_comes_back_at_its_time(desk):
    conversation, number = called(desk)
    desk.handover.handoffs.snooze(number, "ann", now() + timedelta(minutes=30))
    assert inbox(desk.conversations.database).total == 0
    (asleep,) = inbox(desk.conversations.database, "snoozed").entries
    assert asleep.handoff.snoozed
    with desk.conversations.database.write() as session:
        session.get(HandoffRow, number).snoozed = now() - timedelta(seconds=1)
    (entry,) = inbox(desk.conversations.database).entries
    assert (entry.handoff.conversation, entry.handoff.snoozed) == (conversation, None)
    assert inbox(desk.conversations.database, "snoozed").total == 0


def test_what_sleeps_comes_back_when_the_customer_writes(desk):
    conversation, number = called(desk)
    other, other_number = called(desk)
    for one in (number, other_number):
        desk.handover.handoffs.snooze(one, "ann", now() + timedelta(hours=2))
    list(desk.serve(conversation, "hello?"))
    assert [e.handoff.conversation for e in inbox(desk.conversations.database).entries] == [
        conversation
    ]
    (asleep,) = inbox(desk.conversations.database, "snoozed").entries
    assert asleep.handoff.conversation == other


@pytest.mark.parametrize(
    ("choice", "zone", "moment", "until"),
    [
        ("half_hour", "UTC", "2026-11-30T09:00+00:00", "2026-11-30T09:30+00:00"),
        ("two_hours", "UTC", "2026-11-30T23:00+00:00", "2026-12-01T01:00+00:00"),
        ("tomorrow", "Asia/Shanghai", "2026-11-30T18:00+00:00", "2026-12-02T01:00+00:00"),
        # The clock goes forward in that night.
        ("tomorrow", "Europe/London", "2027-03-27T20:00+00:00", "2027-03-28T08:00+00:00"),
    ],
)
def test_until_when_a_conversation_sleeps(choice, zone, moment, until):
    found = wakes(choice, datetime.fromisoformat(moment), zone)
    assert found.astimezone(UTC) == datetime.fromisoformat(until)


def test_how_it_ended_is_kept(desk, agents):
    _, number = called(desk)
    assert agents.ann.post(f"/v1/handoffs/{number}/close", json={"outcome": "x"}).status_code == 400
    closed = agents.ann.post(f"/v1/handoffs/{number}/close", json={"outcome": "not_solved"}).json()
    assert (closed["state"], closed["outcome"]) == ("closed", "not_solved")
    (entry,) = inbox(desk.conversations.database, "ended").entries
    assert entry.handoff.outcome == "not_solved"
    _, other = called(desk)
    assert agents.ann.post(f"/v1/handoffs/{other}/close").json()["outcome"] == ""


def test_a_conversation_is_given_to_somebody_who_may_sign_in(desk, agents):
    _, number = called(desk)
    refused = agents.ann.post(f"/v1/handoffs/{number}/assign", json={"agent": "nobody"})
    assert refused.status_code == 409
    given = agents.ann.post(f"/v1/handoffs/{number}/assign", json={"agent": "bob"}).json()
    assert (given["agent"], given["state"]) == ("bob", "taken")
    assert (
        agents.ann.post(f"/v1/handoffs/{number}/assign", json={"agent": "ann"}).status_code == 409
    )
    assert (
        agents.ada.post(f"/v1/handoffs/{number}/assign", json={"agent": "ann"}).json()["agent"]
        == "ann"
    )


def test_over_http_what_sleeps_has_a_time_in_the_future(desk, agents):
    _, number = called(desk)
    for wrong in ("2020-01-01T00:00:00Z", "2099-01-01T00:00:00", "soon"):
        response = agents.ann.post(f"/v1/handoffs/{number}/snooze", json={"until": wrong})
        assert response.status_code == 400, wrong
    until = "2099-01-01T00:00:00+08:00"
    told = agents.ann.post(f"/v1/handoffs/{number}/snooze", json={"until": until}).json()
    assert told["snoozed"] == "2098-12-31T16:00:00+00:00"
    assert agents.bob.post(f"/v1/handoffs/{number}/take").json()["snoozed"] is None


def test_what_a_removed_user_had_is_free_again(desk, agents):
    conversation, number = called(desk)
    agents.ann.post(f"/v1/handoffs/{number}/reply", json={"text": "Hello"})
    agents.users.remove("ann")
    assert agents.ann.post(f"/v1/handoffs/{number}/reply", json={"text": "x"}).status_code == 401
    free = desk.handover.handoffs.read(number)
    assert (free.state, free.agent) == ("waiting", "")
    assert (
        agents.bob.post(f"/v1/handoffs/{number}/reply", json={"text": "I go on"}).status_code == 200
    )
    assert roles(desk, conversation)[-2:] == ["person", "person"]


def test_a_request_that_comes_again_sends_a_reply_once(desk, agents):
    conversation, number = called(desk)
    once = {"Idempotency-Key": "k1"}
    first, again = (
        agents.ann.post(f"/v1/handoffs/{number}/reply", json={"text": "Hi"}, headers=once).json()
        for _ in range(2)
    )
    assert first["number"] == again["number"]
    other = agents.ann.post(f"/v1/handoffs/{number}/reply", json={"text": "Hi"}).json()
    assert other["number"] > first["number"], "without a key, it is another one"
    assert roles(desk, conversation).count("person") == 2
    # A customer's message with the same key is no reply of an agent's.
    list(desk.serve(conversation, "hm", "k1"))
    assert roles(desk, conversation)[-1] == "user"


def test_two_never_answer_at_once(desk):
    conversation, number = called(desk)
    desk.handover.reply(number, "ann", "Ann here")
    with pytest.raises(HandoffError, match="ann has it"):
        desk.handover.reply(number, "bob", "Bob here")
    assert roles(desk, conversation).count("person") == 1


def test_who_looks_and_who_writes_is_seen_for_a_while(desk):
    conversation, _ = called(desk)
    presence = Presence(desk.conversations.database)
    presence.note(conversation, "ann")
    presence.note(conversation, "bob", writes=True)
    assert [(one.name, one.writes) for one in presence.others(conversation, "ada")] == [
        ("ann", False),
        ("bob", True),
    ]
    assert [one.name for one in presence.others(conversation, "ann")] == ["bob"]
    with desk.conversations.database.write() as session:
        session.get(PresenceRow, (conversation, "bob")).seen = now() - timedelta(seconds=21)
    assert [one.name for one in presence.others(conversation, "ada")] == ["ann"]
    presence.note(conversation, "ada")
    with desk.conversations.database.read() as session:
        assert session.get(PresenceRow, (conversation, "bob")) is None, (
            "whoever has gone is deleted"
        )


def test_the_customer_sees_only_the_one_who_has_it_typing(desk, agents):
    conversation, number = called(desk)
    agents.ann.post(f"/v1/handoffs/{number}/take")
    others = agents.bob.post(f"/v1/handoffs/{number}/presence", json={"writes": True}).json()
    assert others["data"] == []
    assert not desk.handover.handoffs.of(conversation).is_typing
    others = agents.ann.post(f"/v1/handoffs/{number}/presence", json={"writes": True}).json()
    assert others["data"] == [{"name": "bob", "writes": True}]
    assert desk.handover.handoffs.of(conversation).is_typing
    assert agents.ann.post("/v1/handoffs/999/presence", json={}).status_code == 404


def test_a_suggestion_keeps_nothing(desk):
    conversation, _ = called(desk, "a person please, my card is lost")
    before = desk.conversations.messages(conversation)
    assert "my card is lost" in desk.suggest(conversation).text
    assert desk.conversations.messages(conversation) == before
    assert desk.suggest(desk.begin("x", "page")) is None


def test_canned_replies_are_kept_changed_and_removed(desk):
    replies = CannedReplies(desk.conversations.database)
    kept = replies.keep("en", " A  greeting ", "Hello", "ann")
    replies.keep("zh", "问候", "您好", "ann")
    assert [(one.title, one.author) for one in replies.all("en")] == [("A greeting", "ann")]
    replies.keep("en", "Greeting", "Hello!", "bob", kept.id)
    assert (replies.get(kept.id).text, len(replies.all())) == ("Hello!", 2)
    replies.remove(kept.id)
    assert replies.get(kept.id) is None
    for wrong in (("fr", "a", "b"), ("en", " ", "b"), ("en", "a", " "), ("en", "a", "b" * 4001)):
        with pytest.raises(SettingsError):
            replies.keep(*wrong, "ann")


def test_whether_a_customer_left_a_way_to_be_reached(desk):
    conversation, _ = called(desk)
    database = desk.conversations.database
    assert not has_contact(database, conversation)
    Contacts(database, "secret", 30).leave(conversation, "020 7946 0000")
    assert has_contact(database, conversation)
