"""The page with the real models in a real browser: a desktop and a phone, both languages."""

import os
import re
import subprocess
import sys

import httpx
import pytest

from tests.conftest import ROOT, STATE
from tests.page_browser import INPUT, REPLY, ask, fits, send
from tests.test_commands import _free_port, _wait

pytestmark = pytest.mark.model

DESKTOP = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "locale": "zh-CN", "color_scheme": "dark"}


@pytest.fixture(scope="module")
def url():
    port = _free_port()
    command = [sys.executable, "app.py", "--port", str(port), "--state", str(STATE)]
    server = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ))
    try:
        _wait(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture
def page(request, chromium, url):
    context = chromium.new_context(**getattr(request, "param", DESKTOP))
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.outside, page.problems = [], []
    page.on(
        "request", lambda r: r.url.startswith((url, "data:", "blob:")) or page.outside.append(r.url)
    )
    page.on("console", lambda m: m.type == "error" and page.problems.append(m.text))
    page.goto(url)
    page.wait_for_selector(INPUT)
    yield page
    context.close()


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True)
def test_answer_with_sources_by_keyboard(page):
    """The page loads nothing from elsewhere, fits the screen and says that it is no person."""
    assert page.get_by_text(re.compile("not a person|不是真人")).count() == 1
    ask(page, "How much does a replacement card cost?")
    answer = page.locator(f"{REPLY} .text").first
    assert "£5" in answer.inner_text()
    assert "£5" in page.locator("[role=status].for-readers").inner_text()
    ask(page, "取现金要手续费吗？")
    assert page.locator(".sources").count() == 2
    assert fits(page)
    assert page.outside == []
    assert page.problems == []


def test_source_opens_the_article_with_the_words_marked(page):
    ask(page, "I lost my card")
    page.locator("summary").click()
    quote = page.locator("blockquote").first.inner_text()
    page.locator(".card .link").first.click()
    page.locator("dialog mark").first.wait_for()
    marked = page.locator("dialog mark").all_inner_texts()
    assert quote in " ".join(marked)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open the article in a new tab").click()
    opened.value.wait_for_load_state()
    assert opened.value.locator("mark").count() == 1


@pytest.mark.parametrize(
    ("page", "question", "choice", "answer"),
    [
        (DESKTOP, "what does it cost", "Business plans and fees", "£9"),
        (PHONE, "又不行了", "充值失败或被退回", "24 小时"),
    ],
    indirect=["page"],
)
def test_a_choice_answers_the_question(page, question, choice, answer):
    """Each choice is a button that the keyboard reaches, and so is "none of these"."""
    send(page, question)
    button = page.get_by_role("button", name=choice, exact=True)
    button.wait_for()
    assert page.get_by_role("button", name=re.compile("None of these|都不是")).count() == 1
    button.focus()
    page.keyboard.press("Enter")
    page.locator(REPLY, has_text=answer).wait_for()
    assert fits(page)
    assert page.problems == []


def test_example_and_changed_message(page):
    page.get_by_role("button", name="How much does a replacement card cost?").click()
    page.keyboard.press("Enter")
    page.locator(REPLY, has_text="£5").wait_for()
    page.get_by_role("button", name="Edit").click()
    page.fill(INPUT, "How do I get a virtual card?")
    page.keyboard.press("Enter")
    page.locator(".sources", has_text="Get a virtual card").wait_for(state="attached")
    assert "£5" not in page.locator(".messages").inner_text()


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True)
def test_the_wish_for_a_person_is_understood(page):
    page.get_by_role("button", name=re.compile("Talk to a person|转人工")).click()
    page.locator(".bottom .person p").first.wait_for()


def test_the_conversation_survives_a_reload(page, url):
    ask(page, "I lost my card")
    ask(page, "how much is a new one?")
    page.goto(url)
    page.locator(".sources").nth(1).wait_for(state="attached")
    assert "£5" in page.locator(REPLY).nth(1).inner_text()
    assert page.problems == []


def test_the_monitoring_page_of_gradio_is_closed(url):
    assert httpx.get(f"{url}/monitoring/summary").status_code in (401, 403, 404)
