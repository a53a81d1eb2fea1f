"""The inbox in a browser: agents reply, once and one at a time, and lose nothing that they typed."""

import re
from types import SimpleNamespace

import pytest

from assistant.store.audit import Audit
from assistant.store.canned import CannedReplies
from assistant.store.contacts import Contacts
from assistant.store.tables import HandoffRow, now
from assistant.store.users import Users
from tests.console_server import ConsoleServer
from tests.page_browser import EN, PHONE, ZH, axe

PASSWORD = "a lantern in the fog"
BOX = "#fd-reply textarea"
EVIL = "${alert(1)} <img src=x onerror=alert(1)> {{7*7}} a person"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = ConsoleServer(tmp_path_factory.mktemp("console"))
    database = started.desk.conversations.database
    people = [("ann", "agent"), ("bob", "agent"), ("ada", "administrator")]
    for name, role in people:
        Users(database).add(name, PASSWORD, role)
    yield SimpleNamespace(
        url=started.url,
        desk=started.desk,
        handoffs=started.handoffs,
        database=database,
        users=Users(database),
        canned=CannedReplies(database),
    )
    started.stop()


@pytest.fixture
def agent(chromium, server):
    """Return what signs somebody in, in a browser of their own, and opens a page."""
    contexts, problems = [], []

    def opened(name, path, **how):
        context = chromium.new_context(**(how or EN))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: problems.append(str(error)))
        signed = context.request.post(
            f"{server.url}/v1/sign-in", data={"name": name, "password": PASSWORD}
        )
        assert signed.ok
        page.goto(server.url + path)
        page.wait_for_selector("#fd-listed h1")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not problems, problems


def called(server, *texts):
    """Return a conversation that waits for a person, and the number of its handoff."""
    conversation = server.desk.begin("x", "page")
    for text in texts or ("How much is a new card?", "a person please"):
        list(server.desk.serve(conversation, text))
    return conversation, server.handoffs.of(conversation).id


def said_by_people(server, conversation):
    messages = server.desk.conversations.messages(conversation)
    return [(m.author, m.text) for m in messages if m.role == "person"]


def opened(agent, name, number, lang="en", **how):
    page = agent(name, f"/console/{lang}/inbox?handoff={number}", **how)
    page.wait_for_selector(BOX)
    page.wait_for_selector(".fd-talk")
    return page


def send(page, text):
    page.fill(BOX, text)
    page.click("#fd-send")


def until(page, is_so):
    """Wait for something that no page shows."""
    for _ in range(50):
        if is_so():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come about within 5 seconds")


def test_two_agents_at_the_same_conversation(agent, server):
    conversation, number = called(server)
    ann, bob = (opened(agent, name, number) for name in ("ann", "bob"))
    bob.wait_for_selector(".fd-present :text('ann is looking at it')")
    ann.locator(BOX).press_sequentially("Hello, I am An")
    bob.wait_for_selector(".fd-present :text('ann is writing')")
    assert not server.handoffs.of(conversation).is_typing, "nobody has it yet"
    ann.fill(BOX, "Hello, I am Ann.")
    ann.click("#fd-send")
    ann.wait_for_selector("#fd-told :text('Sent.')")
    assert ann.input_value(BOX) == ""
    # What the other has typed meanwhile stays, and is not sent.
    send(bob, "Hello, I am Bob.")
    bob.wait_for_selector("#fd-told [role=alert]:has-text('ann has this conversation')")
    assert bob.input_value(BOX) == "Hello, I am Bob."
    assert said_by_people(server, conversation) == [("ann", "Hello, I am Ann.")]
    bob.wait_for_selector(".fd-in-person:has-text('Hello, I am Ann.')")
    bob.wait_for_selector(".fd-state:has-text('ann has it')")
    assert bob.input_value(BOX) == "Hello, I am Bob.", "a refresh takes nothing away"
    ann.locator(BOX).press_sequentially("And")
    until(ann, lambda: server.handoffs.of(conversation).is_typing)
    # Given to the other, the text that was kept can be sent.
    ann.check("#fd-assign input[value=bob]")
    ann.click("#fd-assign-do")
    ann.wait_for_selector(":text('bob has it now.')")
    bob.wait_for_selector(".fd-state:has-text('You have it')")
    bob.click("#fd-send")
    bob.wait_for_selector("#fd-told :text('Sent.')")
    assert said_by_people(server, conversation)[1:] == [("bob", "Hello, I am Bob.")]


