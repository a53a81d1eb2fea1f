"""The gate: what blocks, what rejects, and how an adapter is put in place and taken back."""

import json

import pytest

from assistant.config import Settings
from assistant.generators.adapters import FOLDER, SHIPPED, read_pointer, serving_adapter
from tuning import promote
from tuning.promote import Decision, Measured, decide, install

OLD = Measured(right=0.7, wrong=0.1, cases=100, general=0.6)


def new(**changed):
    values = {"right": 0.8, "wrong": 0.1, "cases": 100, "general": 0.6, **changed}
    return Measured(**values)


@pytest.mark.parametrize(
    ("changed", "verdict", "reason"),
    [
        ({}, "approved", "right 70.0% → 80.0%"),
        ({"right": 0.7}, "rejected", "right less wrong 60.0%"),
        ({"right": 0.9, "wrong": 0.3}, "rejected", "right less wrong"),
        ({"general": 0.3}, "rejected", "general questions 30%"),
        ({"dialogues": ["lost card"]}, "rejected", "a dialogue fails that passed: lost card"),
        ({"critical": ["fraud"]}, "blocked", "a critical dialogue fails: fraud"),
        ({"unsupported": 1}, "blocked", "1 figures without support"),
        ({"cases": 99}, "blocked", "1 cases gave no result"),
        ({"missing": 2}, "blocked", "2 cases gave no result"),
    ],
)
def test_the_verdict_and_its_reason(changed, verdict, reason):
    found = decide(new(**changed), OLD)
    assert found.verdict == verdict
    assert any(line.startswith(reason) for line in found.reasons), found


def adapter(folder, weights=b"1"):
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(weights)
    return folder


def test_installing_swaps_and_rolling_back_restores(tmp_path, capsys):
    state = tmp_path / "state"
    settings = Settings(state=state)
    shipped = SHIPPED if (SHIPPED / "adapter_config.json").is_file() else None
    assert serving_adapter(settings) == shipped
    first = install(adapter(tmp_path / "a", b"1"), state)
    assert serving_adapter(settings) == state / FOLDER / first
    second = install(adapter(tmp_path / "b", b"2"), state)
    assert read_pointer(state) == {"serving": second, "former": first}
    assert promote.main(["--rollback", "--state", str(state)]) == 0
    assert serving_adapter(settings) == state / FOLDER / first
    assert f"{first} serves again" in capsys.readouterr().out
    assert install(tmp_path / "a", state) == first
    assert read_pointer(state)["serving"] == first


def test_a_full_disk_leaves_what_serves(tmp_path, monkeypatch):
    state = tmp_path / "state"
    first = install(adapter(tmp_path / "a", b"1"), state)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copytree", full)
    with pytest.raises(OSError, match="No space"):
        install(adapter(tmp_path / "b", b"2"), state)
    assert read_pointer(state)["serving"] == first


def test_rolling_back_without_a_promotion_says_so(tmp_path, capsys):
    assert promote.main(["--rollback", "--state", str(tmp_path)]) == 2
    assert "expected a promoted adapter" in capsys.readouterr().err


def test_a_folder_without_an_adapter_is_blocked_and_noted(tmp_path, capsys):
    assert promote.main([str(tmp_path / "nothing"), "--state", str(tmp_path)]) == 1
    assert "blocked" in capsys.readouterr().out
    noted = json.loads((tmp_path / FOLDER / promote.DECISIONS).read_text().splitlines()[-1])
    assert noted["verdict"] == "blocked"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("caution: 0", "caution: "),
        ("colour: red", "unknown setting 'colour'"),
        (None, "found none"),
    ],
)
def test_bad_settings_are_one_line_and_no_decision(tmp_path, capsys, settings, reason):
    file = tmp_path / "settings.yml"
    if settings:
        file.write_text(settings)
    state = tmp_path / "state"
    assert promote.main(["any", "--state", str(state), "--config", str(file)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("promote: ")
    assert reason in line
    assert not state.exists()


def test_a_wrong_option_is_one_line_and_no_decision(tmp_path, capsys):
    assert promote.main(["any", "--state", str(tmp_path / "state"), "--caution", "0"]) == 2
    assert "caution: " in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_a_pointer_that_cannot_be_read_is_one_line(tmp_path, capsys):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "serving.json").write_text("{")
    assert promote.main(["--rollback", "--state", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("promote: ")
    assert not (tmp_path / FOLDER / promote.DECISIONS).exists()


def test_a_comparison_that_breaks_blocks_and_is_noted(tmp_path, monkeypatch, capsys):
    def broken(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(promote, "judge", broken)
    state = tmp_path / "state"
    assert promote.main([str(adapter(tmp_path / "a")), "--state", str(state)]) == 1
    assert "RuntimeError: out of memory" in capsys.readouterr().out
    (line,) = (state / FOLDER / promote.DECISIONS).read_text().splitlines()
    assert json.loads(line)["verdict"] == "blocked"
    assert not read_pointer(state)


def test_an_approved_candidate_that_cannot_be_installed_is_blocked(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(promote, "judge", lambda *_: Decision("approved", []))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(promote, "install", full)
    state = tmp_path / "state"
    assert promote.main([str(adapter(tmp_path / "a")), "--state", str(state)]) == 1
    assert "blocked" in capsys.readouterr().out
    (line,) = (state / FOLDER / promote.DECISIONS).read_text().splitlines()
    assert json.loads(line)["verdict"] == "blocked"


def test_an_approved_candidate_serves(tmp_path, monkeypatch):
    monkeypatch.setattr(promote, "judge", lambda *_: Decision("approved", []))
    candidate = adapter(tmp_path / "a")
    state = tmp_path / "state"
    assert promote.main([str(candidate), "--state", str(state)]) == 0
    assert serving_adapter(Settings(state=state)).name == read_pointer(state)["serving"]


def test_general_questions_are_asked_of_the_real_model(bank):
    assert promote.general(bank.generator, adapter=False) >= 0.5
