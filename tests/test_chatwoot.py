"""Customers who write in Chatwoot: answers, picks, people, and what must not be answered."""

import json
import threading
import time

import pytest
from fastapi.testclient import TestClient

from assistant.chatwoot import Chatwoot
from assistant.chatwoot_bot import ChatwootBot
from assistant.config import Settings
from assistant.errors import SettingsError, StoreError
from assistant.messages import Action, Citation, Reply
from assistant.store.outside import UNDER_WAY
from assistant.store.tables import OutsideConversationRow, OutsideMessageRow, now
from assistant.web.chatwoot_routes import chatwoot_routes
from assistant.web.gate import Gate
from tests.chatwoot_server import SECRET, TOKEN, ChatwootServer
from tests.conftest import desk_of, served
from tests.fakes import Echo

CITED = Citation(1, "fees", "en", "Card fees", "A card costs £5.", 0, 16)
CHOICES = ("Lost cards", "Card fees", "None of these")


class Clerk(Echo):
    """The echo, which also answers with a source and asks back."""

    def stream(self, question, history=()):
        for item in super().stream(question, history):
            if isinstance(item, str):
                yield item
            elif "fee" in question:
                yield Reply(item.text, Action.ANSWER, "answer", "en", citations=(CITED,))
            elif "费用" in question:
                yield Reply(item.text, Action.ANSWER, "answer", "zh", citations=(CITED,))
            elif "which" in question:
                more = ("How long a transfer takes",) if "long" in question else ()
                choices = (*CHOICES, *more)
                yield Reply(item.text, Action.CLARIFY, "clarify", "en", choices=choices)
            else:
                yield item


def connected(desk, server, public_url="https://help.example/", **how):
    """Let a desk answer in a Chatwoot, over its route."""
    app = served(desk, **how)
    bot = ChatwootBot(desk, Chatwoot(server.url, TOKEN, SECRET), public_url)
    app.app.include_router(chatwoot_routes(bot, app.turns))
    client = TestClient(app.app)
    server.tell = lambda body, headers: client.post(
        "/hooks/chatwoot", content=body, headers=headers
    )
    return app


@pytest.fixture
def server():
    with ChatwootServer() as server:
        yield server


@pytest.fixture
def desk(tmp_path):
    return desk_of(Clerk(), tmp_path)


@pytest.fixture
def chatwoot(desk, server):
    connected(desk, server)
    return server


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def settled(server, conversation=1):
    """Wait until all that was told is done: of one conversation, each comes after the other."""
    server.writes("a fence", conversation)
    is_last = lambda: any("a fence" in m["content"] for m in server.said(conversation))  # noqa: E731
    until(lambda: is_last() or server.status[conversation] == "open")
    time.sleep(0.05)


def test_an_answer_names_its_sources_with_links(chatwoot):
    assert chatwoot.writes("what is the fee?").json() == {"status": "taken"}
    until(chatwoot.said)
    (said,) = chatwoot.said()
    link = "https://help.example/articles/en/fees?start=0&end=16#quote"
    assert said["content"] == f"0: what is the fee?\n\nSources:\n- Card fees: {link}"
    assert said["content_type"] == "text"
    assert chatwoot.status[1] == "pending"


def test_without_a_public_address_titles_stand_alone_and_chinese_is_chinese(desk, server):
    connected(desk, server, public_url=None)
    server.writes("费用是多少")
    until(server.said)
    assert server.said()[0]["content"] == "0: 费用是多少\n\n来源：\n- Card fees"


def test_a_conversation_goes_on_and_others_are_apart(chatwoot, desk):
    for text, conversation in (("a card?", 1), ("abroad?", 1), ("a loan?", 2)):
        chatwoot.writes(text, conversation)
    until(lambda: len(chatwoot.said(1)) == 2 and chatwoot.said(2))
    assert [m["content"] for m in chatwoot.said(1)] == ["0: a card?", "2: abroad?"]
    assert [m["content"] for m in chatwoot.said(2)] == ["0: a loan?"]
    with desk.conversations.database.read() as session:
        ours = {
            row.outside_id: row.conversation_id for row in session.query(OutsideConversationRow)
        }
    assert ours.keys() == {"3/conversations/1", "3/conversations/2"}
    kept = desk.conversations.messages(ours["3/conversations/1"])
    assert [m.role for m in kept] == ["user", "assistant"] * 2


