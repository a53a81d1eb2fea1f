"""Articles are written, checked and published; nothing leads out of their folder or is lost."""

import os
import subprocess
import sys

import pytest

from assistant.articles import publishing as publishing_module
from assistant.articles.article_paths import existing, inside, new_path, slug_of
from assistant.articles.article_text import Fields, fields_of, read_article, with_fields
from assistant.articles.difference import as_text, difference
from assistant.articles.drafts import Drafts
from assistant.articles.errors import ArticleEditError, ChangedMeanwhileError
from assistant.articles.gate import Verdict, dialogues_of, environment_of
from assistant.articles.listing import ArticleFolder, listed
from assistant.articles.publishing import Publishing, companions, current_text
from assistant.articles.trial_folder import trial_folder
from assistant.articles.uploads import read_upload
from assistant.config import BANK, Settings
from assistant.store.database import Database
from tests.three_articles import CARD, write_articles

NEW = "---\nid: parking\ntitle: Parking\nlang: en\n---\n\nParking is free for two hours.\n"


@pytest.fixture
def docs(tmp_path):
    return write_articles(tmp_path / "docs")


@pytest.fixture
def settings(docs, tmp_path):
    return Settings(knowledge=docs, state=tmp_path / "state")


@pytest.fixture
def database(store_url):
    database = Database.open(store_url)
    yield database
    database.close()


@pytest.fixture
def passing(monkeypatch):
    """Let every draft pass without models; the verdict can be changed."""
    verdicts = [Verdict("dialogues", passed=True)]
    monkeypatch.setattr(publishing_module, "judge", lambda *_: verdicts[-1])
    monkeypatch.setattr(Publishing, "_index", lambda _: None)
    return verdicts


@pytest.mark.parametrize(
    "path",
    ["../secret.md", "en/../../x.md", "/etc/passwd", "", "a\\..\\b.md", ".hidden.md", "x\0.md"],
)
def test_no_path_leads_out(docs, path):
    with pytest.raises(ArticleEditError):
        existing(docs, path)
    with pytest.raises(ArticleEditError):
        inside(docs, path)


def test_no_link_is_followed(docs, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.md").write_text("secret")
    (docs / "way").symlink_to(tmp_path / "outside")
    (docs / "one.md").symlink_to(tmp_path / "outside" / "x.md")
    for path in ("way/x.md", "one.md", "way/new.md"):
        with pytest.raises(ArticleEditError, match="found a link"):
            inside(docs, path)
    assert existing(docs, "card.md").read_text() == CARD


def test_names_are_slugs(docs):
    for name in ("", "A b", "../x", "x" * 81, "ä", "-x"):
        with pytest.raises(ArticleEditError, match="small letters"):
            new_path(docs, name, "en")
    assert new_path(docs, "parking", "en") == "parking.md"
    assert new_path(docs, "card", "zh") == "card.zh.md"
    assert new_path(BANK, "parking", "zh") == "zh/parking.md"
    assert slug_of("Opening Hours.v2.PDF") == "opening-hours"
    assert slug_of("营业时间.pdf") == ""


def test_what_did_not_change_stays_as_it_was_written():
    for path in sorted((BANK / "articles").rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        fields = fields_of(text, path.name)
        assert with_fields(text, path.name, fields).strip() == text.strip()


def test_fields_change_and_nothing_else():
    text = (BANK / "articles" / "en" / "replace-a-card.md").read_text(encoding="utf-8")
    before = fields_of(text, "replace-a-card.md")
    values = {"title": 'New: "it" costs #5', "valid_to": "2030-12-31", "questions": "a: b\n'c'"}
    fields = Fields(**{**_values(before), **values})
    changed = with_fields(text, "replace-a-card.md", fields)
    assert fields_of(changed, "replace-a-card.md") == fields
    article, old = read_article(changed, "x.md"), read_article(text, "x.md")
    assert (article.text.strip(), article.intents) == (old.text.strip(), old.intents)
    gone = with_fields(
        changed, "x.md", Fields(**{**_values(fields), "valid_to": "", "questions": ""})
    )
    assert "valid_to" not in gone
    assert "questions" not in gone
    assert "owner: customer-care" in gone


def _values(fields):
    return {name: getattr(fields, name) for name in Fields.__slots__}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"title": " "}, "a title and a text"),
        ({"body": ""}, "a title and a text"),
        ({"valid_from": "tomorrow"}, "a day such as"),
        ({"valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "the first day before"),
        ({"body": "x" * 200_001}, "at most 200,000"),
    ],
)
def test_what_is_wrong_is_said(values, message):
    fields = {"title": "T", "lang": "en", "body": "B", **values}
    with pytest.raises(ArticleEditError, match=message):
        with_fields("", "t.md", Fields(**fields))


