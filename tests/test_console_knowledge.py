"""The pages Unanswered and Knowledge in a real browser, in both languages."""

import re
import time

import pytest

from assistant.articles.drafts import Drafts
from assistant.messages import Nearest
from tests.console_server import ConsoleServer, RealConsole
from tests.page_browser import EN, PHONE, axe
from tests.three_articles import CARD, DIALOGUE, write_articles
from tests.unanswered_examples import keep_unanswered

pytestmark = pytest.mark.slow

EVIL = "${alert(1)} <img src=x onerror=alert(1)> {{7*7}}"
NEAR = Nearest("card", "en", "Card", 0.6, "A card costs five pounds.", 0.2)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("console")
    docs = write_articles(folder / "docs")
    (docs / "card.zh.md").write_text("---\nlang: zh\ntranslation_of: card\n---\n卡五英镑。")
    (docs / "evil.md").write_text(f"# {EVIL}\n\n<script>alert(2)</script> Text of it.")
    server = ConsoleServer(folder / "state", knowledge=docs)
    for days in range(3):
        keep_unanswered(server.desk, "horse loan horse loan", [NEAR], days=days)
    keep_unanswered(server.desk, EVIL)
    yield server
    server.stop()


@pytest.fixture
def page(chromium, server):
    context = chromium.new_context(**EN)
    page = context.new_page()
    page.set_default_timeout(20_000)
    wrong = []
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    assert not wrong


def visit(page, server, path, lang="en"):
    page.goto(f"{server.url}/console/{lang}/{path}")
    page.wait_for_selector("h1")


def drafts_of(server):
    return Drafts(server.desk.conversations.database)


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "“Card” was found, but no sentence"), ("zh", "找到了“Card”")]
)
def test_a_group_leads_to_a_draft_with_its_questions(page, server, lang, said):
    visit(page, server, "unanswered", lang)
    row = page.locator(".fd-table tbody tr").first
    assert "3" in row.inner_text()
    assert said in row.inner_text()
    row.locator("a").first.click()
    page.wait_for_selector("h1:has-text('horse loan')")
    again = {"en": "Try again", "zh": "再试一次"}[lang]
    page.get_by_role("button", name=again).click()
    page.wait_for_selector("text=£5")
    page.locator("a.fd-deed").click()
    page.wait_for_selector("textarea")
    page.wait_for_selector("li:has-text('horse loan horse loan')")


def test_what_customers_and_articles_say_runs_nowhere(page, server):
    visit(page, server, "unanswered")
    assert page.get_by_text(EVIL).count()
    visit(page, server, "knowledge")
    assert page.get_by_text(EVIL).count()
    visit(page, server, "knowledge?article=evil.md")
    page.wait_for_selector(".fd-article")
    assert "<script>alert(2)</script>" in page.inner_text(".fd-article")
    assert page.locator(".fd-article img, .fd-article script").count() == 0


@pytest.mark.parametrize("forged", ["article=../state/frontdesk.db", "draft=999", "edit=/etc/hosts",
                                    "change=7", "article=none.md"])  # fmt: skip
def test_a_forged_address_is_a_sentence(page, server, forged):
    visit(page, server, f"knowledge?{forged}")
    assert re.search("There is no (draft|article)", page.inner_text(".fd-told.fd-wrong"))


def test_the_list_is_searched_and_filtered_by_its_address(page, server):
    visit(page, server, "knowledge?state=missing&text=pounds")
    rows = page.locator(".fd-table tbody tr")
    assert [row.split("\t")[0] for row in rows.all_inner_texts()] == ["Fee"]
    visit(page, server, "knowledge?lang=zh")
    assert page.locator(".fd-table tbody tr").count() == 1


def test_a_draft_is_written_kept_and_seen_again(page, server):
    visit(page, server, "knowledge?new=1")
    page.get_by_label("Title").fill("Horses")
    page.get_by_label("Name").fill("../x")
    page.get_by_label("Markdown").fill("We lend no money for horses.")
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_selector("text=A name has small letters, digits and hyphens only")
    page.get_by_label("Name").fill("horses")
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_selector("text=is kept")
    page.wait_for_url("**/knowledge?draft=*")
    page.reload()
    page.wait_for_selector(".fd-article:has-text('no money for horses')")
    draft = next(one for one in drafts_of(server).open() if one.path == "horses.md")
    assert "We lend no money for horses." in draft.after
    assert not (server.settings.knowledge / "horses.md").exists()


def test_a_draft_is_translated_before_either_is_published(page, server):
    visit(page, server, "knowledge?new=1")
    page.get_by_label("Title").fill("Boats")
    page.get_by_label("Name").fill("boats")
    page.get_by_label("Markdown").fill("We lend no money for boats.")
    page.get_by_role("button", name="Save draft").click()
    page.get_by_role("link", name="Write it in the other language").click()
    page.wait_for_selector("section[lang=en]:has-text('no money for boats')")
    assert page.get_by_label("Name").input_value() == "boats"
    page.get_by_label("Title").fill("船")
    page.get_by_label("Markdown").fill("我们不为买船提供贷款。")
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_selector("text=boats.md is published together with it.")
    assert page.get_by_role("link", name="Write it in the other language").count() == 0
    draft = next(one for one in drafts_of(server).open() if one.path == "boats.zh.md")
    assert 'translation_of: "boats"' in draft.after
    for one in drafts_of(server).open():
        if one.path.startswith("boats"):
            drafts_of(server).drop(one.id)