def test_a_double_click_sends_once_and_the_next_reply_is_another(agent, server):
    conversation, number = called(server)
    page = opened(agent, "ann", number)
    page.fill(BOX, "Hello")
    page.dblclick("#fd-send")
    page.wait_for_selector("#fd-told :text('Sent.')")
    page.wait_for_timeout(1000)
    assert said_by_people(server, conversation) == [("ann", "Hello")]
    send(page, "Hello")
    page.locator(".fd-in-person").nth(1).wait_for()
    page.fill(BOX, "By key")
    page.locator(BOX).press("Control+Enter")
    page.locator(".fd-in-person").nth(2).wait_for()
    assert [text for _, text in said_by_people(server, conversation)] == [
        "Hello",
        "Hello",
        "By key",
    ]


def test_what_the_customer_writes_appears_and_what_is_typed_stays(agent, server):
    conversation, number = called(server)
    page = opened(agent, "ann", number)
    page.fill(BOX, "I am still wri")
    list(server.desk.serve(conversation, "another thing"))
    page.wait_for_selector(".fd-in-user:has-text('another thing')")
    assert page.input_value(BOX) == "I am still wri"
    page.reload()
    page.wait_for_function(f"document.querySelector('{BOX}')?.value === 'I am still wri'")


def test_a_session_that_ends_in_mid_reply_loses_nothing(agent, server):
    conversation, number = called(server)
    page = opened(agent, "ann", number)
    page.fill(BOX, "It costs £5.")
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.click("#fd-send")
    page.wait_for_selector("#fd-ended:has-text('Sign in again in another tab')")
    assert page.input_value(BOX) == "It costs £5."
    assert said_by_people(server, conversation) == []
    page.wait_for_timeout(6000)
    page.context.add_cookies(cookies)
    page.wait_for_selector("#fd-ended", state="hidden")
    page.click("#fd-send")
    page.wait_for_selector("#fd-told :text('Sent.')")
    assert said_by_people(server, conversation) == [("ann", "It costs £5.")]


def test_a_user_who_is_removed_is_refused_and_others_go_on(agent, server):
    server.users.add("eve", PASSWORD, "agent")
    conversation, number = called(server)
    eve, bob = (opened(agent, name, number) for name in ("eve", "bob"))
    send(eve, "Hello, I am Eve.")
    eve.wait_for_selector("#fd-told :text('Sent.')")
    bob.wait_for_selector(".fd-state:has-text('eve has it')")
    server.users.remove("eve")
    send(eve, "Are you there?")
    eve.wait_for_selector("#fd-ended:has-text('not signed in any more')")
    assert eve.input_value(BOX) == "Are you there?"
    bob.wait_for_selector(".fd-state:has-text('Nobody has it')")
    send(bob, "Bob goes on.")
    bob.wait_for_selector("#fd-told :text('Sent.')")
    assert said_by_people(server, conversation)[-1] == ("bob", "Bob goes on.")


def test_an_administrator_gives_away_what_another_has(agent, server):
    conversation, number = called(server)
    server.handoffs.take(number, "ann")
    ada = opened(agent, "ada", number)
    ada.check("#fd-assign input[value=bob]")
    ada.click("#fd-assign-do")
    ada.wait_for_selector(".fd-state:has-text('bob has it')")
    assert server.handoffs.of(conversation).agent == "bob"
    deeds = [(deed.who, deed.did) for deed in Audit(server.database).latest(1)]
    assert deeds == [("ada", "assign")]