def test_a_deleted_conversation_begins_anew(chatwoot, desk):
    chatwoot.writes("a card?")
    until(chatwoot.said)
    database = desk.conversations.database
    with database.read() as session:
        (row,) = session.query(OutsideConversationRow)
    desk.conversations.delete(row.conversation_id)
    with database.read() as session:
        assert (
            session.query(OutsideConversationRow).all(),
            session.query(OutsideMessageRow).all(),
        ) == ([], [])
    chatwoot.writes("abroad?")
    until(lambda: len(chatwoot.said()) == 2)
    assert chatwoot.said()[1]["content"] == "0: abroad?"


def test_what_customers_did_not_write_is_not_answered(chatwoot, desk):
    chatwoot.writes("a note of an agent", private=True)
    for kind in ("outgoing", "activity", "template"):
        ignored = chatwoot.writes("said by us", message_type=kind)
        assert ignored.json() == {"status": "ignored"}
    chatwoot.happens("message_updated", chatwoot.messages[1][1])
    opened = {"event": "conversation_opened", "id": 1, "status": "open"}
    assert chatwoot.send(json.dumps(opened).encode()).json() == {"status": "ignored"}
    for status in ("open", "resolved", "snoozed"):
        chatwoot.status[2] = status
        chatwoot.writes("hello?", 2)
    settled(chatwoot, 3)
    assert chatwoot.said(2) == []
    assert desk.assistant.known == [[]], "the fence alone"


@pytest.mark.parametrize("text", ["a card?", "?!", "x" * 5000])
def test_a_message_that_is_told_twice_is_answered_once(chatwoot, text):
    chatwoot.writes(text)
    for _ in range(3):
        chatwoot.happens("message_created", chatwoot.messages[1][0])
    settled(chatwoot)
    assert len(chatwoot.said()) == 2
    first = chatwoot.said()[0]["content"]
    assert first in ("0: a card?", "<no_words en {}>", "<too_long en {}>")


def test_choices_are_buttons_and_a_pick_is_a_message(chatwoot, desk):
    chatwoot.writes("which one?")
    until(chatwoot.said)
    (asked,) = chatwoot.said()
    assert asked["content_type"] == "input_select"
    items = asked["content_attributes"]["items"]
    assert items == [{"title": choice, "value": choice} for choice in CHOICES]
    for _ in range(2):
        chatwoot.picks(asked, "Lost cards")
    settled(chatwoot)
    assert [m["content"] for m in chatwoot.said()][1:] == ["2: Lost cards", "4: a fence"]
    assert desk.assistant.known[1][1].choices == CHOICES, "the turn knows what was offered"


@pytest.mark.parametrize(
    ("text", "channel", "kind"),
    [
        ("which one?", "Channel::Whatsapp", "input_select"),
        ("which long one?", "Channel::Whatsapp", "text"),
        ("which long one?", "Channel::WebWidget", "input_select"),
    ],
)
def test_whatsapp_gets_no_button_that_it_refuses(chatwoot, text, channel, kind):
    chatwoot.writes(text, channel=channel)
    until(chatwoot.said)
    assert chatwoot.said()[0]["content_type"] == kind


def test_a_wish_for_a_person_leaves_the_conversation_to_people(chatwoot, desk):
    chatwoot.writes("what is the fee?")
    chatwoot.writes("a person please, my card is 4111 1111 1111 1111")
    until(lambda: desk.handover.handoffs.all() and chatwoot.status[1] == "open")
    last = chatwoot.said()[-1]["content"]
    assert last == "2: a person please, my card is 4111 1111 1111 1111"
    assert "<person_called" not in last, "Chatwoot itself says when its people answer"
    assert chatwoot.notes() == [
        "The customer wrote: what is the fee? / a person please, my card is [card]\n"
        "Frontdesk tried: answer (Card fees)"
    ]
    (handoff,) = desk.handover.handoffs.all()
    assert (handoff.state, handoff.agent) == ("taken", "chatwoot")
    assert desk.handover.handoffs.usual_wait() is None, "nobody here answered"
    assert desk.handover.remind() == []
    chatwoot.writes("are you there?")
    settled(chatwoot, 2)
    assert len(chatwoot.said(1)) == 2, "people have it"