def test_a_change_by_somebody_else_is_shown_with_its_difference(page, server):
    fee = server.settings.knowledge / "fee.md"
    before = fee.read_text()
    number = drafts_of(server).begin("fee.md", "en", before, "Mine.", "bob")
    fee.write_text("The fee is nine pounds.")
    try:
        visit(page, server, f"knowledge?draft={number}")
        page.wait_for_selector(".fd-difference ins:has-text('nine pounds')")
        assert page.get_by_label("Markdown").input_value() == "Mine."
        page.get_by_role("button", name="I have seen it").click()
        page.wait_for_selector(".fd-told.fd-wrong", state="detached")
        assert drafts_of(server).get(number).before == "The fee is nine pounds."
    finally:
        fee.write_text(before)
        drafts_of(server).drop(number)


def test_an_upload_becomes_a_draft_and_a_bad_one_a_sentence(page, server, tmp_path):
    (tmp_path / "Parking lot.md").write_text("# Parking\n\nParking is free.")
    (tmp_path / "broken.docx").write_bytes(b"PK broken")
    before = sorted(path.name for path in server.settings.knowledge.iterdir())
    visit(page, server, "knowledge")
    page.set_input_files("input[type=file]", tmp_path / "broken.docx")
    page.wait_for_selector("text=it is broken")
    page.set_input_files("input[type=file]", tmp_path / "Parking lot.md")
    page.wait_for_url("**/knowledge?draft=*")
    page.wait_for_selector(".fd-article:has-text('Parking is free.')")
    assert sorted(path.name for path in server.settings.knowledge.iterdir()) == before


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "large.md has 201 MB, and nothing of it was uploaded"), ("zh", "large.md 有 201 MB")],
)
def test_an_upload_of_200_megabytes_is_a_sentence_at_once(page, server, tmp_path, lang, said):
    large = tmp_path / "large.md"
    with large.open("wb") as file:
        file.truncate(200_500_000)
    visit(page, server, "knowledge", lang)
    page.wait_for_selector("[data-largest]", state="attached")
    page.set_input_files("input[type=file]", large)
    page.wait_for_selector(f"[role=alert]:has-text('{said}')")
    (tmp_path / "small.md").write_text("# Small\n\nIt is small.")
    page.set_input_files("input[type=file]", tmp_path / "small.md")
    page.wait_for_url("**/knowledge?draft=*")


def test_a_script_in_an_upload_runs_nowhere_and_is_no_part_of_the_article(page, server, tmp_path):
    text = "<h1>Fees</h1><script>alert(1)</script><p onclick='alert(2)'>A fee of £2.</p>"
    (tmp_path / "fees.html").write_text(f"{text}<img src=x onerror=alert(3)>", encoding="utf-8")
    visit(page, server, "knowledge")
    page.set_input_files("input[type=file]", tmp_path / "fees.html")
    page.wait_for_url("**/knowledge?draft=*")
    page.wait_for_selector(".fd-article:has-text('A fee of £2.')")
    draft = next(d for d in drafts_of(server).open() if "fees" in d.path)
    assert "alert" not in draft.after
    assert page.locator(".fd-article img, .fd-article [onclick]").count() == 0


@pytest.mark.parametrize("path", ["unanswered", "knowledge", "knowledge?article=card.md",
                                  "knowledge?edit=card.md"])  # fmt: skip
def test_pages_have_no_serious_barrier_and_fit_a_phone(chromium, server, path):
    context = chromium.new_context(**PHONE)
    page = context.new_page()
    visit(page, server, path)
    page.wait_for_timeout(1500)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("h1").count() == 1
    page.evaluate(axe())
    found = page.evaluate("axe.run()")["violations"]
    serious = [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in found
               if v["impact"] in ("serious", "critical")]  # fmt: skip
    context.close()
    assert not serious


@pytest.mark.model
@pytest.mark.timeout(1800)
def test_a_published_article_is_answered_from_and_a_bad_one_is_not(chromium, tmp_path):
    docs = tmp_path / "help"
    docs.mkdir()
    write_articles(docs / "articles")
    (docs / "dialogues").mkdir()
    (docs / "dialogues" / "card.yml").write_text(DIALOGUE)
    server = RealConsole(tmp_path, docs)
    asked = "can I park at the branch?"
    page = chromium.new_page()
    page.set_default_timeout(60_000)
    try:
        assert "two hours" not in server.desk.assistant.reply(asked).text
        visit(page, server, "knowledge?new=1")
        page.get_by_label("Title").fill("Parking at the branch")
        page.get_by_label("Name").fill("parking")
        page.get_by_label("Markdown").fill("Parking at the branch is free for two hours.")
        page.get_by_label("Try a question").fill(asked)
        page.get_by_role("button", name="Ask before and after").click()
        page.wait_for_selector(".fd-sides section:nth-child(2):has-text('two hours')")
        assert "two hours" not in page.inner_text(".fd-sides section:nth-child(1)")
        assert not (docs / "articles" / "parking.md").exists()
        page.get_by_role("button", name="Check and publish").click()
        page.wait_for_selector("text=Published. The assistant", timeout=900_000)
        assert "two hours" in server.desk.assistant.reply(asked).text

        visit(page, server, "knowledge?edit=card.md")
        page.get_by_label("Markdown").fill("A card costs nine pounds.")
        page.get_by_role("button", name="Check and publish").click()
        page.wait_for_selector("text=Nothing was published", timeout=900_000)
        page.wait_for_selector("li:has-text('the price of a card')")
        assert (docs / "articles" / "card.md").read_text() == CARD
    finally:
        page.close()
        server.stop()
        time.sleep(0.1)
