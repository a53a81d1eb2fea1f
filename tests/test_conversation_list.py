"""Finding conversations, opening one, and their export."""

import csv
import io
import json
import subprocess
import sys

import httpx
import pytest

from assistant.errors import ConversationError
from assistant.reports.conversation_list import Wanted, count, every, found, known_intents
from assistant.reports.csv_cells import cell, csv_pieces
from assistant.reports.turns import MESSAGES, opened, rule_of
from assistant.routing.rules import RULES
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.feedback import Feedback
from assistant.store.tables import ArticleVersionRow
from assistant.ui.console.words import LANGUAGES, words
from tests.conftest import ROOT, desk_of, served
from tests.page_server import Answerer

FORMULA = '=HYPERLINK("http://bad.example","x")'


@pytest.fixture
def desk(store_url, tmp_path):
    made = desk_of(Answerer(), tmp_path)
    made.conversations.database.close()
    database = Database.open(store_url)
    made.conversations = Conversations(database)
    made.handover.handoffs._database = database
    made.handover._conversations = made.conversations
    yield made
    database.close()


def say(desk, *texts, channel="page"):
    conversation = desk.conversations.start(channel)
    for said in texts:
        list(desk.serve(conversation, said))
    return conversation


def ids(desk, **values):
    sort = values.pop("sort", "-created")
    wanted = Wanted(values, sort=sort)
    total = count(desk.conversations.database, wanted)
    rows = [row.id for row in found(desk.conversations.database, wanted)]
    assert total == len(rows)
    assert rows == [row.id for row in every(desk.conversations.database, wanted)]
    return rows


def test_each_filter_narrows(desk):
    fee = say(desk, "How much is a CARD?")
    angry = say(desk, "I am angry", channel="api")
    chinese = say(desk, "卡丢了怎么办？")
    person = say(desk, "a person please")
    Feedback(desk.conversations.database).judge(fee, 2, 1)
    desk.conversations.say(person, "call her tomorrow", "note", "ann")
    assert ids(desk) == [person, chinese, angry, fee]
    assert ids(desk, text="a card") == [fee]
    assert ids(desk, text="卡丢了") == [chinese]
    assert ids(desk, text="call her") == [person]
    assert ids(desk, action="handoff") == [person]
    assert ids(desk, action="nonsense") == [person, chinese, angry, fee]
    assert ids(desk, sentiment="negative") == [angry]
    assert ids(desk, language="zh") == [chinese]
    assert ids(desk, thumb="up") == [fee]
    assert ids(desk, thumb="down") == []
    assert ids(desk, channel="api") == [angry]
    assert ids(desk, person="waiting") == [person]
    assert ids(desk, person="taken") == []
    assert ids(desk, sort="created") == [fee, angry, chinese, person]
    assert ids(desk, **{"from": "2031-01-01"}) == []
    assert ids(desk, to="2031-01-01", outcome="confirmed") == [fee]
    assert known_intents(desk.conversations.database) == []


def test_what_is_searched_for_is_no_pattern(desk):
    plain = say(desk, "it costs 100 pounds")
    percent = say(desk, "it costs 100% of a_b")
    assert ids(desk, text="100%") == [percent]
    assert ids(desk, text="a_b") == [percent]
    assert ids(desk, text="%") == [percent]
    assert ids(desk, text="costs 100") == [percent, plain]
    assert ids(desk, text="'; drop table message; --") == []
    assert ids(desk, text="costs\0 100%") == [percent]


def test_a_conversation_opens_page_by_page(desk):
    conversation = say(desk, *(f"question {n}" for n in range(MESSAGES)))
    article = desk.assistant.article
    first = opened(desk.conversations, article, conversation)
    second = opened(desk.conversations, article, conversation, 2)
    assert (first.total, len(first.turns), len(second.turns)) == (2 * MESSAGES, MESSAGES, MESSAGES)
    assert second.turns[0].message.number == MESSAGES + 1
    assert opened(desk.conversations, article, conversation, 9).turns == ()
    with pytest.raises(ConversationError):
        opened(desk.conversations, article, "0" * 32)


