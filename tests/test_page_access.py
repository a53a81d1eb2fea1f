"""The chat page for everybody: axe-core finds nothing serious, and each state is pictured."""

import pytest

from tests.page_browser import (
    CACHE,
    INPUT,
    PHONE,
    ask,
    axe,
    send,
)

pytestmark = pytest.mark.slow
SCREENS = CACHE / "screens"
SAID = {
    "en-GB": ("how much is a card?", "which one", "slow long", "I want a person", "steps"),
    "zh-CN": ("补卡多少钱？", "哪个", "慢 长", "我要人工", "步骤"),
}


class Look:
    """Pictures each state of a page, and asks axe-core about it."""

    def __init__(self, page, name):
        self.page, self.name = page, name
        self.found = []
        page.evaluate(axe())

    def at(self, state):
        self.page.screenshot(path=SCREENS / f"{self.name}-{state}.png")
        run = "axe.run('#frontdesk', {resultTypes: ['violations']})"
        for problem in self.page.evaluate(run)["violations"]:
            if problem["impact"] in ("serious", "critical"):
                where = [node["html"][:160] for node in problem["nodes"]]
                self.found.append((state, problem["id"], where))


@pytest.mark.parametrize("locale", list(SAID))
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_every_state_is_fit_for_everybody(visit, page_server, locale, scheme, width):
    SCREENS.mkdir(parents=True, exist_ok=True)
    size = {"viewport": {"width": width, "height": 844 if width == 390 else 900}}
    size |= PHONE if width == 390 else {}
    page = visit(**size, locale=locale, color_scheme=scheme)
    look = Look(page, f"{width}-{scheme}-{locale[:2]}")
    asked, unclear, slow, person, steps = SAID[locale]
    look.at("1-empty")
    ask(page, asked)
    look.at("2-answer")
    page.locator("summary").first.click()
    page.locator("[data-thumb=down]").first.click()
    look.at("3-sources")
    page.locator(".card .link").nth(1).click()
    page.locator("dialog mark").first.wait_for()
    look.at("4-article")
    page.keyboard.press("Escape")
    ask(page, steps)
    ask(page, unclear)
    look.at("5-choices")
    send(page, slow)
    page.wait_for_function("document.querySelector('.writing .text')?.textContent.length > 40")
    look.at("6-streaming")
    page.locator(".stop").click()
    page.locator(".trouble").wait_for()
    look.at("7-error")
    page_server.close_people()
    ask(page, person)
    page.locator("form.contact").wait_for()
    look.at("8-person")
    page.locator(".menu-holder > button").click()
    look.at("9-menu")
    page.locator(".menu .item").nth(1).click()
    look.at("10-earlier")
    assert look.found == []
    assert page.locator(INPUT).count() == 1