def test_a_difference_in_lines():
    lines = difference("a\nb\nc", "a\nB\nc")
    assert [(line.kind, line.text) for line in lines][-4:] == [
        ("kept", "a"), ("gone", "b"), ("added", "B"), ("kept", "c"),
    ]  # fmt: skip
    assert "- b\n+ B" in as_text(lines)
    assert difference("a", "a") == []


def test_a_draft_goes_live_and_has_a_history(database, settings, docs, passing):
    drafts, publishing = Drafts(database), Publishing(database, settings)
    first = drafts.begin("parking.md", "en", "", NEW, "ann")
    assert not (docs / "parking.md").exists()
    assert publishing.publish([first], "ann").paths == ("parking.md",)
    assert (docs / "parking.md").read_text() == NEW
    second = drafts.begin("parking.md", "en", NEW, NEW.replace("two", "three"), "bob")
    publishing.publish([second], "bob")
    back = drafts.begin("parking.md", "en", current_text(docs, "parking.md"), NEW, "ann")
    publishing.publish([back], "ann")
    assert (docs / "parking.md").read_text() == NEW
    assert [one.id for one in drafts.history("parking.md")] == [back, second, first]
    assert drafts.open() == []
    assert sorted(path.name for path in docs.iterdir()) == [
        "card.md", "fee.md", "parking.md", "room.md",
    ]  # fmt: skip
    with pytest.raises(ArticleEditError, match="is live"):
        publishing.publish([first], "ann")


def test_what_does_not_pass_does_not_go_live(database, settings, docs, passing):
    passing.append(Verdict("check", passed=False, reasons=("broken link: x",)))
    drafts = Drafts(database)
    number = drafts.begin("parking.md", "en", "", NEW, "ann")
    published = Publishing(database, settings).publish([number], "ann")
    assert (published.paths, published.verdict.reasons) == ((), ("broken link: x",))
    assert not (docs / "parking.md").exists()
    assert drafts.get(number).state == "draft"


def test_a_draft_that_cannot_be_read_does_not_go_live(database, settings, docs, passing):
    number = Drafts(database).begin("parking.md", "en", "", "---\na: [\n---\nx", "ann")
    with pytest.raises(ArticleEditError, match="front matter is not valid"):
        Publishing(database, settings).publish([number], "ann")
    assert not (docs / "parking.md").exists()


def test_the_second_editor_is_told_and_nothing_is_lost(database, settings, docs, passing):
    drafts, publishing = Drafts(database), Publishing(database, settings)
    ann = drafts.begin("card.md", "en", CARD, CARD.replace("five", "six"), "ann")
    bob = drafts.begin("card.md", "en", CARD, CARD.replace("A card", "One card"), "bob")
    publishing.publish([ann], "ann")
    with pytest.raises(ChangedMeanwhileError, match="six pounds") as caught:
        publishing.publish([bob], "bob")
    assert caught.value.current == "A card costs six pounds."
    assert drafts.get(bob).after == "One card costs five pounds."
    assert (docs / "card.md").read_text() == "A card costs six pounds."
    drafts.rebase(bob, caught.value.current)
    publishing.publish([bob], "bob")
    assert (docs / "card.md").read_text() == "One card costs five pounds."
    assert drafts.history("card.md")[1].after == "A card costs six pounds."


