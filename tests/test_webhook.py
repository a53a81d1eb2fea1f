"""Events of handoffs: signed, kept until they arrive, sent to nobody but the named host."""

import datetime as dt
import json
import logging
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import certifi
import pytest
from standardwebhooks import Webhook

from assistant.config import Settings
from assistant.desk import Desk
from assistant.errors import SettingsError
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.outbox import BACK_OFF, Outbox
from assistant.store.retention import purge
from assistant.store.tables import HandoffRow, OutboxRow, now
from assistant.webhook import WebhookSender
from tests.fakes import Echo
from tests.loopback import LoopbackServer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # an example's


@pytest.fixture
def database(store_url):
    database = Database.open(store_url)
    yield database
    database.close()


@pytest.fixture
def desk(database):
    return Desk(Echo(), Conversations(database), Outbox(database).tell)


@pytest.fixture
def receiver():
    with LoopbackServer() as server:
        yield server


def sender(database, receiver):
    return WebhookSender(Outbox(database), f"{receiver.url}/events?a=b", SECRET, ["127.0.0.1"])


def called(desk, text="a person please"):
    conversation = desk.conversations.start("page")
    list(desk.serve(conversation, text))
    return conversation


def rows(database):
    with database.read() as session:
        return session.query(OutboxRow).order_by(OutboxRow.created).all()


def make_due(database):
    with database.write() as session:
        for row in session.query(OutboxRow):
            row.due = now()


def test_what_happens_with_a_handoff_is_told_in_signed_requests(desk, database, receiver):
    conversation = called(desk, "my card 4111 1111 1111 1111, a person, urgent")
    (handoff,) = desk.handover.handoffs.all()
    with database.write() as session:
        session.get(HandoffRow, handoff.id).created = now() - timedelta(minutes=6)
    desk.handover.remind()
    desk.handover.handoffs.take(handoff.id, "ann")
    desk.handover.handoffs.close(handoff.id, "ann")
    assert sender(database, receiver).deliver() == 3
    events = [Webhook(SECRET).verify(came.body, came.headers) for came in receiver.came]
    kinds = [(event["type"], event["data"]["state"]) for event in events]
    assert kinds == [
        ("handoff.opened", "waiting"), ("handoff.late", "waiting"), ("handoff.ended", "closed"),
    ]  # fmt: skip
    assert dt.datetime.fromisoformat(events[0]["timestamp"]).tzinfo
    assert events[0]["data"] == {
        "handoff": handoff.id,
        "conversation_id": conversation,
        "reason": "handoff",
        "urgent": True,
        "state": "waiting",
        "summary": {
            "wanted": ["my card [card], a person, urgent"],
            "tried": [],
            "intent": None,
            "sentiment": None,
            "language": "en",
        },
    }
    first = receiver.came[0]
    assert (first.path, first.headers["host"]) == ("/events?a=b", f"127.0.0.1:{receiver.port}")
    assert len({came.headers["webhook-id"] for came in receiver.came}) == 3
    assert sender(database, receiver).deliver() == 0, "each arrived"


def test_one_that_is_given_back_is_told_too_and_a_second_wish_is_not(desk, database):
    conversation = called(desk)
    list(desk.serve(conversation, "a person, now"))
    (handoff,) = desk.handover.handoffs.all()
    desk.handover.give_back(desk.handover.handoffs.give_back(handoff.id, "ann"))
    bodies = [json.loads(row.body) for row in rows(database)]
    assert [body["type"] for body in bodies] == ["handoff.opened", "handoff.ended"]
    assert bodies[1]["data"]["state"] == "returned"


def test_personal_data_and_what_is_not_meant_for_others_stays_here(desk, database):
    conversation = desk.conversations.start("page")
    summary = {"wanted": ["write to eve@example.com", "打 138 0013 8000"], "contact": "Eve",
               "tried": [{"action": "answer", "articles": ["call +44 20 7946 0958"]}]}  # fmt: skip
    desk.handover.handoffs.open(conversation, "person", summary, urgent=False)
    (row,) = rows(database)
    assert json.loads(row.body)["data"]["summary"] == {
        "wanted": ["write to [email]", "打 [phone]"],
        "tried": [{"action": "answer", "articles": ["call [phone]"]}],
    }