def test_what_sleeps_leaves_the_list_and_comes_back(agent, server):
    conversation, number = called(server, "my own words, a person")
    page = opened(agent, "ann", number)
    entry = page.locator(".fd-entry", has_text="my own words")
    entry.wait_for()
    page.check("input[value=two_hours]")
    page.click("#fd-snooze-do")
    page.wait_for_selector(":text('or until the customer writes')")
    entry.wait_for(state="detached")
    with server.database.write() as session:
        session.get(HandoffRow, number).snoozed = now()
    entry.wait_for()
    page.click("#fd-snooze-do")
    entry.wait_for(state="detached")
    list(server.desk.serve(conversation, "my own words again"))
    entry.wait_for()


def test_how_it_ended_is_kept_and_shown(agent, server):
    conversation, number = called(server)
    page = opened(agent, "ann", number)
    page.click("#fd-close-do")
    page.wait_for_selector("#fd-told :text('Choose one first.')")
    page.check("input[value=no_answer]")
    page.click("#fd-close-do")
    page.wait_for_selector(".fd-state:has-text('No answer from the customer')")
    assert server.handoffs.read(number).outcome == "no_answer"
    page.click(".fd-in-views a:text('Ended')")
    page.wait_for_selector(".fd-entry:has-text('No answer from the customer')")
    assert server.handoffs.of(conversation) is None


def test_given_back_the_customer_is_told(agent, server):
    conversation, number = called(server)
    page = opened(agent, "ann", number)
    page.click("#fd-take")
    page.wait_for_selector(".fd-state:has-text('You have it')")
    page.click("#fd-back")
    page.wait_for_selector(".fd-state:has-text('The assistant has it again')")
    assert server.desk.conversations.messages(conversation)[-1].role == "assistant"


@pytest.mark.parametrize(
    ("lang", "how", "wrong", "right", "told"),
    [
        (
            "en",
            EN,
            "A new card costs £15.",
            "A replacement card costs £5.",
            "£15 stands in no article",
        ),
        ("zh", ZH, "新卡收费 15 英镑。", "补卡收费 5 英镑。", "没有文章在这件事上提到“15 英镑”"),
    ],
)
def test_figures_that_no_article_supports_are_marked_and_never_blocked(
    agent, server, lang, how, wrong, right, told
):
    conversation, number = called(server)
    page = opened(agent, "ann", number, lang, **how)
    page.fill(BOX, wrong)
    page.wait_for_selector(f"#fd-figures :text('{told}')")
    page.fill(BOX, right)
    page.wait_for_selector("#fd-figures p", state="detached")
    page.wait_for_timeout(600)
    assert page.inner_text("#fd-figures") == ""
    page.fill(BOX, wrong)
    page.wait_for_selector("#fd-figures p")
    page.click("#fd-send")
    page.locator(".fd-in-person").first.wait_for()
    page.wait_for_selector("#fd-figures p", state="detached")
    assert said_by_people(server, conversation) == [("ann", wrong)]


def test_a_suggestion_is_inserted_by_a_button_and_sent_by_nobody(agent, server):
    conversation, number = called(server)
    list(server.desk.serve(conversation, "How much is a letter?"))
    page = opened(agent, "ann", number)
    before = server.desk.conversations.messages(conversation)
    page.click("#fd-suggest")
    page.click(".fd-in-suggested [data-insert]")
    assert page.input_value(BOX).startswith("Replacement or spare card: £5")
    assert server.desk.conversations.messages(conversation) == before