def test_a_change_of_the_file_during_the_check_is_noticed(database, settings, docs, monkeypatch):
    def judge(*_):
        (docs / "card.md").write_text("Changed by hand.")
        return Verdict("check", passed=True)

    monkeypatch.setattr(publishing_module, "judge", judge)
    number = Drafts(database).begin("card.md", "en", CARD, NEW, "ann")
    with pytest.raises(ChangedMeanwhileError):
        Publishing(database, settings).publish([number], "ann")
    assert (docs / "card.md").read_text() == "Changed by hand."


def test_two_tabs_do_not_overwrite_each_other(database):
    drafts = Drafts(database)
    begun = drafts.get(drafts.begin("card.md", "en", CARD, "one", "ann"))
    drafts.save(begun.id, "two", seen=begun.updated)
    with pytest.raises(ChangedMeanwhileError) as caught:
        drafts.save(begun.id, "three", seen=begun.updated)
    assert caught.value.current == "two"
    drafts.drop(begun.id)
    with pytest.raises(ArticleEditError, match="none any more"):
        drafts.save(begun.id, "four")


def test_several_files_are_written_together_or_not_at_all(
    database, settings, docs, passing, monkeypatch
):
    drafts = Drafts(database)
    one = drafts.begin("parking.md", "en", "", NEW, "ann")
    two = drafts.begin("card.md", "en", CARD, NEW.replace("parking", "card"), "ann")
    staged = publishing_module._staged

    def full(file, text):
        if file.name == "card.md" and text:
            raise OSError(28, "No space left on device")
        return staged(file, text)

    monkeypatch.setattr(publishing_module, "_staged", full)
    with pytest.raises(ArticleEditError, match="No space left"):
        Publishing(database, settings).publish([one, two], "ann")
    assert not (docs / "parking.md").exists()
    assert [path.name for path in docs.iterdir() if path.name.startswith(".")] == []
    assert drafts.get(one).state == "draft"