def test_a_turn_shows_the_words_of_then_and_whether_they_have_changed(desk):
    conversation = say(desk, "How much is a card?")
    articles = desk.assistant.articles
    asked, reply = opened(desk.conversations, desk.assistant.article, conversation).turns
    assert asked.evidence == ()
    assert reply.rule.name == "clear"
    fees, letter = reply.evidence
    marked = {part for part, is_quoted in letter.parts if is_quoted}
    assert marked == {citation.quote for citation in reply.reply.citations[1:]}
    assert "".join(part for part, _ in fees.parts) == articles["en", "account-fees"].text
    assert not fees.is_changed
    changed = articles.pop(("en", "account-fees"))
    [_, reply] = opened(desk.conversations, desk.assistant.article, conversation).turns
    assert reply.evidence[0].is_gone
    articles["en", "account-fees"] = type(changed)(
        changed.id, changed.title, changed.lang, "All is free.", changed.path
    )
    [_, reply] = opened(desk.conversations, desk.assistant.article, conversation).turns
    assert (reply.evidence[0].is_changed, reply.evidence[0].is_gone) == (True, False)
    assert "£5" in "".join(part for part, _ in reply.evidence[0].parts)
    with desk.conversations.database.read() as session:
        assert session.query(ArticleVersionRow).count() == 2


def test_each_row_of_the_table_is_described_in_both_languages():
    for lang in LANGUAGES:
        assert not {r.name for r in RULES if f"conversations.rule_{r.name}" not in words(lang)}
    from assistant.messages import Action, Reply

    assert rule_of(Reply("", Action.DECLINE, "not_found", "en")).name == "unread"
    assert rule_of(Reply("", Action.DECLINE, "not_found", "en", rule="pick")).name == "pick"
    assert rule_of(Reply("", Action.ANSWER, "anything", "en")) is None


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_a_cell_is_no_formula(start):
    assert cell(f"{start}1+1") == f"'{start}1+1"


def test_numbers_and_words_stay_as_they_are():
    assert [cell(value) for value in (-1.5, 3, None, "a-b", "")] == ["-1.5", "3", "", "a-b", ""]
    text = "".join(csv_pieces(["a", "b"], ([n, 'say "x",\n'] for n in range(500))))
    assert text.startswith("\ufeffa,b")
    assert list(csv.reader(io.StringIO(text[1:])))[500] == ["499", 'say "x",\n']


def test_the_export_has_what_the_page_shows(tmp_path):
    from tests.console_server import ConsoleServer

    server = ConsoleServer(tmp_path)
    try:
        say(server.desk, FORMULA)
        say(server.desk, "I am angry")
        with httpx.Client(base_url=server.url) as client:
            got = client.get("/v1/exports/conversations.csv", params={"text": "hyperlink"})
            assert got.headers["content-type"] == "text/csv; charset=utf-8"
            rows = list(csv.DictReader(io.StringIO(got.content.decode("utf-8-sig"))))
            assert [row["question"] for row in rows] == ["'" + FORMULA]
            figures = client.get("/v1/exports/figures.csv", params={"days": "30"})
            assert "conversations,2,0" in figures.text
            assert client.get("/v1/exports/users.csv").status_code == 404
            described = client.get("/openapi.json").json()["paths"]["/v1/exports/{name}.csv"]["get"]
            assert {"200", "401", "403", "404", "503"} <= described["responses"].keys()
            assert "text/csv" in described["responses"]["200"]["content"]
        outside = {"x-forwarded-for": "192.0.2.1"}
        assert httpx.get(f"{server.url}/v1/exports/figures.csv", headers=outside).status_code == 401
    finally:
        server.stop()


def test_customers_export_nothing(tmp_path):
    from fastapi.testclient import TestClient

    ready = served(desk_of(Answerer(), tmp_path))
    token = ready.tokens.sign("0" * 32, "")
    client = TestClient(ready.app, client=("192.0.2.1", 1))
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/v1/exports/conversations.csv", headers=headers).status_code == 403


def test_the_command_finds_the_same(tmp_path):
    desk = desk_of(Answerer(), tmp_path)
    conversation = say(desk, FORMULA)
    say(desk, "How much is a card?")

    def run(*more):
        command = [sys.executable, "-m", "assistant.conversations", "--state", str(tmp_path), *more]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert json.loads(run("--text", "hyperlink", "--json").stdout)["id"] == conversation
    assert "'=HYPERLINK" in run("--csv").stdout
    assert "2 in all" in run().stdout
    assert [
        t["message"]["role"] for t in json.loads(run("--id", conversation).stdout)["turns"]
    ] == ["user", "assistant"]
    assert "expected one of unhappy" in run("--outcome", "sad").stderr
    assert run("--id", "0" * 32).returncode == 2
