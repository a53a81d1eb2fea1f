"""The page in a real browser: a desktop and a phone, both languages, light and dark."""

import os
import re
import shutil
import subprocess
import sys

import httpx
import pytest

from tests.conftest import ROOT, STATE
from tests.test_commands import _free_port, _wait

pytestmark = pytest.mark.model

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
INPUT = "#question textarea"


@pytest.fixture(scope="module")
def url():
    if not CHROMIUM:
        pytest.skip("no chromium on this machine; Debian's package is called chromium")
    port = _free_port()
    command = [sys.executable, "app.py", "--port", str(port), "--state", str(STATE)]
    server = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ))
    try:
        _wait(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def browser(url):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(request, browser, url):
    context = browser.new_context(**getattr(request, "param", {}))
    page = context.new_page()
    page.outside, page.problems = [], []
    page.on(
        "request", lambda r: r.url.startswith((url, "data:", "blob:")) or page.outside.append(r.url)
    )
    page.on("console", lambda m: m.type == "error" and page.problems.append(m.text))
    page.goto(url)
    page.wait_for_selector(INPUT)
    yield page
    context.close()


def ask(page, text):
    before = page.locator(".frontdesk-sources").count()
    page.fill(INPUT, text)
    page.keyboard.press("Enter")
    page.locator(".frontdesk-sources").nth(before).wait_for(timeout=30_000)


@pytest.mark.parametrize(
    "page",
    [
        {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", "color_scheme": "light"},
        {"viewport": {"width": 390, "height": 844}, "locale": "zh-CN", "color_scheme": "dark"},
    ],
    indirect=True,
)
def test_answer_with_sources_by_keyboard(page):
    """The page loads nothing from elsewhere, fits the screen and says that it is no person."""
    assert page.get_by_text("not a person").or_(page.get_by_text("不是真人")).count() == 1
    ask(page, "How much does a replacement card cost?")
    answer = page.locator("#conversation").inner_text()
    assert "£5" in answer
    assert "Sources" in answer
    # For screen readers.
    page.get_by_text("Answered").or_(page.get_by_text("已回答")).first.wait_for(state="attached")
    ask(page, "取现金要手续费吗？")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.outside == []
    assert page.problems == []


def test_source_opens_the_article_with_the_words_marked(page):
    ask(page, "I lost my card")
    link = page.locator(".frontdesk-sources a").first
    quote = page.locator(".frontdesk-sources q").first.inner_text()
    with page.expect_popup() as opened:
        link.click()
    opened.value.wait_for_load_state()
    assert opened.value.locator("mark").inner_text() == quote.strip("“”")


def test_example_retry_and_edit(page):
    page.get_by_text("How much does a replacement card cost?").first.click()
    page.locator(".frontdesk-sources").first.wait_for(timeout=30_000)
    page.evaluate("document.querySelector('.frontdesk-sources').classList.add('old')")
    page.get_by_label("Retry").first.click()
    page.locator(".frontdesk-sources:not(.old)").wait_for(timeout=30_000)
    assert page.locator(".frontdesk-sources.old").count() == 0
    page.get_by_label("Edit").first.click()
    page.locator("#conversation textarea").first.fill("How do I get a virtual card?")
    page.get_by_label("Submit").first.click()
    # The question has these words too, so only the sources show that the answer is there.
    page.locator(".frontdesk-sources", has_text="Get a virtual card").wait_for(timeout=30_000)
    assert "£5" not in page.locator("#conversation").inner_text()


@pytest.mark.parametrize(
    ("page", "question", "choice", "answer"),
    [
        (
            {"locale": "en-GB"},
            "what does it cost",
            "Business plans and fees",
            "£9",
        ),
        (
            {"locale": "zh-CN", "viewport": {"width": 390, "height": 844}},
            "又不行了",
            "充值失败或被退回",
            "24 小时",
        ),
    ],
    indirect=["page"],
)
def test_a_choice_answers_the_question(page, question, choice, answer):
    """Each choice is a button that the keyboard reaches, and so is "none of these"."""
    page.fill(INPUT, question)
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name=choice, exact=True)
    button.wait_for(timeout=30_000)
    assert page.get_by_role("button", name=re.compile("None of these|都不是")).count() == 1
    button.focus()
    page.keyboard.press("Enter")
    page.locator(".frontdesk-sources", has_text=answer).wait_for(timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.problems == []


def test_decisions_are_never_shown(page):
    """A pick works by number and by click, also after retry, undo and edit."""
    choice = page.get_by_role("button", name="Business plans and fees", exact=True)

    def assert_not_shown():
        for text in ("innerText", "textContent"):
            shown = page.evaluate(f"document.body.{text}")
            assert "Business plans and fees" in shown
            assert '"action"' not in shown
            assert '"citations"' not in shown

    def answer(text):
        page.locator(".frontdesk-sources", has_text=text).wait_for(timeout=30_000)
        return page.locator("#conversation").inner_text()

    page.fill(INPUT, "what does it cost")
    page.keyboard.press("Enter")
    choice.evaluate("button => button.classList.add('old')", timeout=30_000)
    page.get_by_label("Retry").first.click()
    page.locator("button:not(.old)", has_text="Business plans and fees").wait_for(timeout=30_000)
    choices = page.locator("#conversation li").all_inner_texts()

    page.fill(INPUT, str(choices.index("Business plans and fees") + 1))
    page.keyboard.press("Enter")
    answer("£9")
    assert_not_shown()

    page.get_by_label("Undo").first.click()
    choice.click(timeout=30_000)
    answer("£9")
    assert_not_shown()

    page.get_by_role("button", name="Edit").last.click()
    other = str(choices.index("Lantern Plus, the paid plan") + 1)
    page.locator("#conversation textarea").fill(other)
    page.get_by_label("Submit").first.click()
    assert "£9" not in answer("£6")
    assert_not_shown()
    assert page.problems == []


def test_after_an_invalid_message_the_next_one_is_answered(page):
    page.fill(INPUT, "???")
    page.keyboard.press("Enter")
    page.get_by_text("I need a few words").wait_for(timeout=30_000)
    ask(page, "I lost my card")


def test_the_monitoring_page_of_gradio_is_closed(url):
    assert httpx.get(f"{url}/monitoring/summary").status_code in (401, 403, 404)


def test_the_conversation_survives_a_reload(page, url):
    ask(page, "I lost my card")
    page.fill(INPUT, "how much is a new one?")
    page.keyboard.press("Enter")
    page.get_by_text("£5").first.wait_for(timeout=30_000)
    page.locator(".frontdesk-sources").nth(1).wait_for(timeout=30_000)
    page.goto(url)
    page.locator(".frontdesk-sources").nth(1).wait_for(state="attached", timeout=30_000)
    assert "£5" in page.locator("#conversation").inner_text()
    assert page.problems == []
