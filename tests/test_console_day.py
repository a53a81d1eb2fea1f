"""A support lead's day in a real browser, with real models, from sign-in to an answer of last week."""

import re
from datetime import timedelta

import pytest

from assistant.company import DAYS
from assistant.store.feedback import Feedback
from assistant.store.tables import ConversationRow, MessageRow
from assistant.store.users import Users
from tests.console_server import RealConsole
from tests.page_browser import EN, INPUT, REPLY, ask
from tests.three_articles import CARD, DIALOGUE, write_articles

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(3000)]

PASSWORD = "a lantern in the fog"
# What a page needs of a slow machine, and what publishing does, in milliseconds.
PATIENCE, PUBLISHING = 120_000, 1_500_000
ASKED = ("can I park at the branch?", "is there parking at the branch?", "where is your car park?")
PARKING = "You can park at the branch for two hours. Parking is free."
PARKING_ZH = "在网点可以停车两小时。停车免费。"
OLD_CARD = "A card costs four pounds."
COMPANY = f"""name: {{en: Corner Bank, zh: 街角银行}}
people:
  timezone: UTC
  hours: {{{", ".join(f'{day}: "00:00-24:00"' for day in DAYS)}}}
"""


@pytest.fixture
def server(tmp_path):
    help_centre = tmp_path / "help"
    help_centre.mkdir()
    (help_centre / "company.yml").write_text(COMPANY)
    docs = write_articles(help_centre / "articles")
    (docs / "card.md").write_text(OLD_CARD)
    (docs / "room.zh.md").write_text(
        "---\ntitle: 房间\nlang: zh\ntranslation_of: room\n---\n\n房间中午开放。\n"
    )
    (help_centre / "dialogues").mkdir()
    (help_centre / "dialogues" / "card.yml").write_text(DIALOGUE)
    server = RealConsole(tmp_path, help_centre)
    Users(server.desk.conversations.database).add("mei", PASSWORD, "editor")
    yield server
    server.stop()


@pytest.fixture
def someone(chromium):
    """Return what opens a page in a browser of somebody's own."""
    contexts, problems = [], []

    def opened(url):
        contexts.append(chromium.new_context(**EN))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not problems, problems


def said(server, text):
    """Ask in a conversation of its own; return its id and the reply."""
    conversation = server.desk.begin(text, "page")
    *_, reply = server.desk.serve(conversation, text)
    return conversation, reply


def last_week(server):
    """Let a customer get a wrong answer a week ago, from an article that was put right since."""
    conversation, reply = said(server, "how much does a card cost?")
    assert "four pounds" in reply.text
    database = server.desk.conversations.database
    Feedback(database).judge(conversation, 2, -1)
    with database.write() as session:
        row = session.get(ConversationRow, conversation)
        row.created -= timedelta(days=7)
        row.updated -= timedelta(days=7)
        for message in session.query(MessageRow).filter_by(conversation_id=conversation):
            message.created -= timedelta(days=7)
    (server.settings.knowledge / "articles" / "card.md").write_text(CARD)
    return row.created


def go(page, name):
    """Go to a page of the console as people do: by its navigation."""
    page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
    page.wait_for_selector(f"nav [aria-current=page]:text-is('{name}')")
    page.wait_for_selector("h1")


def test_a_support_leads_day(server, someone):
    asked_on = last_week(server)
    for text in ASKED:
        assert said(server, text)[1].action == "decline"
    assert said(server, "do you sell gold coins?")[1].action == "decline"
    lead = someone(f"{server.url}/console")
    sign_in(lead)
    publish_what_was_missing(lead)
    answer_from_it(someone(f"{server.url}/"))
    take_over(lead, someone(f"{server.url}/"))
    find_the_wrong_answer(lead, asked_on)


def sign_in(lead):
    lead.wait_for_url("**/sign-in**")
    lead.get_by_label("Name").fill("mei")
    lead.get_by_label("Password").fill(PASSWORD)
    lead.get_by_role("button", name="Sign in").click()
    lead.wait_for_selector("h1:text-is('How it goes')")


