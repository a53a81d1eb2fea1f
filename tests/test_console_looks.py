"""Each page of the console in both languages, on a desktop and a phone, light and dark."""

import pytest

from assistant.messages import Nearest
from assistant.store.feedback import Feedback
from tests.console_server import ConsoleServer
from tests.page_browser import CACHE, EN, PHONE, ZH
from tests.three_articles import write_articles
from tests.unanswered_examples import keep_unanswered

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
SCREENS = CACHE / "screens"
NEAR = Nearest("card", "en", "Card", 0.6, "A card costs five pounds.", 0.2)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("console")
    docs = write_articles(folder / "docs")
    (docs / "card.zh.md").write_text("---\nlang: zh\ntranslation_of: card\n---\n卡五英镑。")
    server = ConsoleServer(folder / "state", knowledge=docs)
    for said in (["How much is a card?"], ["I need a person"], ["How much is a card?", "thanks"]):
        server.conversation = server.desk.conversations.start("page")
        for text in said:
            list(server.desk.serve(server.conversation, text))
    Feedback(server.desk.conversations.database).judge(server.conversation, 2, -1)
    for days in range(3):
        keep_unanswered(server.desk, "horse loan horse loan", [NEAR], days=days)
    server.handoff = server.desk.handover.handoffs.all()[0].id
    yield server
    server.stop()


def paths(server):
    """Return the address of each page, by the name of its picture."""
    return {
        "home": "?",
        "inbox": "inbox?",
        "inbox-handoff": f"inbox?handoff={server.handoff}&",
        "conversations": "conversations?",
        "turn": f"conversations?id={server.conversation}&number=2&",
        "unanswered": "unanswered?",
        "knowledge": "knowledge?",
        "article": "knowledge?article=card.md&",
        "quality": "quality?",
        "settings": "settings?",
    }


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("window", ["desktop", "phone"])
def test_a_picture_of_each_page_that_fits_its_window(chromium, server, lang, theme, window):
    how = {"desktop": {"en": EN, "zh": ZH}[lang], "phone": PHONE}[window]
    context = chromium.new_context(**how)
    page = context.new_page()
    page.set_default_timeout(60_000)
    SCREENS.mkdir(parents=True, exist_ok=True)
    wide = []
    for name, path in paths(server).items():
        page.goto(f"{server.url}/console/{lang}/{path}__theme={theme}")
        page.wait_for_selector("h1")
        # Charts are drawn after the page; its connection stays open, so that nothing says when.
        page.wait_for_timeout(700)
        assert page.locator("h1").count() == 1, name
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            wide.append(name)
        page.screenshot(path=SCREENS / f"console-{name}-{lang}-{theme}-{window}.png")
    context.close()
    assert not wide
