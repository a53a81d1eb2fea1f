"""How fast the chat page is: ``python -m benchmarks.page``.

Starts ``frontdesk serve`` on a free port of loopback, with the index of ``--state`` and a database
of its own in a temporary folder, and opens the page in Chromium without a window. Measures how soon
the page is there, what it adds to the first word of an answer, its longest task while answers
stream, frames while a long conversation is scrolled, and seven tabs that ask at once.
"""

import argparse
import contextlib
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx
    from playwright.sync_api import Browser, BrowserContext, Page

INPUT, REPLY = "#frontdesk-text", ".message.assistant:not(.writing)"
VISITS, TABS, SCROLL = 4, 7, 5
# Milliseconds until the page of Gradio, which hosts ours, has done what it does at its start.
GRADIO = 5000
SCRIPTS = {"EvaluateScript", "FireAnimationFrame", "FunctionCall", "RunMicrotasks", "TimerFire"}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
ENTRIES = """() => ['first-contentful-paint', 'frontdesk-ready'].map(
  (name) => performance.getEntriesByName(name)[0]?.startTime)"""
# Milliseconds from Enter to the first word in the page.
WATCH = """() => {
  const from = performance.now();
  const words = (one) => one && !one.querySelector('.looking') && one.textContent;
  window.first = new Promise((resolve) => {
    const watcher = new MutationObserver(() => {
      if (!words([...document.querySelectorAll('.message.assistant .text')].at(-1))) return;
      watcher.disconnect();
      resolve(performance.now() - from);
    });
    const how = { subtree: true, childList: true, characterData: true };
    watcher.observe(document.querySelector('.messages'), how);
  });
}"""
# Milliseconds between frames while the conversation is scrolled from its start.
FRAMES = """(seconds) => new Promise((resolve) => {
  const scroller = document.querySelector('.scroller');
  const frames = [];
  scroller.scrollTop = 0;
  const step = (time) => {
    frames.push(time);
    scroller.scrollTop += 60;
    if (time - frames[0] < seconds * 1000) requestAnimationFrame(step);
    else resolve(frames.slice(1).map((one, place) => one - frames[place]));
  };
  requestAnimationFrame(step);
})"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each measurement; return 2 without Chromium."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.page",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.page --questions 10 --messages 40",
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--url", help="of a server that runs already, instead of one of its own")
    parser.add_argument(
        "--questions", type=int, default=30, help="asked for the first word; default: %(default)s"
    )
    parser.add_argument(
        "--messages", type=int, default=200, help="of the long conversation; default: %(default)s"
    )
    given = parser.parse_args(arguments)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        print("page: expected Chromium, found none; install it.", file=sys.stderr)
        return 2
    from playwright.sync_api import sync_playwright

    with _server(given) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        _measure(browser, url, given)
        browser.close()
    return 0


@contextlib.contextmanager
def _server(given: argparse.Namespace) -> Iterator[str]:
    from benchmarks.server.processes import real_server, running

    if given.url:
        yield given.url
        return
    with tempfile.TemporaryDirectory() as folder:
        often = {"per_minute": "10000"}
        with running(real_server(given.state), Path(folder), **often) as server:
            yield server.url


def _measure(browser: "Browser", url: str, given: argparse.Namespace) -> None:
    import httpx

    print("| what | measured |\n| --- | --- |")
    _show("first visit: first paint, ready to type", _visits(browser, url, is_warm=False))
    _show("later visit: first paint, ready to type", _visits(browser, url, is_warm=True))
    with httpx.Client(base_url=url, timeout=120) as client:
        added, longest = _first_words(browser, client, given.questions)
        _show("what the page adds to the first word, median", added)
        _show("longest script task while these answers stream", longest)
        _show(f"scrolling {given.messages} messages", _scroll(browser, client, given.messages))
    _show(f"{TABS} tabs", _tabs(browser, url))


def _show(what: str, measured: str) -> None:
    print(f"| {what} | {measured} |", flush=True)


def _page(context: "BrowserContext", url: str) -> "Page":
    page = context.new_page()
    page.goto(url)
    page.wait_for_function("performance.getEntriesByName('frontdesk-open').length")
    return page


def _visits(browser: "Browser", url: str, *, is_warm: bool) -> str:
    """Return the best of a few visits; the files of a later visit are in the browser's cache."""
    measured = []
    for _ in range(VISITS):
        context = browser.new_context(locale="en-GB")
        page = _page(context, url)
        if is_warm:
            page.reload()
        page.wait_for_function(f"({ENTRIES})().every(Boolean)")
        measured.append(page.evaluate(ENTRIES))
        context.close()
    paint, ready = (min(times) for times in zip(*measured, strict=True))
    return f"{paint:.0f} ms, {ready:.0f} ms"


