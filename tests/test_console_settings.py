"""The console's settings in a browser: what is changed there, by whom, and what is never shown."""

import datetime

import pytest

from assistant.store.audit import Audit
from assistant.store.keys import Keys
from assistant.store.tables import ConversationRow, now
from tests.page_browser import axe

pytestmark = pytest.mark.slow
PASSWORD = "long enough for all"
WORDS = {
    "en": {"save": "Save", "value": "Value", "text": "Text", "refused": "Not kept. caution must be ≥ 0.5.",
           "braces": "In braces, only gaps such as {{ company }}"},
    "zh": {"save": "保存", "value": "值", "text": "内容", "refused": "没有保存。caution 必须 ≥ 0.5。",
           "braces": "花括号里只能是 {{ company }}"},
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    from tests.console_server import ConsoleServer

    found = ConsoleServer(tmp_path_factory.mktemp("console"), secret_key="swordfish" * 3)
    yield found
    found.stop()


@pytest.fixture
def visit(chromium, server):
    contexts = []

    def opened(query="", lang="en", signed_in_as=None, **how):
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, **how)
        contexts.append(context)
        if signed_in_as:
            said = {"name": signed_in_as, "password": PASSWORD}
            assert context.request.post(f"{server.url}/v1/sign-in", data=said).ok
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.goto(f"{server.url}/console/{lang}/settings{query}")
        page.locator("h1", has_text="Settings" if lang == "en" else "设置").wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()


def said(page, text):
    page.locator(".fd-told:visible", has_text=text).wait_for()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_setting_is_changed_refused_and_put_back(visit, server, lang):
    words, policy = WORDS[lang], server.answerer.finder.policy
    usual = policy._raised(0.5)
    page = visit("?set=caution", lang)
    box = page.get_by_label(words["value"], exact=True)
    box.fill("0")
    page.get_by_role("button", name=words["save"]).click()
    page.get_by_text(words["refused"]).wait_for()
    assert policy._raised(0.5) == usual
    box.fill("12")
    page.get_by_role("button", name=words["save"]).click()
    said(page, "caution")
    assert policy._raised(0.5) > usual
    row = page.locator("tr", has=page.locator("code", has_text="caution"))
    assert "12" in row.inner_text()
    page.get_by_role("button", name="Back" if lang == "en" else "恢复").click()
    said(page, "counts again" if lang == "en" else "已恢复")
    assert policy._raised(0.5) == usual


def test_no_secret_is_in_the_page(visit):
    page = visit()
    page.locator("code", has_text="secret_key").first.wait_for()
    assert "swordfish" not in page.content()


def test_hours_are_changed_at_once_and_go_back(visit, server):
    company = server.answerer.responder.company
    page = visit("?part=hours")
    page.get_by_label("Monday").fill("nonsense")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Hours are written like 08:00-22:00").wait_for()
    page.get_by_label("Monday").fill("09:00-17:00")
    page.get_by_role("button", name="Save").click()
    said(page, "in effect")
    assert company.people.hours["monday"] == "09:00-17:00"
    page.get_by_role("button", name="Back to company.yml's").click()
    said(page, "count again")
    assert company.people.hours["monday"] == "00:00-24:00"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_text_is_previewed_in_both_languages_and_kept(visit, server, lang):
    words, evil = WORDS[lang], "${alert(1)} <img src=x onerror=alert(2)>"
    page = visit(f"?part=texts&text=saying.{lang}.thanks", lang)
    page.on("dialog", lambda _: pytest.fail("something was run"))
    box = page.get_by_label(words["text"], exact=True)
    box.fill("{{ 7*7 }}")
    page.get_by_role("button", name=words["save"]).click()
    page.get_by_text(words["braces"]).wait_for()
    box.fill(evil)
    page.get_by_role("button", name="Preview" if lang == "en" else "预览").click()
    page.locator(".fd-said", has_text=evil).wait_for()
    assert page.locator(".fd-said").count() == 2
    page.get_by_role("button", name=words["save"]).click()
    said(page, f"saying.{lang}.thanks")
    assert server.answerer.responder.saying("thanks", lang) == evil
    page.get_by_role("button", name="Back" if lang == "en" else "恢复").click()
    page.locator(".fd-said", has_text=evil).wait_for(state="detached")
    assert server.answerer.responder.saying("thanks", lang) != evil