def test_a_handoff_and_its_event_are_kept_together_or_not_at_all(database):
    def tell(session, kind, handoff):
        Outbox(database).tell(session, kind, handoff)
        session.flush()
        raise RuntimeError("the power fails")

    desk = Desk(Echo(), Conversations(database), tell)
    with pytest.raises(RuntimeError):
        called(desk)
    assert (desk.handover.handoffs.all(), rows(database)) == ([], [])


def test_without_a_webhook_nothing_is_kept(database):
    desk = Desk(Echo(), Conversations(database))
    called(desk)
    assert rows(database) == []
    assert WebhookSender.of(Settings(webhook_secret=SECRET), database) is None


def test_what_did_not_arrive_is_tried_again_with_the_same_id(desk, database, caplog):
    statuses = iter([500, 302, 204])
    with LoopbackServer(lambda _: (next(statuses), {"location": "/other"}, b"no")) as receiver:
        called(desk)
        webhook = sender(database, receiver)
        for attempt, wait in ((1, BACK_OFF[0]), (2, BACK_OFF[1])):
            assert webhook.deliver() == 1
            assert webhook.deliver() == 0, "it is not due yet"
            (row,) = rows(database)
            ahead = (row.due - now()).total_seconds()
            assert (row.attempts, row.sent) == (attempt, None)
            assert 0.7 * wait < ahead < 1.25 * wait
            make_due(database)
        assert webhook.deliver() == 1
    assert [came.path for came in receiver.came] == ["/events?a=b"] * 3, "no redirect is followed"
    assert len({came.headers["webhook-id"] for came in receiver.came}) == 1
    assert rows(database)[0].sent
    assert "did not arrive: status 302" in caplog.text
    assert "person please" not in caplog.text


def test_after_about_two_days_it_is_given_up(desk, database, receiver, caplog):
    assert 1.5 < sum(BACK_OFF) / 86400 < 2.5
    called(desk)
    webhook = sender(database, receiver)
    receiver.__exit__()
    for _ in range(len(BACK_OFF) + 1):
        assert rows(database)[0].given_up is None
        assert webhook.deliver() == 1
        make_due(database)
    (row,) = rows(database)
    assert row.given_up
    assert (f"event {row.id} is given up", logging.ERROR) in [
        (record.message, record.levelno) for record in caplog.records
    ]
    assert webhook.deliver() == 0


def test_who_does_not_answer_in_time_is_asked_again(desk, database, monkeypatch):
    monkeypatch.setattr("assistant.webhook.TIMEOUT", 0.2)
    with LoopbackServer(lambda _: time.sleep(1) or (204, {}, b"")) as receiver:
        called(desk)
        assert sender(database, receiver).deliver() == 1
    (row,) = rows(database)
    assert (row.attempts, row.sent) == (1, None)


def test_an_event_survives_a_restart(store_url, receiver):
    first = Database.open(store_url)
    called(Desk(Echo(), Conversations(first), Outbox(first).tell))
    first.close()
    second = Database.open(store_url)
    assert sender(second, receiver).deliver() == 1
    second.close()


def test_of_several_processes_one_makes_each_attempt(desk, store_url):
    for _ in range(12):
        called(desk)
    databases = [Database.open(store_url) for _ in range(4)]

    def claim(database):
        claimed = []
        while event := Outbox(database).claim():
            claimed.append(event.id)
        return claimed

    with ThreadPoolExecutor(4) as pool:
        claimed = [one for each in pool.map(claim, databases) for one in each]
    for database in databases:
        database.close()
    # Where others hold the rows that are due, one may find nothing and come again later.
    rest = claim(desk.conversations.database)
    assert len(claimed + rest) == len(set(claimed + rest)) == 12


def test_a_late_failure_does_not_spoil_a_later_attempt(desk, database):
    called(desk)
    outbox = Outbox(database)
    slow = outbox.claim()
    make_due(database)
    outbox.claim()
    due = rows(database)[0].due
    assert outbox.failed(slow) is False
    assert rows(database)[0].due == due


def test_events_go_with_their_conversation_and_when_they_are_old(desk, database):
    gone, goes_on = called(desk), called(desk)
    desk.conversations.delete(gone)
    (row,) = rows(database)
    assert row.conversation_id == goes_on
    Outbox(database).sent(Outbox(database).claim())
    with database.write() as session:
        session.get(OutboxRow, row.id).created = now() - timedelta(days=31)
    assert purge(database, 30) == 0
    assert rows(database) == []


