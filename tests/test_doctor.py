"""The doctor: what is missing or broken is named, with what to do; nothing secret is told."""

import contextlib
import json
import os
import socket
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest

from assistant import doctor
from assistant.checkup import machine
from assistant.checkup.check import fine, looked_at
from assistant.checkup.documents import documents, people
from assistant.checkup.packages import EXTRAS, base_packages, declared, extra_packages, packages
from assistant.checkup.server import generator_server, port, secrets
from assistant.checkup.speed import QUESTIONS, RUNS, speed
from assistant.checkup.store import store
from assistant.checkup.weights import carried, named, shipped
from assistant.config import BANK, Settings
from assistant.errors import SettingsError
from assistant.store.database import Database
from assistant.store.keys import Keys
from assistant.store.tables import ConversationRow
from knowledge.build_index import build
from knowledge.models import memory
from knowledge.models.carriers import GENERATOR, MPNET
from knowledge.models.model_files import EMBEDDER_NAME
from tests.conftest import STATE
from tests.fakes import HashEmbedder

SECRET = "swordfish-in-a-pond"


def levels(checks):
    """Return the level of each check by its name."""
    return {check.name: str(check.level) for check in checks}


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "returns.md").write_text("# Returns\n\nYou can send shoes back within 45 days.\n")
    return folder


@pytest.fixture
def taken():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


# packages


def test_the_base_installation_is_all_here():
    (check,) = base_packages(declared()[0])
    assert check.level == "fine"
    assert "torch " in check.found
    assert set(EXTRAS) <= set(declared()[1])


def test_a_missing_and_an_old_package_are_named():
    checks = list(base_packages(["no-such-package>=1", "click>=99", "pyyaml"]))
    assert [check.level for check in checks] == ["failure", "failure"]
    assert checks[0].found == "no-such-package>=1: not installed"
    assert checks[1].found.startswith("click>=99: found 8.")
    assert "pip install" in checks[0].remedy


def test_a_package_for_another_system_is_not_missed():
    (check,) = base_packages(["pyyaml", "no-such-package; sys_platform == 'vms'"])
    assert check.level == "fine"


def test_an_extra_that_is_not_installed_is_fine_unless_it_is_needed():
    check = extra_packages("documents", "PDF as articles", ["no-such-package"])
    assert check.level == "fine"
    assert "would give PDF as articles" in check.found
    assert "'.[documents]'" in check.found
    partly = extra_packages("documents", "PDF", ["pyyaml", "no-such-package"])
    assert "without no-such-package" in partly.found
    assert extra_packages("x", "y", ["no-such-package"], is_needed=True).level == "failure"
    assert levels(packages(Settings(milvus="http://127.0.0.1:1")))["packages"] == "fine"


# machine


def test_the_processor_is_told():
    processor, gpu = machine.processor(Settings())
    assert "cores" in processor.found
    assert gpu.level == "fine"


@pytest.mark.parametrize(
    ("total", "free", "limit", "small", "level", "remedy"),
    [
        (8, 7, "max", False, "fine", ""),
        (8, 2, "max", False, "warning", "if a server runs here already"),
        (4, 3.9, "max", False, "warning", "Set `small`"),
        (4, 3.9, "max", True, "fine", ""),
        (8, 7, str(2 << 30), True, "warning", "Add memory"),
    ],
)
def test_memory_is_compared_with_what_is_needed(
    tmp_path, monkeypatch, total, free, limit, small, level, remedy
):
    (tmp_path / "meminfo").write_text(
        f"MemTotal: {int(total * 2**20)} kB\nMemAvailable: {int(free * 2**20)} kB\n"
    )
    (tmp_path / "limit").write_text(limit)
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "LIMIT", tmp_path / "limit")
    (check,) = machine.memory(Settings(small=small))
    assert (check.level, remedy in check.remedy) == (level, True)


def test_memory_that_no_file_tells_is_not_known(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "none")
    (check,) = machine.memory(Settings())
    assert "not known" in check.found


def test_the_state_folder_is_tried_and_left_as_it_was(tmp_path):
    assert levels(machine.state(Settings(state=tmp_path)))["state"] == "fine"
    missing, _ = machine.state(Settings(state=tmp_path / "a" / "b"))
    assert (missing.level, missing.remedy) == ("warning", f"Make it: mkdir -p {tmp_path}/a/b")
    assert list(tmp_path.iterdir()) == []


