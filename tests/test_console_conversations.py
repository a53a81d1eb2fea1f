"""The console's pages Home and Conversations in a browser."""

import httpx
import pytest

from assistant.store.feedback import Feedback
from assistant.store.tables import ConversationRow
from tests.console_server import ConsoleServer
from tests.page_browser import EN, PHONE, ZH, axe
from tests.page_server import EVIL

pytestmark = pytest.mark.slow
TYPED = "${alert(1)} <img src=x onerror=alert(1)> {{7*7}}"
FORMULA = '=HYPERLINK("http://bad.example","x")'


def say(server, *texts):
    conversation = server.desk.conversations.start("page")
    for said in texts:
        list(server.desk.serve(conversation, said))
    return conversation


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = ConsoleServer(tmp_path_factory.mktemp("console"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def said(server):
    """Conversations with each outcome but two, and one that tries to run something."""
    unhappy = say(server, "How much is a card?")
    Feedback(server.desk.conversations.database).judge(unhappy, 2, -1)
    say(server, "I need a person")
    say(server, "How much is a card?", "thanks")
    evil = say(server, TYPED, FORMULA, "evil", "x" * 4000)
    handoff = server.desk.handover.handoffs.all()[0]
    server.desk.handover.handoffs.take(handoff.id, "ann")
    server.desk.conversations.say(handoff.conversation, "she sounds upset", "note", "ann")
    return {"unhappy": unhappy, "evil": evil, "handed": handoff.conversation}


@pytest.fixture
def visit(chromium, server, said):
    contexts, problems = [], []

    def opened(path, **how):
        contexts.append(chromium.new_context(**how))
        page = contexts[-1].new_page()
        page.set_default_timeout(15_000)
        page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
        page.goto(server.url + path)
        page.wait_for_selector("h1")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not problems


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def serious(page):
    page.evaluate(axe())
    found = page.evaluate("axe.run(document.querySelector('gradio-app'))")["violations"]
    return [
        (v["id"], node["target"])
        for v in found
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"]
    ]


def test_each_share_opens_its_conversations(visit, said):
    page = visit("/console/en/", **EN)
    assert page.locator(".fd-big").first.inner_text() == "4"
    shares = page.locator(".fd-bar a").all_inner_texts()
    assert shares == [
        "Unhappy 25.0 %",
        "Handed over 25.0 %",
        "Confirmed 25.0 %",
        "Still open 25.0 %",
    ]
    page.locator(".fd-bar a").first.click()
    page.wait_for_selector(".fd-table tbody tr")
    assert page.locator(".fd-table tbody tr").count() == 1
    page.click("text=How much is a card?")
    page.wait_for_selector(".fd-turn")
    assert f"id={said['unhappy']}" in page.url


def test_the_definition_stands_beside_the_shares_in_chinese(visit):
    page = visit("/console/zh/?days=30", **ZH)
    assert "客户点了踩" in page.inner_text(".fd-table")
    assert page.locator(".fd-bar a").first.inner_text() == "不满意 25.0 %"
    page.click(".fd-steps > summary")
    assert page.locator(".fd-steps tbody tr").count() == 30
    page.wait_for_selector("canvas, svg.marks")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible_and_no_wider_than_the_window(visit, said, lang, theme):
    paths = ("?", "conversations?", f"conversations?id={said['evil']}&")
    for path in paths:
        for how in (EN, PHONE):
            page = visit(f"/console/{lang}/{path}__theme={theme}", **how)
            assert page.locator("h1").count() == 1
            assert fits(page)
            assert serious(page) == []
            page.close()


def test_what_customers_typed_shows_as_typed_and_runs_nowhere(visit, said):
    page = visit("/console/en/conversations?text=alert", **EN)
    assert page.locator("tbody tr td a").first.inner_text() == TYPED
    page.locator("tbody tr td a").first.click()
    page.wait_for_selector(".fd-turn")
    shown = page.locator(".fd-words").all_inner_texts()
    assert shown[0] == TYPED
    assert FORMULA in shown
    assert page.locator("#m6 > .fd-words").text_content() == EVIL
    assert page.locator(".fd-turn img, .fd-turn script").count() == 0


def test_a_forged_address_shows_a_page(visit):
    page = visit(
        '/console/en/conversations?outcome="><script>alert(1)</script>&sort=x&page=99', **EN
    )
    assert page.locator("tbody tr").count() == 4
    page = visit("/console/en/conversations?id=../../etc", **EN)
    assert "There is no such conversation" in page.inner_text(".fd-empty")
    page = visit("/console/en/?from=x&to=9999-99-99&days=-1", **EN)
    assert page.locator(".fd-big").first.inner_text() == "4"


def test_a_turn_opens_to_what_decided_it_and_its_words_of_then(visit, said):
    page = visit(f"/console/en/conversations?id={said['unhappy']}&number=2", **EN)
    opened = page.locator(".fd-marked")
    assert "Thumb down" in opened.inner_text()
    assert "What would be quoted answers" in opened.inner_text()
    assert "first_word" in opened.inner_text()
    assert opened.locator("mark").first.inner_text() == "Replacement or spare card | £5"
    assert "reads the same today" in opened.inner_text()


def test_notes_are_marked_as_internal(visit, said):
    page = visit(f"/console/en/conversations?id={said['handed']}", **EN)
    note = page.locator(".fd-note")
    assert "ann, internal note" in note.inner_text()
    assert "Customers never see this." in note.inner_text()


def test_filters_narrow_and_the_export_has_the_same_rows(visit, server):
    page = visit("/console/en/conversations", **EN)
    page.fill("[name=text]", "hyperlink")
    page.select_option("[name=language]", "en")
    page.click("text=Search")
    page.wait_for_selector("text=Clear all filters")
    assert page.locator("tbody tr").count() == 1
    address = page.locator("a[download]").get_attribute("href")
    assert "text=hyperlink" in address
    assert len(httpx.get(server.url + address).text.strip().splitlines()) == 2
    page.click("text=Clear all filters")
    page.wait_for_function("document.querySelectorAll('tbody tr').length == 4")


def test_invented_conversations_are_behind_a_switch(visit, server, said):
    invented = say(server, "How much is an invented card?")
    with server.desk.conversations.database.write() as session:
        session.get(ConversationRow, invented).is_demo = True
    page = visit("/console/en/", **EN)
    assert page.locator(".fd-big").first.inner_text() == "4"
    page.click("text=Show the invented ones")
    page.wait_for_selector("text=What you see was invented")
    assert page.locator(".fd-big").first.inner_text() == "1"
    page.locator(".fd-big").first.click()
    page.wait_for_selector("text=How much is an invented card?")
    assert page.locator("tbody tr").count() == 1
    server.desk.conversations.delete(invented)


def test_a_thousand_turns_are_read_page_by_page(visit, server):
    conversation = say(server, *(f"question {n}" for n in range(1000)))
    page = visit(f"/console/en/conversations?id={conversation}", **EN)
    assert page.locator(".fd-turn").count() == 50
    page.locator("a[rel=next]").first.click()
    page.wait_for_selector("#m51")
    page.goto(f"{server.url}/console/en/conversations?id={conversation}&number=1999")
    page.wait_for_selector("#m1999.fd-marked")
    server.desk.conversations.delete(conversation)