def _first_words(browser: "Browser", client: "httpx.Client", count: int) -> tuple[str, str]:
    """Ask each question in the page and over HTTP, each first in turn, in new conversations."""
    from benchmarks.server.clients import ask
    from benchmarks.server.questions import real_questions

    page = _page(browser.new_context(locale="en-GB"), str(client.base_url))
    page.wait_for_timeout(GRADIO)
    added = []
    browser.start_tracing(page=page, categories=["devtools.timeline", "v8.execute"])
    for number, question in enumerate(real_questions(count)):
        is_first = number % 2 == 0
        plain = 0.0 if is_first else ask(client, question).first
        shown = _ask(page, question)
        plain = plain or ask(client, question).first
        added.append(shown - plain * 1000)
        page.locator(".menu-holder > button").click()
        page.locator(".menu .item").first.click()
    tasks = [event["dur"] for event in _scripts(browser.stop_tracing())]
    low, middle, high = statistics.quantiles(added, n=4)
    return f"{middle:.0f} ms (half: {low:.0f} to {high:.0f})", f"{max(tasks) / 1000:.1f} ms"


def _ask(page: "Page", question: str) -> float:
    """Return the milliseconds from Enter to the first word, once the answer is complete."""
    before = page.locator(REPLY).count()
    page.fill(INPUT, question)
    page.evaluate(WATCH)
    page.keyboard.press("Enter")
    first = page.evaluate("window.first")
    page.locator(REPLY).nth(before).wait_for()
    return float(first)


def _scripts(trace: bytes) -> list[dict[str, Any]]:
    """Return the scripts that ran in the page's own thread."""
    events = json.loads(trace)["traceEvents"]
    names = {
        (event["pid"], event["tid"]): event["args"]["name"]
        for event in events
        if event["name"] == "thread_name"
    }
    return [
        event
        for event in events
        if event["name"] in SCRIPTS
        and "dur" in event
        and names.get((event["pid"], event["tid"])) == "CrRendererMain"
    ]


def _scroll(browser: "Browser", client: "httpx.Client", messages: int) -> str:
    """Scroll through a conversation of real answers; tell how long its frames took."""
    given = client.post("/v1/conversations").raise_for_status().json()
    token = _talk(client, given, messages // 2)
    entry = {"id": given["conversation_id"], "token": token, "title": "", "updated": 1}
    context = browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
    kept = json.dumps(json.dumps([entry]))
    context.add_init_script(f"localStorage.setItem('frontdesk.conversations', {kept})")
    page = _page(context, str(client.base_url))
    page.locator(".message").nth(messages - 1).wait_for()
    frames = page.evaluate(FRAMES, SCROLL)
    late = sum(frame > 1.5 * 1000 / 60 for frame in frames) / len(frames)
    rate = 1000 / statistics.mean(frames)
    return f"{rate:.0f} frames a second, {late:.0%} late, longest {max(frames):.0f} ms"


def _talk(client: "httpx.Client", given: dict[str, str], turns: int) -> str:
    """Ask so many questions in a conversation; return its last token."""
    from tqdm import tqdm

    from benchmarks.server.questions import real_questions

    token, conversation = given["token"], given["conversation_id"]
    for question in tqdm(real_questions(turns, seed=1), leave=False):
        body = {"messages": [{"role": "user", "content": question}]}
        reply = client.post(
            "/v1/chat/completions",
            json={**body, "conversation_id": conversation},
            headers={"authorization": f"Bearer {token}"},
        )
        token = reply.raise_for_status().json()["frontdesk"]["conversation_token"]
    return token


def _tabs(browser: "Browser", url: str) -> str:
    """Open tabs of one browser one after another; ask in all of them at once."""
    context = browser.new_context(locale="en-GB")
    start = time.monotonic()
    pages = [_page(context, url) for _ in range(TABS)]
    opened = time.monotonic() - start
    for page in pages:
        page.fill(INPUT, "How much does a replacement card cost?")
    start = time.monotonic()
    for page in pages:
        page.press(INPUT, "Enter")
    for page in pages:
        page.locator(REPLY).wait_for()
    took = time.monotonic() - start
    return f"open after {opened:.1f} s; all answered {took:.1f} s after all have asked"


if __name__ == "__main__":
    sys.exit(main())