def test_a_state_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    (check,) = machine.state(Settings(state=tmp_path / "file" / "state"))
    assert check.level == "failure"
    assert "Not a directory" in check.found


@pytest.mark.parametrize(
    ("gigabytes", "is_new", "level"),
    [(9, True, "fine"), (1, True, "warning"), (0.1, True, "failure"), (0.1, False, "warning")],
)
def test_a_full_disk(tmp_path, monkeypatch, gigabytes, is_new, level):
    if not is_new:
        (tmp_path / "models").mkdir()
    usage = SimpleNamespace(free=int(gigabytes * 2**30))
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage)
    assert levels(machine.state(Settings(state=tmp_path)))["disk"] == level


# documents


def test_an_index_is_up_to_date_until_a_document_changes(shop, tmp_path):
    settings = Settings(knowledge=shop, state=tmp_path, embedder="hash")
    assert levels(documents(settings)) == {"documents": "fine", "index": "warning"}
    build(shop, HashEmbedder(), tmp_path)
    assert levels(documents(settings)) == {"documents": "fine", "index": "fine"}
    (shop / "fees.md").write_text("# Fees\n\nA label costs 3 euros.\n")
    told = list(documents(settings))
    assert levels(told) == {"documents": "fine", "index": "warning"}
    assert told[0].figures == {"articles_en": 2}
    assert f"frontdesk index {shop}" in told[1].remedy


def test_a_broken_folder_says_what_to_do(tmp_path, shop):
    for folder, words in ((tmp_path / "none", "there is nothing"), (tmp_path, "")):
        (check, *_) = looked_at("documents", documents, Settings(knowledge=folder, state=tmp_path))
        assert (check.level, words in check.found) == ("failure" if words else "fine", True)
    (shop / "returns.md").unlink()
    (check,) = looked_at("documents", documents, Settings(knowledge=shop, state=tmp_path))
    assert (check.level, "at least one file with text" in check.found) == ("failure", True)


def test_skipped_and_expired_documents_are_told(shop, tmp_path):
    settings = Settings(knowledge=shop, state=tmp_path)
    (shop / "empty.md").write_text("")
    check, _ = documents(settings)
    assert (check.level, "1 files skipped, such as empty.md" in check.found) == ("warning", True)
    (shop / "returns.md").write_text("---\nvalid_to: 2020-01-01\n---\n# Returns\n\nNever now.\n")
    check, _ = documents(settings)
    assert "valid today: none" in check.found


def test_people_and_their_hours(shop):
    assert levels(people(Settings(knowledge=shop))) == {"company": "warning", "people": "warning"}
    assert levels(people(Settings(knowledge=BANK))) == {"company": "fine", "people": "fine"}
    closed = "name: {en: Shop}\npeople: {timezone: Europe/London, hours: {}}\n"
    (shop / "company.yml").write_text(closed)
    assert levels(people(Settings(knowledge=shop))) == {"company": "fine", "people": "warning"}
    (shop / "company.yml").write_text("colour: red\n")
    (check,) = looked_at("company", people, Settings(knowledge=shop))
    assert check.level == "failure"


# weights


@pytest.mark.model
def test_weights_are_found_and_right():
    check = carried(GENERATOR, STATE)
    assert (check.level, "SHA-256 right" in check.found) == ("fine", True)
    assert shipped().level == "fine"


def test_weights_that_are_not_installed(tmp_path, monkeypatch):
    monkeypatch.setattr("knowledge.models.carriers.find_parts", lambda *_: [])
    check = carried(GENERATOR, tmp_path)
    assert (check.level, GENERATOR.requirement in check.remedy) == ("failure", True)
    assert carried(MPNET, tmp_path, is_needed=False).level == "warning"
    unpacked = tmp_path / "models" / f"{GENERATOR.hub.split('/')[-1].lower()}-b179c9523d0e"
    unpacked.mkdir(parents=True)
    (unpacked / "ready").touch()
    assert "package removed; unpacked" in carried(GENERATOR, tmp_path).found


