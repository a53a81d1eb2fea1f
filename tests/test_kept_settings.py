"""Settings that the console keeps: their place among the others, and when they take effect."""

import argparse
import json
import subprocess
import sys

import pytest

from assistant.company import DAYS
from assistant.config import KEEPABLE, ServeOptions, Settings, add_arguments, settings_of
from assistant.errors import SettingsError
from assistant.live_settings import LiveSettings
from assistant.reports.setting_list import setting_lines, shown
from assistant.reports.wording_list import preview, wording_lines
from assistant.store.audit import Audit
from assistant.store.database import Database
from assistant.store.kept_settings import KeptSettings
from assistant.store.users import Users
from assistant.ui.console.words import LANGUAGES, words
from tests.conftest import ROOT, desk_of
from tests.page_server import Answerer

PASSWORD = "long enough for all"


@pytest.fixture
def kept(store_url):
    return KeptSettings(Database.open(store_url))


@pytest.fixture
def desk(tmp_path):
    return desk_of(Answerer(), tmp_path)


@pytest.fixture
def live(desk, tmp_path):
    return LiveSettings.of(Settings(state=tmp_path), desk)


def resolved(*arguments):
    parser = argparse.ArgumentParser()
    add_arguments(parser, ServeOptions)
    return settings_of(parser.parse_args(arguments))


def test_default_file_console_environment_command_line(tmp_path, monkeypatch, store_url):
    """Each place in turn, the strongest last."""
    monkeypatch.setenv("FRONTDESK_DATABASE", store_url)
    file = tmp_path / "settings.yml"
    file.write_text("port: 1234\n")
    usual = ("--config", str(file), "--state", str(tmp_path))
    assert (resolved(*usual).caution, resolved(*usual).place_of("caution")) == (3, "default")
    file.write_text("caution: 4\nkeep_days: 40\n")
    assert (resolved(*usual).caution, resolved(*usual).place_of("caution")) == (4, "file")
    kept = KeptSettings(Database.open(store_url))
    kept.set("caution", "5", "ann")
    found = resolved(*usual)
    assert (found.caution, found.place_of("caution"), found.is_fixed("caution")) == (
        5,
        "console",
        False,
    )
    assert (found.keep_days, found.place_of("keep_days")) == (40, "file")
    monkeypatch.setenv("FRONTDESK_CAUTION", "6")
    assert (resolved(*usual).caution, resolved(*usual).place_of("caution")) == (6, "environment")
    found = resolved(*usual, "--caution", "7")
    assert (found.caution, found.place_of("caution")) == (7, "command line")
    assert found.is_fixed("caution")


def test_nothing_is_made_where_nothing_was_kept(tmp_path):
    assert resolved("--state", str(tmp_path / "new")).caution == 3
    assert not (tmp_path / "new").exists()


def test_a_value_that_is_no_longer_right_keeps_no_server_down(tmp_path, kept, caplog):
    settings = Settings(state=tmp_path).with_kept({"caution": -1, "keep_days": 7, "gone": 1})
    assert (settings.caution, settings.keep_days) == (3, 7)
    assert "caution" in caplog.text


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("caution", "0", "caution: Input should be greater than or equal to 0.5, found '0'"),
        ("per_minute", "many", "per_minute: Input should be a valid integer"),
        ("database", "sqlite:///x", "found 'database'|found 'database"),
        ("secret_key", "hunter22hunter22", "name of a setting that can be changed"),
        ("state", "elsewhere", "name of a setting that can be changed"),
        ("generator_url", "http://evil.example", "name of a setting that can be changed"),
        ("saying.en.greeting", "Hello!", r"expected \{\{ company \}\}, found no gaps"),
        ("saying.en.thanks", "{{ 7*7 }}", "nothing else in braces"),
        ("saying.zh.thanks", "  ", "expected a text of 1 to 1,000 characters, found 0"),
        ("saying.en.nothing", "x", "found 'saying.en.nothing'"),
        ("greeting.fr", "Bonjour", "found 'greeting.fr'"),
        ("people", {"timezone": "Mars", "hours": {}}, "expected a time zone"),
        ("people", {"timezone": "UTC", "hours": {"monday": "9 to 5"}}, "expected hours"),
        ("people", None, "people"),
    ],
)
def test_a_bad_value_is_explained_and_not_kept(kept, name, value, reason):
    with pytest.raises(SettingsError, match=reason):
        kept.set(name, value, "ann")
    assert kept.all() == {}
    assert Audit(kept._database).latest() == []


def test_a_secret_in_a_refusal_is_not_repeated(kept):
    with pytest.raises(SettingsError) as caught:
        kept.set("secret_key", "hunter22hunter22", "ann")
    assert "hunter22" not in str(caught.value)


def test_it_is_kept_who_changed_what(kept):
    kept.set("caution", "5", "ann")
    kept.set("saying.en.thanks", "Any time.", "bo")
    kept.unset("caution", "bo")
    deeds = [(d.who, d.did, d.on) for d in Audit(kept._database).latest()]
    assert deeds == [
        ("bo", "unset", "caution"),
        ("bo", "set", "saying.en.thanks"),
        ("ann", "set", "caution: 5.0"),
    ]
    with pytest.raises(SettingsError, match="that was changed"):
        kept.unset("caution", "bo")