def test_canned_replies_are_written_picked_changed_and_deleted(agent, server):
    _, number = called(server)
    page = agent("ann", f"/console/en/inbox?handoff={number}&edit=1")
    page.fill("#fd-canned-title input, #fd-canned-title textarea", "Hello ${alert(1)}")
    page.fill("#fd-canned-text textarea", EVIL)
    page.click("#fd-canned-keep")
    page.click(".fd-canned-list a")
    page.wait_for_url("**canned=*")
    page.wait_for_function("document.querySelector('#fd-canned-text textarea')?.value")
    page.fill("#fd-canned-text textarea", "Hello & welcome")
    page.click("#fd-canned-keep")
    page.wait_for_selector(":text('Kept.')")
    page.goto(f"{server.url}/console/en/inbox?handoff={number}")
    page.wait_for_selector(BOX)
    page.fill(BOX, "First. ")
    page.click(".fd-canned summary")
    page.click(".fd-canned [data-insert]")
    assert page.input_value(BOX) == "First. Hello & welcome"
    page.goto(f"{server.url}/console/en/inbox?edit=1&canned={server.canned.all('en')[0].id}")
    page.click("#fd-canned-remove")
    page.wait_for_selector(":text('Deleted.')")
    assert server.canned.all() == []


def test_a_way_to_be_reached_is_shown_on_request_and_noted(agent, server):
    conversation, number = called(server)
    Contacts(server.database, "secret", 30).leave(conversation, "020 7946 0000")
    server.handoffs.take(number, "ann")
    bob = opened(agent, "bob", number)
    bob.click("[data-contact]")
    bob.wait_for_selector("output:has-text('Only the one who has the conversation')")
    ann = opened(agent, "ann", number)
    assert "7946" not in ann.content()
    ann.click("[data-contact]")
    ann.wait_for_selector("output:has-text('020 7946 0000')")
    deed = Audit(server.database).latest(1)[0]
    assert (deed.who, deed.did, deed.on) == ("ann", "read contact", conversation)


def test_what_customers_and_agents_type_runs_nowhere(agent, server):
    _, number = called(server, EVIL)
    page = opened(agent, "ann", number)
    assert EVIL in page.inner_text(".fd-talk")
    assert page.locator(".fd-entry", has_text=EVIL).count() == 1
    page.fill(BOX, f"{EVIL} £99.99 $&")
    page.wait_for_selector("#fd-figures :text('£99.99 stands in no article.')")
    page.click("#fd-note")
    page.wait_for_selector(".fd-in-note:has-text('{{7*7}}')")
    assert page.locator("img").count() == 0
    page.goto(f"{server.url}/console/en/inbox?handoff={EVIL}&view=<script>alert(1)</script>")
    page.wait_for_selector("#fd-listed h1")


def test_the_title_counts_who_waits(agent, server):
    called(server)
    page = agent("ann", "/console/en/inbox")
    page.wait_for_function("/^\\(\\d+\\) Inbox/.test(document.title)")
    before = int(re.match(r"\((\d+)\)", page.title()).group(1))
    _, number = called(server)
    page.wait_for_function(f"document.title.startsWith('({before + 1}) ')")
    server.handoffs.take(number, "bob")
    page.wait_for_function(f"document.title.startsWith('({before}) ')")


def test_in_chinese_on_a_phone(agent, server):
    conversation, number = called(server, "补换卡要多少钱？", "我要转人工")
    page = opened(agent, "ann", number, "zh", **ZH | PHONE)
    assert page.inner_text(".fd-state").startswith("还没有人接手")
    assert page.inner_text("#fd-send") == "发送给客户"
    send(page, "您好，我是安。")
    page.wait_for_selector("#fd-told :text('已发送。')")
    assert said_by_people(server, conversation) == [("ann", "您好，我是安。")]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    left = re.sub(
        r"\b(Ctrl|Enter|Lantern|English|ann|bob|ada|Direct|Debit)\b", "", page.inner_text("body")
    )
    assert not re.search(r"\b[A-Z][a-z]{3,} [a-z]{3,}", left)


@pytest.mark.parametrize("path", ["inbox", "inbox?handoff={}", "inbox?edit=1"])
def test_nothing_serious_for_axe(agent, server, path):
    _, number = called(server)
    page = agent("ann", "/console/en/" + path.format(number))
    page.wait_for_timeout(1500)
    page.evaluate(axe())
    found = page.evaluate("axe.run('#fd-inbox, .fd-top').then(r => r.violations)")
    serious = [
        (one["id"], [node["html"][:200] for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert page.locator("h1").count() == 1