def test_weights_that_the_settings_name(shop):
    assert named("embedder", str(shop)).level == "fine"
    assert named("embedder", "someone/model").level == "warning"


def test_damaged_weights_that_ship(tmp_path, monkeypatch):
    monkeypatch.setattr("assistant.checkup.weights.SHIPPED", (tmp_path,))
    assert shipped().level == "failure"
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    assert "cannot be read" in shipped().found


# database


def test_a_database_is_tried_and_left_as_it_was(store_url):
    settings = Settings(database=store_url)
    before, *_ = store(settings)
    assert before.level == ("fine" if "sqlite" in store_url else "warning")
    database = Database.open(store_url)
    told = {check.name: check for check in store(settings)}
    assert told["database"].level == "fine"
    assert "can be written" in told["database"].found
    assert levels(told.values())["people who sign in"] == "warning"
    with database.read() as session:
        assert session.query(ConversationRow).count() == 0
    Keys(database).add("shop", ["chat"])
    assert {c.name: c for c in store(settings)}["keys"].figures == {"keys": 1}
    database.close()


def test_an_older_and_a_newer_database(tmp_path):
    settings, file = Settings(state=tmp_path), tmp_path / "frontdesk.db"
    with contextlib.closing(sqlite3.connect(file)) as made:
        made.execute("CREATE TABLE alembic_version (version_num TEXT)")
        made.commit()
        assert levels(store(settings))["database"] == "warning"
        assert [name for (name,) in made.execute("SELECT name FROM sqlite_master")] == [
            "alembic_version"
        ]
        made.execute("INSERT INTO alembic_version VALUES ('9999')")
        made.commit()
    (check, *_) = store(settings)
    assert (check.level, "newer" in check.found) == ("failure", True)
    file.write_bytes(b"x" * 5000)
    (check,) = store(settings)
    assert (check.level, "not a database" in check.found) == ("failure", True)


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/desk",
        f"postgresql+psycopg://me@127.0.0.1:1/desk?password={SECRET}",
        f"postgresql+psycopg://me:a@{SECRET}@127.0.0.1:1/desk",
        f"postgresql+psycopg://me:{SECRET}",
        f"postgresql+nothing://me:{SECRET}@127.0.0.1:1/desk",
        f"nonsense {SECRET}",
    ],
)
def test_a_wrong_database_fails_and_its_password_is_not_told(address):
    (check,) = looked_at("database", store, Settings(database=address))
    assert check.level == "failure"
    assert check.remedy
    assert SECRET not in doctor.line(check)


# server


