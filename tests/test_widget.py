"""The chat in a corner of other sites' pages, in a real browser and under a strict policy."""

import json
from types import SimpleNamespace

import pytest
from fastapi.responses import HTMLResponse
from fastapi.testclient import TestClient

from assistant.desk import Desk
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.web.identity import sign
from tests.conftest import served
from tests.fakes import Echo
from tests.page_browser import CHROMIUM, FLAGS
from tests.page_server import PageServer
from tests.widget_site import STAND_IN, Site, listening

pytestmark = pytest.mark.slow

SECRET = "a secret of the company's site"
KEY = "frontdesk.conversations"
PHONE = {"width": 390, "height": 844}
HOSTILE = (
    "<style>body * { display: none !important; } button, iframe { width: 3px !important; }</style>"
)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    if not CHROMIUM:
        pytest.skip("no chromium on this machine; Debian's package is called chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A chat server, and a site that it allows as ``localhost`` and as no other name."""
    database = Database.open(f"sqlite:///{tmp_path_factory.mktemp('state')}/frontdesk.db")
    with Site() as site:
        here = f"http://localhost:{site.port}"
        desk = Desk(Echo(), Conversations(database))
        server = served(desk, origins=[here], identity_secret=SECRET)
        server.app.get("/", response_class=HTMLResponse)(lambda: STAND_IN)
        with listening(server.app) as port:
            chat = f"http://127.0.0.1:{port}"
            site.policy = f"default-src 'none'; script-src {chat}; frame-src {chat}"
            other = f"http://127.0.0.1:{site.port}"
            yield SimpleNamespace(site=site, here=here, other=other, chat=chat, desk=desk)
    database.close()


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The same with the page itself, and an answerer that says what a script says."""
    with Site() as site:
        here = f"http://localhost:{site.port}"
        server = PageServer(tmp_path_factory.mktemp("state"), origins=[here])
        site.policy = f"default-src 'none'; script-src {server.url}; frame-src {server.url}"
        yield SimpleNamespace(site=site, here=here, chat=server.url, desk=server.desk)
        server.stop()


@pytest.fixture
def visit(browser, world):
    """Return what opens a page of a site with the line of HTML that brings the chat."""
    contexts = []

    def opened(
        attributes="", path="/", *, at=world, origin="", context=None, body="", times=1, **options
    ):
        line = f'<script src="{at.chat}/widget.js" async {attributes}></script>'
        at.site.pages[path] = (
            f"<!doctype html><html lang=en><head><title>shop</title>{line * times}</head>"
            f"<body><h1>Shop</h1><input id=search>{body}</body></html>"
        )
        if context is None:
            context = browser.new_context(locale="en-GB", **options)
            contexts.append(context)
        page = context.new_page()
        page.asked, page.said = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.said.append(message.text))
        page.goto(f"{origin or at.here}{path}")
        page.wait_for_function("window.Frontdesk && document.querySelector('frontdesk-chat')")
        return page

    yield opened
    for context in contexts:
        context.close()


def launcher(page):
    return page.locator("frontdesk-chat button.launcher")


def inside(page):
    return page.frame_locator("frontdesk-chat iframe")


def settle(page):
    """Wait until the panel has moved: a click into a frame that moves goes astray."""
    moved = (
        "panel => Promise.all(panel.getAnimations().map((one) => one.finished)).then(() => null)"
    )
    page.locator("frontdesk-chat .panel").evaluate(moved)


def open_chat(page):
    launcher(page).click()
    inside(page).locator("#heard", has_text='"stored"').wait_for()
    settle(page)


def ask(page, text):
    inside(page).locator("#question").fill(text)
    inside(page).locator("#question").press("Enter")
    inside(page).locator("#answers", has_text=f": {text}\n").wait_for()


def is_closed(page):
    page.locator("frontdesk-chat .panel").wait_for(state="hidden")
    return page.evaluate(
        "document.querySelector('frontdesk-chat').shadowRoot.activeElement?.className"
    )


def test_one_line_brings_the_chat_under_a_strict_policy(visit, world):
    page = visit('data-language="zh" data-colour="#FFD60a" data-position="left"')
    box = launcher(page).bounding_box()
    assert min(box["width"], box["height"]) >= 44
    assert box["x"] < 100
    assert launcher(page).get_attribute("aria-label") == "打开聊天"
    colours = "(e) => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    assert launcher(page).evaluate(colours) == ["rgb(255, 214, 10)", "rgb(0, 0, 0)"]
    assert page.locator("frontdesk-chat iframe").count() == 0, "nothing is loaded before"
    open_chat(page)
    frame = page.locator("frontdesk-chat iframe")
    assert frame.get_attribute("title") == "在线客服"
    assert frame.get_attribute("src") == f"{world.chat}/?embed=1&lang=zh&colour=%23FFD60a"
    assert launcher(page).get_attribute("aria-label") == "关闭聊天"
    ask(page, "a card?")
    assert page.said == []
    assert all(url.startswith((world.here, world.chat)) for url in page.asked)


def test_focus_goes_in_and_comes_back_and_escape_closes(visit):
    page = visit()
    page.evaluate(
        "window.told = []; for (const name of ['open', 'close'])"
        " Frontdesk.on(name, () => told.push(name)); null"
    )
    open_chat(page)
    assert page.evaluate("document.querySelector('frontdesk-chat').shadowRoot.activeElement.title")
    inside(page).locator("#question").press("Escape")
    assert is_closed(page) == "launcher"
    page.keyboard.press("Enter")
    inside(page).locator("#heard", has_text='"isShown":true').wait_for()
    launcher(page).focus()
    page.keyboard.press("Escape")
    assert is_closed(page) == "launcher"
    page.evaluate("Frontdesk.open()")
    settle(page)
    inside(page).locator("#close").click()
    assert is_closed(page) == "launcher"
    page.evaluate("Frontdesk.open()")
    page.locator("#search").focus()
    page.evaluate("Frontdesk.close()")
    assert is_closed(page) is None, "whoever types elsewhere goes on typing"
    assert page.evaluate("told") == ["open", "close"] * 4


def test_what_came_unseen_is_counted_on_the_launcher(visit):
    page = visit()
    page.evaluate("window.told = []; Frontdesk.on('unread', (count) => told.push(count)); null")
    open_chat(page)
    come = inside(page).locator("#come")
    badge = page.locator("frontdesk-chat .badge")
    come.click()
    assert badge.is_hidden(), "an open chat shows it"
    page.evaluate("Frontdesk.close()")
    assert badge.text_content() == "1"
    assert launcher(page).get_attribute("aria-label") == "Open chat, 1 new message"
    for button in ("come", "forge"):
        page.frames[1].evaluate(f"document.getElementById('{button}').click()")
    page.locator("frontdesk-chat .badge", has_text="2").wait_for()
    assert page.locator("frontdesk-chat [role=status]").text_content() == "2 new messages"
    assert page.evaluate("told") == [1, 2]


def test_the_customer_is_known_on_the_next_page_of_the_site(visit, world):
    page = visit()
    open_chat(page)
    ask(page, "a card?")
    kept = json.loads(page.evaluate(f"localStorage['{KEY}']"))
    second = visit(path="/second", context=page.context)
    open_chat(second)
    assert inside(second).locator("#kept").text_content() == kept[0]["id"]
    ask(second, "and abroad?")
    said = [m.text for m in world.desk.conversations.messages(kept[0]["id"])]
    assert said == ["a card?", "0: a card?", "and abroad?", "2: and abroad?"]
    stranger = visit()
    open_chat(stranger)
    assert inside(stranger).locator("#kept").text_content() == ""


def test_another_tab_of_the_site_hears_what_is_kept(visit):
    first = visit()
    second = visit(path="/second", context=first.context)
    open_chat(first)
    open_chat(second)
    ask(first, "a card?")
    kept = json.loads(first.evaluate(f"localStorage['{KEY}']"))
    inside(second).locator("#kept", has_text=kept[0]["id"]).wait_for()


def test_a_signed_customer_is_known_and_has_a_list_of_their_own(visit, world):
    page = visit(f'data-user="42" data-signature="{sign(SECRET, "42")}"')
    open_chat(page)
    ask(page, "a person please")
    (handoff,) = world.desk.handover.handoffs.all()
    assert handoff.customer == "42"
    assert page.evaluate("Object.keys(localStorage)") == [f"{KEY}:42"]
    world.desk.conversations.delete(handoff.conversation)


def test_on_a_phone_it_is_a_sheet_that_the_page_closes(visit):
    page = visit(viewport=PHONE, has_touch=True)
    launcher(page).tap()
    inside(page).locator("#heard", has_text='"stored"').wait_for()
    panel = page.locator("frontdesk-chat .panel")
    settle(page)
    assert panel.bounding_box() == {"x": 0, "y": 0, **PHONE}
    assert panel.get_attribute("aria-modal") == "true"
    launcher(page).wait_for(state="hidden")
    inside(page).locator("#close").tap()
    assert is_closed(page) == "launcher"


@pytest.mark.parametrize(("motion", "moves"), [("no-preference", True), ("reduce", False)])
def test_it_moves_only_for_those_who_do_not_mind(visit, motion, moves):
    page = visit(reduced_motion=motion)
    style = "panel => getComputedStyle(panel).transitionDuration !== '0s'"
    assert page.locator("frontdesk-chat .panel").evaluate(style) == moves


def test_the_site_s_styles_do_not_reach_it(visit, world, monkeypatch):
    monkeypatch.setattr(world.site, "policy", f"{world.site.policy}; style-src 'unsafe-inline'")
    page = visit(body=HOSTILE)
    assert page.locator("#search").is_hidden()
    assert launcher(page).bounding_box()["width"] == 60
    open_chat(page)
    assert page.locator("frontdesk-chat iframe").bounding_box()["width"] == 400


def test_a_site_that_is_not_allowed_cannot_show_the_page(visit, world):
    page = visit(origin=world.other)
    with page.expect_event("console", lambda message: "frame-ancestors" in message.text):
        launcher(page).click()
    assert "stand-in" not in page.frames[1].content()
    assert launcher(page).is_visible(), "it can be closed all the same"
    assert page.evaluate("localStorage.length") == 0


def test_named_twice_it_is_there_once(visit):
    page = visit(times=2)
    page.wait_for_load_state("networkidle")
    assert page.locator("frontdesk-chat").count() == 1


def test_wrong_attributes_are_told_and_left_out(visit, world):
    page = visit(
        'data-language="fr" data-colour="red;}" data-position="top" data-user="42" data-signature="x"',
        path="/wrong",
    )
    open_chat(page)
    assert len(page.said) == 5
    assert 'Frontdesk: data-colour expects #rrggbb, found "red;}"; it is ignored.' in page.said
    source = page.locator("frontdesk-chat iframe").get_attribute("src")
    assert source == f"{world.chat}/?embed=1&lang=en"
    assert "42" not in inside(page).locator("#heard").text_content()


def test_messages_of_others_are_not_heard(visit):
    page = visit()
    open_chat(page)
    page.evaluate("""() => {
      const frame = window.frames[0];
      postMessage({ frontdesk: "store", do: "set", value: "forged" }, "*");
      for (const source of [window, frame]) dispatchEvent(new MessageEvent("message", {
        origin: location.origin, source, data: { frontdesk: "store", do: "set", value: "forged" } }));
    }""")
    ask(page, "a card?")
    assert "forged" not in page.evaluate(f"localStorage['{KEY}']")
    assert launcher(page).get_attribute("aria-expanded") == "true"


def test_any_site_may_load_the_script_and_nothing_else(world):
    client = TestClient(served(world.desk, origins=[world.here]).app)
    headers = {"origin": "https://evil.example"}
    script = client.get("/widget.js", headers=headers)
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cache-control"] == "max-age=300"
    assert script.headers["access-control-allow-origin"] == "*"
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    assert '"widget.css"' not in script.text
    assert "access-control-allow-origin" not in client.get("/healthz", headers=headers).headers


def real_chat(page):
    """Open the page itself, and return where its customer types."""
    launcher(page).click()
    text = inside(page).locator("#frontdesk-text")
    text.wait_for()
    settle(page)
    return text


def call_a_person(page, real):
    """Ask for a person, and return what says something as one."""
    text = real_chat(page)
    text.press_sequentially("转人工")
    text.press("Enter")
    inside(page).locator("#frontdesk", has_text="在这里与您对话").wait_for()
    (kept, *_) = json.loads(page.evaluate(f"localStorage['{KEY}']"))
    handoff = real.desk.handover.handoffs.of(kept["id"])
    real.desk.handover.handoffs.take(handoff.id, "ann")
    return lambda words: real.desk.conversations.say(kept["id"], words, "person", "ann")


def test_the_page_itself_is_asked_closed_and_known_on_the_next_page(visit, real):
    line = 'data-language="zh" data-colour="#8a1f5c"'
    page = visit(line, at=real)
    say = call_a_person(page, real)
    text = inside(page).locator("#frontdesk-text")
    assert text.get_attribute("placeholder") == "请输入您的问题"
    text.press("Escape")
    assert is_closed(page) == "launcher"
    say("您好，我是小安。")
    second = visit(line, "/second", at=real, context=page.context)
    real_chat(second)
    inside(second).locator("#frontdesk", has_text="您好，我是小安。").wait_for()
    said = page.said + second.said
    assert [m for m in said if "Frontdesk" in m or "Security Policy" in m] == []
    assert all(url.startswith((real.here, real.chat)) for url in page.asked)


def test_the_page_itself_counts_what_a_person_says_unseen(visit, real):
    page = visit('data-language="zh"', at=real)
    say = call_a_person(page, real)
    page.evaluate("Frontdesk.close()")
    say("您好，我是小安。")
    page.locator("frontdesk-chat .badge", has_text="1").wait_for(timeout=15_000)
    assert launcher(page).get_attribute("aria-label") == "打开聊天，1 条新消息"