def test_a_key_is_shown_once_and_revoked(visit, server):
    page = visit("?part=keys")
    page.get_by_label("Name of the program").fill("shop")
    page.get_by_role("button", name="Make a key").click()
    said(page, "fd-")
    key = page.locator(".fd-told code").inner_text()
    keys = Keys(server.desk.conversations.database)
    assert keys.find(key).name == "shop"
    again = visit("?part=keys&key=shop")
    again.locator("h3", has_text="shop").wait_for()
    assert key not in again.content()
    again.get_by_role("button", name="Revoke").click()
    said(again, "shop")
    assert keys.find(key) is None


def test_too_old_conversations_are_counted_and_purged(visit, server):
    old = now() - datetime.timedelta(days=400)
    with server.desk.conversations.database.write() as session:
        session.add(ConversationRow(id="0" * 32, channel="page", created=old, updated=old))
    page = visit("?part=retention")
    page.get_by_text("too old now: 1").wait_for()
    page.get_by_role("button", name="Delete them now").click()
    page.get_by_text("Tick the box above first").wait_for()
    page.get_by_label("Yes, delete them for good").check()
    page.get_by_role("button", name="Delete them now").click()
    said(page, "1 conversations are deleted")
    page.get_by_text("too old now: 0").wait_for()


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("part", ["", "users", "keys", "retention", "hours", "texts", "audit"])
def test_each_part_fits_and_is_accessible(visit, width, part):
    page = visit(f"?part={part}")
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate(axe())
    found = page.evaluate(
        "async () => (await axe.run('#fd-main, .fd-parts, .fd-table, .fd-filters, form')).violations"
        ".filter(v => ['serious', 'critical'].includes(v.impact)).map(v => v.id)"
    )
    assert found == []


def test_people_are_added_changed_and_removed(visit, server):
    """The last test of this file: from here on, only who signs in gets in."""
    users = server.access.sessions.users
    page = visit("?part=users")
    page.get_by_label("Name", exact=True).fill("ann")
    page.get_by_label("Administrator").check()
    page.get_by_label("Password, at least").fill(PASSWORD)
    page.get_by_label("The same password again").fill("another password")
    page.get_by_role("button", name="Add").click()
    page.get_by_text("The two passwords differ").wait_for()
    assert not users.are_there()
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Add").click()
    said(page, "ann can sign in")
    users.add("bo", PASSWORD, "agent")

    agent = visit("?part=users", signed_in_as="bo")
    agent.get_by_text("Only administrators may see").wait_for()
    assert agent.get_by_label("Password, at least").count() == 0
    refused = agent.context.request.get(f"{server.url}/v1/exports/audit.csv")
    assert refused.status == 403

    page = visit("?part=users&user=ann", signed_in_as="ann")
    page.get_by_label("Yes, remove myself").check()
    page.get_by_role("button", name="Remove").click()
    page.get_by_text("ann is the last administrator").wait_for()
    page.get_by_label("Agent").check()
    page.get_by_role("button", name="Give this role").click()
    page.get_by_text("ann is the last administrator").first.wait_for()

    other = visit("?part=users&user=bo", signed_in_as="ann")
    other.get_by_label("Editor").check()
    other.get_by_role("button", name="Give this role").click()
    said(other, "bo has the role")
    other.get_by_label("Yes, this person").check()
    other.get_by_role("button", name="Remove").click()
    said(other, "bo can sign in no more")
    assert [(user.name, user.role) for user in users.all()] == [("ann", "administrator")]

    deeds = visit("?part=audit&did=users+remove", signed_in_as="ann")
    deeds.locator("td", has_text="bo").wait_for()
    assert deeds.locator("tbody tr").count() == 1
    table = deeds.context.request.get(f"{server.url}/v1/exports/audit.csv?did=users+remove")
    assert "users remove,bo" in table.text()
    assert Audit(server.desk.conversations.database).find("ann", "users remove")[1] == 1