def test_it_is_delivered_in_the_background(desk, database, receiver):
    called(desk)
    stopped = threading.Event()
    sender(database, receiver).deliver_always(stopped)
    end = time.monotonic() + 10
    while not rows(database)[0].sent:
        assert time.monotonic() < end
        time.sleep(0.02)
    stopped.set()
    assert len(receiver.came) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"webhook_url": "http://crm.example/x"}, "webhook_url: expected https://host/path"),
        ({"webhook_url": "ftp://127.0.0.1/x"}, "webhook_url: expected https://host/path"),
        ({"webhook_url": "https://eve:pw@crm.example/x"}, "without a name or password"),
        ({"webhook_url": "https://x:port/"}, "webhook_url: expected https://host/path, found"),
        ({"webhook_hosts": []}, "webhook_hosts: expected the host of webhook_url, '127.0.0.1'"),
        ({"webhook_hosts": ["0.0.1"]}, "webhook_hosts: expected"),
        ({"webhook_url": "https://10.0.0.7/x"}, "expected public addresses of 10.0.0.7, found"),
        ({"webhook_url": "https://169.254.169.254/x"}, "expected public addresses"),
        ({"webhook_url": "https://[::ffff:10.0.0.7]/x"}, "expected public addresses"),
        ({"webhook_url": "https://[fd00::1]/x"}, "expected public addresses"),
        ({"webhook_secret": None}, "webhook_secret: expected whsec_ and the base64 of 24 to 64"),
        ({"webhook_secret": "whsec_c2hvcnQ="}, "webhook_secret: expected"),
        ({"webhook_secret": "correct horse battery staple, and more"}, "webhook_secret: expected"),
    ],
)
def test_wrong_settings_are_told_at_the_start(wrong, said, tmp_path):
    inner = ["10.0.0.7", "169.254.169.254", "::ffff:10.0.0.7", "fd00::1"]
    hosts = ["127.0.0.1", "crm.example", *inner]
    known = {"webhook_url": "http://127.0.0.1/x", "webhook_secret": SECRET, "webhook_hosts": hosts}
    database = Database.open(f"sqlite:///{tmp_path}/frontdesk.db")
    assert WebhookSender.of(Settings(**known), database)
    with pytest.raises(SettingsError, match="webhook_") as caught:
        WebhookSender.of(Settings(**{**known, **wrong}), database)
    assert said in str(caught.value)
    assert "battery" not in str(caught.value)
    assert ":pw@" not in str(caught.value)


def test_a_name_that_leads_into_the_own_network_gets_nothing(desk, database, monkeypatch, caplog):
    """What a name means can change after the start; an answer of two addresses can hide one."""

    def names(*addresses):
        entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 0)) for a in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)

    names("8.8.8.8")
    webhook = WebhookSender(Outbox(database), "https://crm.example/x", SECRET, ["CRM.example"])
    called(desk)
    for inner in (["127.0.0.1"], ["8.8.8.8", "10.0.0.7"], ["0.0.0.0"]):  # noqa: S104  # refused
        names(*inner)
        make_due(database)
        assert webhook.deliver() == 1
        assert f"expected public addresses of crm.example, found {inner[-1]}" in caplog.text
        caplog.clear()


@pytest.mark.parametrize(("named", "arrives"), [("localhost", True), ("other.example", False)])
def test_the_certificate_must_be_the_named_hosts(
    desk, database, monkeypatch, tmp_path, named, arrives
):
    """The request goes to an address that was looked up before, and asks for the name."""
    certificate = _certificate(tmp_path, named)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    monkeypatch.setattr(certifi, "where", lambda: str(certificate))
    with LoopbackServer(tls=tls) as receiver:
        url = f"https://localhost:{receiver.port}/x"
        webhook = WebhookSender(Outbox(database), url, SECRET, ["localhost"])
        called(desk)
        webhook.deliver()
    assert bool(rows(database)[0].sent) == arrives
    assert [came.headers["host"] for came in receiver.came] == (
        [f"localhost:{receiver.port}"] if arrives else []
    )


def _certificate(folder, name):
    """Return a file with a key and a certificate that it signed itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 7)
    builder = builder.not_valid_before(now() - timedelta(days=1))
    builder = builder.not_valid_after(now() + timedelta(days=1)).add_extension(names, critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file = folder / "certificate.pem"
    file.write_bytes(private + certificate.public_bytes(pem))
    return file
