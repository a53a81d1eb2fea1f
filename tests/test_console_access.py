"""What each role may do in the console: every page and every function that a page calls."""

import json

import httpx
import pytest

from assistant.errors import BusyError
from assistant.store.runs import Runs
from assistant.store.users import Users
from assistant.ui.console.words import LANGUAGES, words
from tests.console_server import ConsoleServer

PASSWORD = "a lantern in the fog"
ROLES = ("agent", "editor", "administrator")
# Page and function, by who may call it: these and all with a higher role. A new function must be
# entered here; the table in docs/reliability.md says the same in words.
MAY = {
    "agent": {
        *("home: load", "conversations: load", "unanswered: load", "unanswered: Try again"),
        *("knowledge: load", "knowledge: 2", "quality: load", "quality: 2", "quality: Caution"),
        *("inbox: load", "inbox: 2.5", "inbox: Take it", "inbox: Give it", "inbox: Snooze"),
        *("inbox: Suggest a reply", "inbox: Send to the customer", "inbox: Close"),
        *("inbox: Keep as an internal note", "inbox: Give it back to the assistant"),
        *("inbox: Keep", "inbox: Delete"),  # replies for everyday
        "settings: load",  # one sentence: who may
    },
    "editor": {
        *("knowledge: Save draft", "knowledge: Drop draft", "knowledge: Upload a document"),
        *("knowledge: Ask before and after", "knowledge: Check and publish", "knowledge: success"),
        *("knowledge: Bring this version back", "knowledge: Build the index"),
        "knowledge: I have seen it, go on with my draft",
        *("quality: Play the dialogues", "quality: Ask the question sets", "quality: Stop"),
    },
    "administrator": {
        *("quality: Keep it", "quality: Let the gate decide", "quality: Roll back"),
        "quality: Stop",  # the gate
        *("settings: Value", "settings: Save", "settings: Back to the file's", "settings: Preview"),
        *("settings: Back to company.yml's", "settings: Delete them now"),
        *("settings: Add", "settings: Give this role", "settings: Change the password"),
        *("settings: Remove", "settings: Make a key", "settings: Revoke"),
    },
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = ConsoleServer(tmp_path_factory.mktemp("console"))
    users = Users(started.desk.conversations.database)
    for role in ROLES:
        users.add(role, PASSWORD, role)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def clients(server):
    found = {role: httpx.Client(base_url=server.url, timeout=60) for role in ROLES}
    for role, client in found.items():
        client.post("/v1/sign-in", json={"name": role, "password": PASSWORD}).raise_for_status()
    yield found
    for client in found.values():
        client.close()


def functions(client, lang):
    """Return the functions of a console that run on the server: page, name, number and inputs."""
    config = client.get(f"/console/{lang}/config").json()
    props = {one["id"]: one["props"] for one in config["components"]}
    empty = {one["id"]: "" for one in config["components"] if one["type"] == "textbox"}
    pages = {
        one: page or "home" for page, has in config["page"].items() for one in has["dependencies"]
    }
    return [
        (
            f"{pages[one['id']]}: {named(one, props)}",
            one["id"],
            [props.get(i, {}).get("value") or empty.get(i) for i in one["inputs"]],
        )
        for one in config["dependencies"]
        if one["backend_fn"]
    ]


def named(function, props):
    """Return what a person does to have a function called: the words of the button, or "load"."""
    place, event = function["targets"][0]
    shown = props.get(place, {})
    return shown.get("label") or str(shown.get("value") or event) if event != "load" else event


def called(client, lang, number, data):
    """Return the error that a function gives; "" for none."""
    base, session = f"/console/{lang}/gradio_api/queue", f"session{number}"
    body = {"data": data, "fn_index": number, "session_hash": session}
    client.post(f"{base}/join", json=body).raise_for_status()
    with client.stream("GET", f"{base}/data", params={"session_hash": session}) as response:
        for line in response.iter_lines():
            told = json.loads(line[5:]) if line.startswith("data:") else {}
            if told.get("msg") == "process_completed":
                return str(told["output"].get("error") or "") if not told["success"] else ""
    raise AssertionError("the function did not end")


def lowest(clients, lang):
    """Return the numbers and names of the functions by the lowest role that may call them."""
    refusals = {words(lang)["frame.not_edit"], words(lang)["frame.not_administer"]}
    found = {role: set() for role in ROLES}
    for name, number, data in functions(clients["administrator"], lang):
        may = [r for r in ROLES if called(clients[r], lang, number, data) not in refusals]
        assert may == list(ROLES[ROLES.index(may[0]) :]), name
        found[may[0]].add((number, name))
    return found


def test_each_function_lets_through_whom_it_should(clients, monkeypatch):
    def start(*_, **__):
        raise BusyError("Nothing is to run here.")

    monkeypatch.setattr(Runs, "start", start)
    english, chinese = (lowest(clients, lang) for lang in LANGUAGES)
    for role, known in english.items():
        assert {name for _, name in known} ^ MAY[role] == set(), role
    numbers = [
        {role: {n for n, _ in known} for role, known in k.items()} for k in (english, chinese)
    ]
    assert numbers[0] == numbers[1]
