"""The page as it is served, without a browser: its head, its settings and its files."""

import json
import re
import tomllib

import pytest
from fastapi.testclient import TestClient

from assistant.company import Company, Look, People
from assistant.serve import with_page
from assistant.ui.chat import APART, page_head
from assistant.web.page_routes import FOLDER, page_files, page_version
from tests.conftest import ROOT, desk_of, served
from tests.fakes import Echo

LOCAL = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 5000)}
EVIL = "</script><script>alert(1)</script>"
SETTINGS = re.compile(r'id="frontdesk-settings">(.*?)</script>', re.DOTALL)


def settings_of(head):
    return json.loads(SETTINGS.search(head).group(1))


@pytest.fixture
def client(tmp_path):
    (tmp_path / "logo.svg").write_text("<svg/>")
    echo = Echo()
    echo.responder.company = Company(
        name={"en": "Shop", "zh": "小店"}, look=Look.model_validate({"logo": "logo.svg"})
    )
    server = served(desk_of(echo, tmp_path))
    app = with_page(server.app, server.desk, server.access, tmp_path)
    return TestClient(app, **LOCAL)


def test_the_settings_hold_what_the_page_needs_and_cannot_end_their_script():
    company = Company(
        name={"en": f"Shop {EVIL}", "zh": "小店"},
        examples={"en": ["How much?"]},
        greeting={"en": "Hi!"},
        people=People(timezone="UTC", hours={"monday": "09:00-17:00"}),
    )
    head = page_head(company, keep_days=90, max_characters=4000)
    assert "<script>alert" not in head
    known = settings_of(head)
    assert known["company"]["en"] == f"Shop {EVIL}"
    assert (known["keep_days"], known["max_characters"], known["people"]) == (90, 4000, True)
    assert (known["greeting"], known["look"]["logo"]) == ({"en": "Hi!"}, None)
    assert known["version"] == page_version()


def test_the_page_has_its_head_before_gradio_s_scripts(client):
    page = client.get("/")
    assert page.headers["content-length"] == str(len(page.content))
    assert settings_of(page.text)["company"]["zh"] == "小店"
    assert page.text.index("/page/main.js") < page.text.index("/assets/")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    # Every other page is as it was.
    assert "frontdesk-settings" not in client.get("/privacy").text


def test_each_file_has_its_type_and_is_kept_for_ever_under_its_version(client):
    for name in page_files():
        path = f"/page/{name}?v={page_version()}"
        given = client.get(path)
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        assert given.headers["content-type"].startswith(kind)
        assert "immutable" in given.headers["cache-control"]
        assert client.get(f"/page/{name}?v=old").headers["cache-control"] == "no-cache"
    logo = client.get(f"/page/logo?v={page_version()}")
    assert (logo.text, logo.headers["content-type"]) == ("<svg/>", "image/svg+xml")


def test_the_page_loads_each_of_its_scripts_under_its_version(client):
    page = client.get("/").text
    for name in page_files():
        is_apart = name.startswith(APART)
        assert is_apart != (f"/page/{name}?v={page_version()}" in page)


@pytest.mark.parametrize(
    "path", ["../chat.py", "..%2Fchat.py", "%2e%2e/chat.py", "chat.py", "__init__.py", "a/main.js"]
)
def test_nothing_but_the_page_s_files_is_given(client, path):
    assert "build_chat" not in client.get(f"/page/{path}").text


def test_strings_in_traditional_chinese():
    text = page_files()["strings.zh-Hant.js"].decode()
    assert 'talk: "轉人工"' in text
    assert 'talk: "Talk to a person"' in text


def test_the_files_come_with_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["*"]
    endings = {path.suffix for path in FOLDER.iterdir()}
    assert endings == {".css", ".js"}
    assert {f"**/*{ending}" for ending in endings} <= set(patterns)


def test_no_script_writes_html_or_runs_text():
    unsafe = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    )
    assert not [p.name for p in FOLDER.glob("*.js") if unsafe.search(p.read_text(encoding="utf-8"))]