def test_a_folder_that_cannot_be_written_is_said_before_the_check(
    database, settings, passing, monkeypatch
):
    def refuse(*_args, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(publishing_module.tempfile, "mkstemp", refuse)
    number = Drafts(database).begin("parking.md", "en", "", NEW, "ann")
    with pytest.raises(ArticleEditError, match="cannot be written: Permission denied"):
        Publishing(database, settings).publish([number], "ann")


def test_a_translation_goes_live_with_its_original(database):
    drafts = Drafts(database)
    chinese = "---\ntitle: 停车\nlang: zh\ntranslation_of: parking\n---\n\n停车两小时免费。\n"
    one = drafts.begin("parking.md", "en", "", NEW, "ann")
    two = drafts.begin("parking.zh.md", "zh", "", chinese, "ann")
    drafts.begin("parking.zh.md", "zh", "", chinese, "bob")
    assert [other.id for other in companions(drafts, drafts.get(one))] == [two]
    assert [other.id for other in companions(drafts, drafts.get(two))] == [one]


def test_a_trial_changes_nothing_outside(docs, tmp_path):
    with trial_folder(docs, {"card.md": "Other.", "new/x.md": "X"}, tmp_path / "s", "e") as copy:
        assert (copy / "card.md").read_text() == "Other."
        assert (copy / "new" / "x.md").read_text() == "X"
        assert (docs / "card.md").read_text() == CARD
        kept = copy
    assert not kept.exists()
    assert sorted(path.name for path in docs.iterdir()) == ["card.md", "fee.md", "room.md"]


def test_the_dialogues_of_a_company(docs, tmp_path):
    assert dialogues_of(Settings(knowledge=docs)) is None
    (docs / "dialogues").mkdir()
    assert dialogues_of(Settings(knowledge=docs)) == docs / "dialogues"
    assert dialogues_of(Settings(knowledge=docs, dialogues=tmp_path)) == tmp_path
    assert dialogues_of(Settings()).name == "passing"


def test_secrets_go_on_in_the_environment(tmp_path):
    settings = Settings(state=tmp_path, generator_key="swordfish", small=True, expansions=True)
    told = environment_of(settings)
    assert told["FRONTDESK_GENERATOR_KEY"] == "swordfish"
    assert (told["FRONTDESK_SMALL"], told["FRONTDESK_EXPANSIONS"]) == ("true", "false")
    assert told["FRONTDESK_DATABASE"].endswith("frontdesk.db")


def test_a_list_says_what_is_missing_or_over(docs):
    (docs / "card.zh.md").write_text("---\nlang: zh\ntranslation_of: card\n---\n卡五英镑。")
    (docs / "old.md").write_text("---\nvalid_to: 2020-01-01\n---\nOld.")
    folder = ArticleFolder(docs)
    rows = {row.article.path: row for row in listed(folder.articles(), {("en", "card"): 7})}
    assert (rows["card.md"].counterpart, rows["card.md"].cited) == ("card.zh.md", 7)
    assert rows["card.zh.md"].counterpart == "card.md"
    assert (rows["fee.md"].counterpart, rows["old.md"].state) == ("", "expired")
    (docs / "fee.md").write_text("The fee is three pounds.")
    assert "three" in next(a.text for a in folder.articles() if a.path == "fee.md")


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("x.exe", b"MZ", "cannot be read. Expected one of"),
        ("x.png", b"\x89PNG", "cannot be read"),
        ("x.md", b"", "the file is empty"),
        ("x.pdf", b"%PDF-1.7 broken", "x.pdf: "),
        ("x.docx", b"PK broken", "it is broken"),
        ("x.md", b"---\na: [\n---\nx", "front matter is not valid"),
        ("x.txt", b"\0\1\2", "not text"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, name, raw, message):
    file = tmp_path / name
    file.write_bytes(raw)
    with pytest.raises(ArticleEditError, match=message):
        read_upload(file)


def test_a_file_of_200_megabytes_is_refused_without_being_read(tmp_path):
    file = tmp_path / "large.md"
    with file.open("wb") as large:
        large.truncate(200_000_000)
    with pytest.raises(ArticleEditError, match="more than the limit of 20,000,000"):
        read_upload(file)


def test_scripts_of_an_upload_are_gone(tmp_path):
    pytest.importorskip("bs4")
    file = tmp_path / "Opening hours.html"
    file.write_text(
        "<title>Hours</title><script>alert(1)</script><p onclick='x()'>Open at <b>nine</b>.</p>"
    )
    found = read_upload(file)
    assert (found.name, found.lang) == ("opening-hours", "en")
    assert "Open at nine." in found.text
    assert "alert" not in found.text
    assert "onclick" not in found.text
    assert read_article(found.text, "x.md").id == "opening-hours"


def test_the_command(docs, tmp_path):
    def run(*arguments):
        environment = {
            **os.environ,
            "FRONTDESK_KNOWLEDGE": str(docs),
            "FRONTDESK_DATABASE": f"sqlite:///{tmp_path}/f.db",
        }
        command = [sys.executable, "-m", "assistant.articles", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    (tmp_path / "new.md").write_text("# Parking\n\nParking is free.")
    assert "card.md: Card (en, valid, other language: missing" in run("list").stdout
    made = run("draft", "parking.md", "--file", str(tmp_path / "new.md"))
    assert made.stdout.startswith("Draft 1 of parking.md")
    assert "Parking is free." in run("show", "1").stdout
    assert "draft 1 of parking.md" in run("list").stdout
    out = run("draft", "../x.md", "--file", str(tmp_path / "new.md"))
    assert out.returncode == 2
    assert "Expected the path of an article" in out.stderr
    assert run("rollback", "99").returncode == 2
    assert not (docs / "parking.md").exists()