def test_what_was_under_way_is_not_answered_and_what_is_pending_again_is(chatwoot, desk):
    chatwoot.writes("a person please")
    chatwoot.writes("hello?")  # told before Chatwoot hears that it is open
    settled(chatwoot, 2)
    assert [m["content"] for m in chatwoot.said()] == ["0: a person please"]
    chatwoot.status[1] = "pending"
    with desk.conversations.database.write() as session:
        session.get(OutsideConversationRow, ("chatwoot", "3/conversations/1")).opened = (
            now() - UNDER_WAY
        )
    chatwoot.writes("and a letter?")
    until(lambda: len(chatwoot.said()) == 2)
    assert chatwoot.said()[1]["content"] == "2: and a letter?"
    assert [h.agent for h in desk.handover.handoffs.all(["returned"])] == ["chatwoot"]
    assert desk.handover.handoffs.all() == []


def test_without_people_in_the_company_file_chatwoots_people_are_called(chatwoot, desk):
    desk.assistant.responder.company.people = None
    chatwoot.writes("a person please")
    until(lambda: chatwoot.status[1] == "open")
    assert len(chatwoot.notes()) == 1
    assert desk.handover.handoffs.all() == []


def test_a_picture_alone_is_for_people(chatwoot):
    chatwoot.writes(None, attachments=[{"file_type": "image"}])
    until(lambda: chatwoot.status[1] == "open")
    assert chatwoot.said() == []


@pytest.mark.parametrize(("text", "lang"), [("a card?", "en"), ("卡费多少", "zh")])
def test_a_turn_that_fails_is_told_and_left_to_people(chatwoot, desk, text, lang):
    desk.assistant.broken = True
    chatwoot.writes(text)
    until(lambda: chatwoot.status[1] == "open")
    assert [m["content"] for m in chatwoot.said()] == [f"<failed {lang} {{}}>"]
    assert "a secret" not in str(chatwoot.messages)


def test_where_nothing_can_be_kept_people_answer(chatwoot, desk, monkeypatch):
    def full(*_, **__):
        raise StoreError("the disk is full")

    monkeypatch.setattr(desk.conversations, "ask", full)
    chatwoot.writes("a card?")
    until(lambda: chatwoot.status[1] == "open")
    assert chatwoot.said()[0]["content"] == "<failed en {}>"


def test_what_has_no_place_at_the_gate_is_left_to_people(desk, server):
    gate = Gate(1, 0, 0.05)
    connected(desk, server, gate=gate)
    with gate.turn():
        server.writes("a card?")
        until(lambda: server.status[1] == "open")
    assert server.said() == []
    settled(server, 2)


def test_one_who_writes_too_often_is_left_to_people(desk, server):
    connected(desk, server, per_minute=2)
    for number in range(3):
        server.writes(f"a card {number}?")
    until(lambda: server.status[1] == "open")
    assert len(server.said()) == 2
    settled(server, 2)
    assert len(server.said(2)) == 1, "others are not in the way"


def test_what_finds_no_room_in_the_background_is_left_to_people(desk, server, monkeypatch):
    monkeypatch.setattr("assistant.web.chatwoot_routes.MOST", 0)
    monkeypatch.setattr("assistant.web.chatwoot_routes.MOST_LEFT", 1)
    connected(desk, server)
    server.writes("a card?")
    until(lambda: server.status[1] == "open")
    monkeypatch.setattr("assistant.web.chatwoot_routes.MOST_LEFT", 0)
    connected(desk, server)
    refused = server.writes("a card?", 2)
    # Chatwoot itself opens a conversation whose bot fails.
    assert refused.status_code == 503


def test_at_the_end_of_the_process_what_runs_is_answered_and_what_waits_is_left(
    desk, server, monkeypatch
):
    monkeypatch.setattr("assistant.web.chatwoot_routes.AT_ONCE", 1)
    app, held = connected(desk, server), threading.Event()
    answer, desk.serve = desk.serve, lambda *given: held.wait(10) and answer(*given)
    with TestClient(app.app):
        server.writes("a card?", 1)
        server.writes("a loan?", 2)
        threading.Timer(0.3, held.set).start()
    assert [m["content"] for m in server.said(1)] == ["0: a card?"]
    assert (server.said(2), server.status[2]) == ([], "open")