def publish_what_was_missing(lead):
    go(lead, "Unanswered")
    # The questions are read in the background, once.
    largest = lead.locator(".fd-table tbody tr").first
    while "3" not in largest.locator("td").nth(1).inner_text():
        lead.reload()
        lead.wait_for_selector(".fd-table tbody tr")
    largest.get_by_role("link").click()
    lead.get_by_role("link", name="Write the article").click()
    for text in ASKED:
        lead.wait_for_selector(f"li:has-text('{text}')")
    lead.get_by_label("Title").fill("Parking at the branch")
    lead.get_by_label("Name").fill("parking")
    lead.get_by_label("Markdown").fill(PARKING)
    # Whoever answers in two languages publishes an article in both.
    lead.get_by_role("button", name="Save draft").click()
    lead.get_by_role("link", name="Write it in the other language").click()
    lead.wait_for_selector(".fd-article:has-text('two hours')")
    assert lead.get_by_label("Name").input_value() == "parking"
    lead.get_by_label("Title").fill("在网点停车")
    lead.get_by_label("Markdown").fill(PARKING_ZH)
    lead.get_by_role("button", name="Check and publish").click()
    lead.wait_for_selector("h3:has-text('The draft is being checked')")
    lead.wait_for_selector("h3:has-text('Published. The assistant')", timeout=PUBLISHING)
    lead.wait_for_selector("p:has-text('found nothing, and all canned dialogues passed')")
    lead.get_by_text("What it printed").click()
    assert "1 of 1 dialogues passed" in lead.locator(".fd-log").inner_text()
    assert lead.get_by_role("link", name="parking.zh.md is live").count() == 1
    lead.get_by_role("link", name="parking.md is live").click()
    lead.wait_for_selector("h1:text-is('Parking at the branch')")
    assert lead.get_by_role("link", name="Chinese: 在网点停车").count() == 1


def answer_from_it(page):
    page.wait_for_selector(INPUT)
    ask(page, ASKED[0])
    assert "two hours" in page.locator(f"{REPLY} .text").inner_text()
    page.get_by_text("Sources (1)").click()
    assert page.locator(".card .title").inner_text() == "1. Parking at the branch"


def take_over(lead, customer):
    customer.wait_for_selector(INPUT)
    ask(customer, "I want to talk to a person")
    customer.locator(".bottom .person p").wait_for()
    go(lead, "Inbox")
    lead.locator(".fd-entry", has_text="I want to talk to a person").get_by_role("link").click()
    lead.wait_for_selector(".fd-talk")
    lead.get_by_label("Your reply").fill("Hello, I am Mei. What can I do for you?")
    lead.get_by_role("button", name="Send to the customer").click()
    lead.wait_for_selector("#fd-told :text('Sent.')")
    customer.wait_for_selector(".message.person:has-text('I am Mei.')")
    customer.get_by_text("You are talking to mei.").wait_for()
    customer.fill(INPUT, "I have lost my keys")
    customer.keyboard.press("Enter")
    lead.wait_for_selector(".fd-in-user:has-text('I have lost my keys')")
    lead.get_by_role("button", name="Give it back to the assistant").click()
    lead.wait_for_selector(".fd-state:has-text('The assistant has it again')")
    customer.wait_for_selector(".bottom .person", state="hidden")
    ask(customer, "when do rooms open?")
    assert "noon" in customer.locator(f"{REPLY} .text").last.inner_text()


def find_the_wrong_answer(lead, asked_on):
    go(lead, "Conversations")
    lead.get_by_label("Begun from").fill(f"{asked_on:%Y-%m-%d}")
    lead.get_by_label("until").fill(f"{asked_on:%Y-%m-%d}")
    lead.get_by_label("Thumb").select_option("down")
    lead.get_by_role("button", name="Search").click()
    lead.wait_for_url("**thumb=down**")
    rows = lead.locator(".fd-table tbody tr")
    rows.first.wait_for()
    assert rows.count() == 1
    rows.get_by_role("link", name="how much does a card cost?").click()
    reply = lead.locator("#m2")
    reply.wait_for()
    assert "Thumb down" in reply.inner_text()
    reply.get_by_text("How this came about").click()
    facts = reply.locator(".fd-facts").inner_text()
    assert "What would be quoted answers: answer." in facts
    nearest = reply.locator(".fd-nearest tbody tr").first.inner_text()
    assert OLD_CARD in nearest
    assert len(re.findall(r"\d+ %", nearest)) == 2
    reply.get_by_text("Card, as it was").click()
    assert reply.locator(".fd-was mark").inner_text() == OLD_CARD
    assert "The article has changed since." in reply.locator(".fd-was").inner_text()
