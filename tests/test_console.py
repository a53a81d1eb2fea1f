"""The way into the console, and what every page of it has."""

import re

import httpx
import pytest

from assistant.store.users import Users
from assistant.ui.console.frame import PAGES
from assistant.ui.console.words import LANGUAGES, words
from tests.console_server import ConsoleServer
from tests.page_browser import EN, ZH

PASSWORD = "a lantern in the fog"
FIELD = re.compile(r"\{(\w+)")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = ConsoleServer(tmp_path_factory.mktemp("console"))
    users = Users(started.desk.conversations.database)
    for name, role in (("ann", "agent"), ("eve", "editor"), ("ada", "administrator")):
        users.add(name, PASSWORD, role)
    yield started
    started.stop()


@pytest.fixture
def visit(chromium, server):
    contexts = []

    def opened(path, **how):
        contexts.append(chromium.new_context(**how))
        page = contexts[-1].new_page()
        page.set_default_timeout(15_000)
        page.goto(server.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()


def sign_in(page, name="ann", password=PASSWORD):
    page.fill("[name=name]", name)
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")


def test_both_languages_have_the_same_texts_with_the_same_values():
    english, chinese = (words(lang) for lang in LANGUAGES)
    assert english.keys() == chinese.keys()
    fields = [
        {key: set(FIELD.findall(text)) for key, text in t.items()} for t in (english, chinese)
    ]
    assert fields[0] == fields[1]


@pytest.mark.slow
def test_whoever_signs_in_comes_to_the_page_that_was_asked_for(visit):
    page = visit("/console/en/conversations?q=a%20card", **EN)
    page.wait_for_url("**/sign-in?next=*")
    sign_in(page, password="wrong")
    page.wait_for_selector("text=The name or the password is wrong.")
    sign_in(page)
    page.wait_for_url("**/console/en/conversations?q=a%20card")
    assert page.inner_text("[aria-current=page]") == "Conversations"
    page.click("[data-sign-out]")
    page.wait_for_url("**/sign-in")
    page.goto(page.url.replace("/sign-in", "/console/en/inbox"))
    assert "/sign-in" in page.url


@pytest.mark.slow
def test_in_chinese(visit):
    page = visit("/console", **ZH)
    page.wait_for_selector("h1:text('登录')")
    sign_in(page, password="wrong")
    page.wait_for_selector("text=用户名或密码不正确。")
    sign_in(page)
    page.wait_for_url("**/console/zh/")
    page.click("text=English")
    page.wait_for_url("**/console/en/")


@pytest.mark.slow
@pytest.mark.parametrize(
    "elsewhere", ["https://bad.example", "//bad.example", "/v1/me", "/console/../v1"]
)
def test_signing_in_leads_nowhere_but_to_the_console(visit, server, elsewhere):
    page = visit(f"/sign-in?next={elsewhere}", **EN)
    sign_in(page)
    page.wait_for_url("**/console/en/")
    assert page.url.startswith(server.url)


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_a_session_no_page_and_no_configuration_is_given(server, lang):
    with httpx.Client(base_url=server.url) as stranger:
        for page in PAGES:
            response = stranger.get(f"/console/{lang}/{page}", headers={"accept": "text/html"})
            assert (response.status_code, response.text) == (303, "")
            assert stranger.get(f"/console/{lang}/{page}").status_code == 401
        for path in ("config", "info", "queue/join", "upload", "file=/etc/passwd", "call/show"):
            for prefix in (f"/console/{lang}/", f"/console/{lang}/gradio_api/"):
                for method in ("GET", "POST"):
                    response = stranger.request(method, prefix + path, json={})
                    assert response.status_code in (401, 404, 405), (method, prefix + path)


@pytest.mark.slow
def test_the_public_page_says_nothing_of_the_console(server):
    config = httpx.get(f"{server.url}/config").text
    assert len(config) > 100
    assert "console" not in config.lower()
    assert "Unanswered" not in config
