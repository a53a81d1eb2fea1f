"""What the tests of the page share: a server, a browser, and what it is asked."""

import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
INPUT = "#frontdesk-text"
REPLY = ".message.assistant:not(.writing)"
CACHE = ROOT / ".pytest_cache"
EN = {"locale": "en-GB", "viewport": {"width": 1440, "height": 900}}
ZH = {"locale": "zh-CN", "viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# A browser tells every status above 399 as an error of its console.
TOLD_BY_BROWSER = "Failed to load resource"


@pytest.fixture(scope="module")
def page_server(tmp_path_factory):
    from tests.page_server import PageServer

    server = PageServer(tmp_path_factory.mktemp("page"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM:
        pytest.skip("no chromium on this machine; Debian's package is called chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, page_server):
    """Return what opens the page; at the end, the console and other hosts must have been quiet."""
    contexts, problems = [], []

    def watch(page):
        page.set_default_timeout(15_000)
        page.on(
            "pageerror", lambda error: _is_of_gradio(error) or problems.append(f"error: {error}")
        )
        page.on("console", lambda m: _is_ours(m) and problems.append(f"{m.type}: {m.text}"))
        ours = (page_server.url, "data:", "blob:")
        page.on("request", lambda r: r.url.startswith(ours) or problems.append(f"outside: {r.url}"))

    def opened(path="/", **how):
        context = chromium.new_context(**how)
        contexts.append(context)
        context.on("page", watch)
        page = context.new_page()
        page.goto(page_server.url + path)
        page.wait_for_selector(INPUT)
        return page

    page_server.open_people()
    page_server.answerer.failing, page_server.answerer.pause = False, 0.0
    yield opened
    for context in contexts:
        context.close()
    assert not problems, problems


def _is_of_gradio(problem):
    """Return whether Gradio misses a file of its own, as it does offline."""
    return "/assets/" in str(problem) or "theme.css" in str(problem)


def _is_ours(message):
    is_told = message.type in ("error", "warning") and TOLD_BY_BROWSER not in message.text
    return is_told and not _is_of_gradio(message.text)


def send(page, text):
    page.fill(INPUT, text)
    page.keyboard.press("Enter")


def ask(page, text):
    """Send a message, and wait for its reply."""
    before = page.locator(REPLY).count()
    send(page, text)
    page.locator(REPLY).nth(before).wait_for()
    page.wait_for_selector(".stop", state="hidden")


def choose(page, label):
    """Choose from the menu."""
    page.locator(".menu-holder > button").click()
    page.locator(".menu").get_by_text(label, exact=True).click()


def again(page):
    """Load the page anew."""
    page.reload()
    page.wait_for_function("performance.getEntriesByName('frontdesk-open').length")


def fits(page):
    """Return whether nothing is wider than the window."""
    return page.evaluate(
        "document.documentElement.scrollWidth <= innerWidth"
        " && document.querySelector('.scroller').scrollWidth"
        " <= document.querySelector('.scroller').clientWidth"
    )


def conversation_of(page):
    """Return the id of the conversation that is open in a page."""
    return page.evaluate("sessionStorage.getItem('frontdesk.opened')")


def hide(page, is_hidden=True):
    """Let a page be in the background, or in front again."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        is_hidden,
    )


def axe():
    """Return the script of axe-core, which npm brings; skip without it."""
    folder = CACHE / "axe"
    script = folder / "package" / "axe.min.js"
    if not script.is_file():
        if not shutil.which("npm"):
            pytest.skip("npm is not installed, which brings axe-core")
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(subprocess.CalledProcessError, subprocess.TimeoutExpired):
            subprocess.run(["npm", "pack", "axe-core"], cwd=folder, check=True, timeout=120)
        packed = next(folder.glob("axe-core-*.tgz"), None)
        if packed is None:
            pytest.skip("npm could not bring axe-core")
        shutil.unpack_archive(packed, folder, filter="data")
    return Path(script).read_text(encoding="utf-8")
