"""How a customer can be reached: sealed, read by the agent who has the conversation, then gone."""

import time
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from assistant.desk import Desk
from assistant.errors import ConversationError, StoreError
from assistant.store.audit import Audit
from assistant.store.contacts import Contacts
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.retention import purge
from assistant.store.tables import AuditRow, now
from tests.conftest import served
from tests.fakes import Echo

HOW = "ring 07700 900123, Ann / 微信 ann-lee"
FAR = {"base_url": "http://bank.example", "client": ("203.0.113.7", 5000)}


@pytest.fixture
def desk(store_url):
    database = Database.open(store_url)
    yield Desk(Echo(), Conversations(database))
    database.close()


def text_of(database):
    """Return all that the tables of a database hold."""
    from assistant.store.tables import Base

    with database.read() as session:
        return str([list(session.execute(t.select())) for t in Base.metadata.sorted_tables])


def test_it_is_sealed_and_comes_back_until_its_date(desk):
    database = desk.conversations.database
    contacts, conversation = Contacts(database, "secret", 30), desk.begin("x", "page")
    until = contacts.leave(conversation, HOW)
    assert abs(until - now() - timedelta(days=30)) < timedelta(minutes=1)
    assert "900123" not in text_of(database)
    assert contacts.read(conversation) == HOW
    contacts.leave(conversation, "a@b.example")
    assert contacts.read(conversation) == "a@b.example"
    with pytest.raises(StoreError, match="FRONTDESK_CONTACT_KEY"):
        Contacts(database, "another", 30).read(conversation)
    with pytest.raises(ConversationError):
        contacts.leave("0" * 32, HOW)


def test_it_is_gone_after_its_date_and_with_its_conversation(desk):
    database = desk.conversations.database
    contacts, first, second = (
        Contacts(database, "s", 0),
        desk.begin("x", "page"),
        desk.begin("x", "page"),
    )
    contacts.leave(first, HOW)
    time.sleep(0.01)
    assert contacts.read(first) == ""
    Contacts(database, "s", 9).leave(second, HOW)
    purge(database, 90)
    assert text_of(database).count("gAAAA") == 1
    desk.conversations.delete(second)
    assert "gAAAA" not in text_of(database)


def test_the_customer_leaves_it_and_the_agent_who_has_the_conversation_reads_it(desk):
    server = served(desk)
    browser = TestClient(server.app, **FAR)
    conversation = desk.begin("x", "page")
    list(desk.serve(conversation, "a person please"))
    (handoff,) = desk.handover.handoffs.all()
    path, own = f"/v1/conversations/{conversation}/contact", server.tokens.sign(conversation)
    other = server.tokens.sign(desk.begin("x", "page"))

    def call(bearer, **how):
        headers = {"authorization": f"Bearer {bearer}"}
        if how:
            return browser.post(path, headers=headers, json=how)
        return browser.get(f"/v1/handoffs/{handoff.id}/contact", headers=headers)

    assert call(other, how=HOW).status_code == 403
    assert call(own, how="x").status_code == 400
    assert call(own, how=HOW).json()["kept_until"]
    ann, bob = (server.keys.add(name, ["agent"]) for name in ("ann", "bob"))
    assert call(own).status_code == 403
    desk.handover.handoffs.take(handoff.id, "ann")
    assert call(bob).status_code == 409
    assert call(ann).json() == {"how": HOW}
    noted = Audit(desk.conversations.database).latest()
    assert [(d.who, d.did, d.on) for d in noted] == [("ann", "read contact", conversation)]


def test_deeds_are_forgotten_after_more_than_a_year(desk):
    database = desk.conversations.database
    with database.write() as session:
        for days in (399, 401):
            session.add(
                AuditRow(created=now() - timedelta(days=days), who="a", did=str(days), on="")
            )
    purge(database, 90)
    assert [deed.did for deed in Audit(database).latest()] == ["399"]