def test_a_free_and_a_taken_port(taken):
    (check,) = port(Settings(port=taken))
    assert (check.level, f"127.0.0.1:{taken} is taken" in check.found) == ("failure", True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    assert levels(port(Settings(port=free)))["port"] == "fine"
    (check,) = port(Settings(host="0.0.0.0", port=free))  # noqa: S104  # what is tested
    assert "proxy with TLS" in check.found


@contextlib.contextmanager
def serving(answers):
    """Serve JSON for each path; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, data = answers.get(self.path, (404, {}))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(data).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("owner", "ready", "level"),
    [
        ("frontdesk", (200, {"status": "ready"}), "fine"),
        ("frontdesk", (503, {"error": {}}), "failure"),
        ("another", (200, {"status": "ready"}), "failure"),
    ],
)
def test_a_frontdesk_that_serves_there_is_known(owner, ready, level):
    models = (200, {"data": [{"owned_by": owner}]})
    with serving({"/v1/models": models, "/readyz": ready}) as number:
        assert levels(port(Settings(port=number)))["port"] == level


def test_the_server_of_a_generator(taken):
    assert list(generator_server(Settings())) == []
    with serving({"/v1/models": (200, {})}) as number:
        url = f"http://me:{SECRET}@127.0.0.1:{number}"
        for path, level in (("/v1", "fine"), ("/v2", "failure")):
            settings = Settings(generator_url=url + path, generator_key=SECRET)
            (check,) = generator_server(settings)
            assert (check.level, SECRET in doctor.line(check)) == (level, False)
    (check,) = generator_server(Settings(generator_url=f"http://127.0.0.1:{number}/v1"))
    assert (check.level, "is not reached" in check.found) == ("failure", True)


def test_the_secret_that_signs_tokens(tmp_path):
    def level(**given):
        return levels(secrets(Settings(state=tmp_path, **given)))["secret"]

    assert (level(), level(secret_key="x" * 40), level(secret_key="short")) == (
        "fine",
        "fine",
        "warning",
    )
    file = tmp_path / "secret.key"
    file.touch(mode=0o600)
    assert level() == "fine"
    file.chmod(0o644)
    assert level() == "warning"


# the command


def test_a_look_that_fails_says_so_without_the_error_text():
    def broken(_):
        yield fine("first", "found")
        raise RuntimeError(SECRET)

    def told(_):
        yield fine("first", "found")
        raise SettingsError("Expected this, found that.")

    assert levels(looked_at("thing", broken, Settings())) == {"first": "fine", "thing": "failure"}
    assert SECRET not in str(list(looked_at("thing", broken, Settings())))
    assert "found that" in list(looked_at("thing", told, Settings()))[1].found


@pytest.fixture
def settings_file(shop, tmp_path, taken, monkeypatch):
    """Settings with a taken port and a secret in each field that may hold one."""
    for name, field in Settings.model_fields.items():
        if "SecretStr" in str(field.annotation):
            monkeypatch.setenv(f"FRONTDESK_{name.upper()}", SECRET)
    address = f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/desk"
    monkeypatch.setenv("FRONTDESK_DATABASE", address)
    file = tmp_path / "settings.yml"
    lines = {"knowledge": str(shop), "state": str(tmp_path / "state"), "port": taken}
    file.write_text(json.dumps({**lines, "strategy": "extractive", "small": True}))
    return str(file)


@pytest.mark.model
def test_the_command_in_words_and_as_json(settings_file, tmp_path, capsys):
    assert doctor.main(["--config", settings_file]) == 1
    words = capsys.readouterr()
    assert f"✓ weights {EMBEDDER_NAME}" in words.out
    assert "! index: none yet" in words.out
    assert "✗ port: " in words.out
    assert "✗ database: postgresql+psycopg://me:***@127.0.0.1:1/desk" in words.out
    assert words.out.splitlines()[-1].endswith("to look at")
    assert doctor.main(["--json", "--config", settings_file]) == 1
    data = capsys.readouterr()
    told = json.loads(data.out)
    assert told["ok"] is False
    assert {check["name"]: check["level"] for check in told["checks"]}["port"] == "failure"
    assert all(check["remedy"] for check in told["checks"] if check["level"] != "fine")
    assert SECRET not in words.out + words.err + data.out + data.err
    assert not (tmp_path / "state").exists()


def test_the_exit_code_is_0_where_nothing_failed_and_2_for_wrong_settings(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "checks", lambda *_, **__: iter([fine("a", "b")]))
    assert doctor.main([]) == 0
    assert capsys.readouterr().out == "✓ a: b\n\n1 checks: 0 failed, 0 to look at\n"
    assert doctor.main(["--port", "many"]) == 2
    monkeypatch.setitem(os.environ, "FRONTDESK_DATABASE", SECRET)
    assert doctor.main(["--caution", "0"]) == 2
    assert SECRET not in capsys.readouterr().err


def test_a_question_is_timed_in_each_language(bank):
    start, *asked = speed(Settings(state=STATE), lambda _: bank)
    assert start.level == "fine"
    assert [check.name for check in asked] == [f"speed {lang}" for lang in QUESTIONS]
    for check in asked:
        assert 0 < check.figures["first_word_s"] <= check.figures["whole_s"]


def test_the_median_counts_and_slow_answers_are_told(monkeypatch):
    times = iter([(9, 9), (2, 3), (8, 8), (1, 1), (2, 3), (2, 3)])
    monkeypatch.setattr("assistant.checkup.speed.timed", lambda *_: next(times))
    examples = SimpleNamespace(company=SimpleNamespace(examples={}))
    assistant = SimpleNamespace(responder=examples)
    monkeypatch.setattr("assistant.checkup.speed.QUESTIONS", {"en": "How?"})
    _, check = speed(Settings(), lambda _: assistant)
    assert RUNS == 5
    assert (check.level, check.figures) == ("warning", {"first_word_s": 2, "whole_s": 3})