def test_secrets_never_leave(monkeypatch, tmp_path):
    hidden = {
        "FRONTDESK_SECRET_KEY": "swordfish-swordfish",
        "FRONTDESK_DATABASE": f"sqlite:///{tmp_path}/swordfish.db",
        "FRONTDESK_ADMIN_PASSWORD": "swordfish-password",
        "FRONTDESK_WEBHOOK_URL": "https://hooks.example/T1/swordfish?token=swordfish",
        "FRONTDESK_GENERATOR_URL": "https://user:swordfish@models.example:8000/v1",
        "FRONTDESK_MILVUS": "https://me:swordfish@milvus.example",
    }
    for name, value in hidden.items():
        monkeypatch.setenv(name, value)
    settings = resolved("--state", str(tmp_path))
    lines = {line.name: line for line in setting_lines(settings, {})}
    assert "swordfish" not in repr(lines) + repr(settings.model_fields_set)
    assert (lines["secret_key"].value, lines["contact_key"].value) == ("yes", "no")
    assert lines["generator_url"].value == "https://models.example:8000/…"
    for form in ([], ["--json"]):
        told = subprocess.run(
            [sys.executable, "-m", "assistant.settings", "show", *form, "--state", str(tmp_path)],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "swordfish" not in told.stdout + told.stderr
    assert len(json.loads(told.stdout)["settings"]) == len(Settings.model_fields)


def test_an_address_without_a_host_is_not_shown():
    assert shown("milvus", "./milvus.db") == "./milvus.db"
    assert shown("webhook_url", "user:secret@host") == "…"


def test_a_change_takes_effect_at_once(live, desk):
    policy = desk.assistant.finder.policy
    before = policy._raised(0.5)
    live.set("caution", 30, "ann")
    assert policy._raised(0.5) > before
    assert live.settings.caution == 30
    live.unset("caution", "ann")
    assert policy._raised(0.5) == before
    live.set("max_characters", 10, "ann")
    assert desk.assistant.responder.max_characters == 10


def test_what_another_process_changes_is_seen_at_the_next_look(live, desk):
    days = []
    live.on("keep_days", days.append)
    KeptSettings(desk.conversations.database).set("keep_days", "12", "terminal")
    live.look()
    live.look()
    assert days == [12]


def test_what_needs_a_restart_says_so(live):
    live.set("queue", 5, "ann")
    assert not live.is_live("queue")
    assert live.waits("queue")
    assert not live.waits("caution")


def test_what_the_starter_sets_is_not_changed(desk, tmp_path):
    live = LiveSettings.of(resolved("--state", str(tmp_path), "--caution", "2"), desk)
    live.set("caution", 50, "ann")
    assert live.settings.caution == 2


def test_opening_hours_count_at_once_for_the_running_handover(live, desk):
    saying = desk.handover._announced("en")
    assert "joins you" in saying
    closed = {"timezone": "UTC", "hours": {}, "minutes": 5}
    live.set("people", {**closed, "hours": {_in_three_days(): "09:00-10:00"}}, "ann")
    assert "Our people are away now" in desk.handover._announced("en")
    live.unset("people", "ann")
    assert desk.handover._announced("en") == saying


def _in_three_days():
    from assistant.store.tables import now

    return DAYS[(now().weekday() + 3) % 7]


@pytest.mark.parametrize(("lang", "text"), [("en", "Glad to."), ("zh", "应该的。")])
def test_sayings_and_greeting_count_at_once_and_go_back(live, desk, lang, text):
    responder = desk.assistant.responder
    file = responder.saying("thanks", lang)
    live.set(f"saying.{lang}.thanks", text, "ann")
    live.set(f"greeting.{lang}", text, "ann")
    assert responder.saying("thanks", lang) == responder.company.greeting[lang] == text
    live.unset(f"saying.{lang}.thanks", "ann")
    live.unset(f"greeting.{lang}", "ann")
    assert responder.saying("thanks", lang) == file
    assert lang not in responder.company.greeting


def test_every_text_can_be_kept_as_it_is_and_is_previewed_in_both_languages(desk):
    """Each saying of the files passes its own check, and has examples for its gaps."""
    company = desk.assistant.responder.company
    lines = wording_lines(company, {})
    assert {line.lang for line in lines} == {"en", "zh"}
    names = {line.name for line in lines}
    for line in lines:
        said = preview(line.name, line.text, company)
        assert "{{" not in said
        assert said or line.title == "greeting"
        assert line.name_in("zh" if line.lang == "en" else "en") in names


def test_every_setting_has_a_meaning_in_both_languages():
    for lang in LANGUAGES:
        assert {f"settings.means_{name}" for name in Settings.model_fields} <= set(words(lang))
    assert set(KEEPABLE) <= set(Settings.model_fields)


def test_the_last_administrator_stays(store_url):
    users = Users(Database.open(store_url))
    users.add("ann", PASSWORD, "administrator")
    users.add("bo", PASSWORD, "agent")
    with pytest.raises(SettingsError, match="ann is the last one"):
        users.remove("ann", last=False)
    with pytest.raises(SettingsError, match="ann is the last one"):
        users.give_role("ann", "editor")
    users.give_role("bo", "administrator")
    users.remove("ann", last=False)
    assert [(user.name, user.role) for user in users.all()] == [("bo", "administrator")]
    with pytest.raises(SettingsError, match="Expected a role"):
        users.give_role("bo", "king")


def test_deeds_are_found_by_who_and_what(store_url):
    audit = Audit(Database.open(store_url))
    for number in range(5):
        audit.note("ann", "take", str(number))
        audit.note("bo", "close", str(number))
    deeds, total = audit.find("ann", skip=1, count=2)
    assert ([deed.on for deed in deeds], total) == (["3", "2"], 5)
    assert audit.find(did="close")[1] == 5
    assert audit.find("ann", "close") == ([], 0)
    assert audit.names() == (["ann", "bo"], ["close", "take"])