def test_while_chatwoot_is_down_the_server_goes_on(chatwoot, caplog):
    chatwoot.is_down = True
    assert chatwoot.writes("a card?").status_code == 200
    until(lambda: "a conversation could not be left to people" in caplog.text)
    assert "bots-" not in caplog.text, "no token and no secret"
    chatwoot.is_down = False
    settled(chatwoot, 2)
    assert len(chatwoot.said(2)) == 1


@pytest.mark.parametrize(
    "how",
    [
        {"secret": "another"},
        # Functions, since the parameters may be made many minutes before the test runs.
        {"timestamp": lambda: str(int(time.time()) - 400)},
        {"timestamp": lambda: str(int(time.time()) + 400)},
        {"timestamp": ""},
        {"timestamp": "-1"},
        {"timestamp": "9" * 400},
        {"timestamp": "now"},
    ],
    ids=["secret", "old", "future", "none", "negative", "endless", "words"],
)
def test_what_chatwoot_did_not_just_sign_is_refused(chatwoot, how):
    how = {name: value() if callable(value) else value for name, value in how.items()}
    refused = chatwoot.send(b'{"event": "message_created"}', **how)
    assert refused.status_code == 401
    assert refused.json()["error"]["message"].startswith("Expected a request that Chatwoot signed")


def test_a_signature_is_of_the_whole_body(chatwoot):
    told = []
    send, chatwoot.tell = chatwoot.tell, lambda body, headers: told.append((body, headers))
    chatwoot.writes("a card?")
    ((body, headers),) = told
    assert send(body.replace(b"card", b"loan"), headers).status_code == 401
    assert send(body, {**headers, "x-chatwoot-signature": ""}).status_code == 401
    assert send(body, headers).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"{}", b'{"event": "message_created"}', b"\xff"]
)
def test_what_is_no_event_is_refused(chatwoot, body):
    assert chatwoot.send(body).status_code == 400


def test_without_settings_there_is_no_route(desk):
    assert Chatwoot.of(Settings()) is None
    assert TestClient(served(desk).app).post("/hooks/chatwoot").status_code == 404


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"chatwoot_token": None}, "chatwoot_url, chatwoot_token and chatwoot_secret together"),
        ({"chatwoot_url": "chat.example"}, "chatwoot_url: expected https://host"),
        ({"public_url": "help.example"}, "public_url: expected https://host"),
    ],
)
def test_wrong_settings_are_told_at_the_start(changed, said):
    known = {
        "chatwoot_url": "https://c.example",
        "chatwoot_token": TOKEN,
        "chatwoot_secret": SECRET,
    }
    assert Chatwoot.of(Settings(**known))
    with pytest.raises(SettingsError, match=said) as caught:
        Chatwoot.of(Settings(**{**known, **changed}))
    assert SECRET not in str(caught.value)


def test_the_bank_answers_in_both_languages(bank, server, tmp_path):
    desk = desk_of(bank, tmp_path)
    connected(desk, server)
    for conversation, text in (
        (1, "How much does a replacement card cost?"),
        (2, "补办银行卡要多少钱？"),
        (3, "I want to talk to a person"),
        (4, "我要转人工"),
    ):
        server.writes(text, conversation)
        until_answered(server, conversation)
    for conversation, heading, lang in ((1, "Sources:", "en"), (2, "来源：", "zh")):
        said = server.said(conversation)[0]["content"]
        assert f"\n\n{heading}\n- " in said
        assert f": https://help.example/articles/{lang}/" in said
    for conversation, note in ((3, "The customer wrote: I want"), (4, "客户说：我要转人工")):
        until(lambda number=conversation: server.status[number] == "open")
        assert server.notes(conversation)[0].startswith(note)
    agents = [handoff.agent for handoff in desk.handover.handoffs.all()]
    assert agents == ["chatwoot", "chatwoot"]


def until_answered(server, conversation):
    end = time.monotonic() + 120
    while not server.said(conversation):
        assert time.monotonic() < end
        time.sleep(0.05)
