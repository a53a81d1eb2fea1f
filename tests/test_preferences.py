"""Training on an adapter's own slips."""

import json

import pytest
import yaml

from tests.conftest import STATE, row
from tuning.preferences import __main__ as preferences
from tuning.preferences.slips import slips
from tuning.sft import __main__ as sft


def test_slips_are_what_is_wrong_or_long_winded():
    rows = [row(answer="It waits 4 days.") for _ in range(5)]
    rows += [row(answer="The help centre does not say.")]
    answers = [
        "It waits 4 days.",
        "It waits 5 days.",
        "The help centre does not say.",
        "It waits 4 days, and it waits there in the locker for you.",
        "",
        "It waits 4 days.",
    ]
    pairs = list(slips(rows, answers, slack=2))
    assert [pair["rejected"][0]["content"] for pair in pairs] == [answers[1], answers[3]]
    assert all(pair["chosen"] == rows[0]["completion"] for pair in pairs)


@pytest.fixture
def run(config, tmp_path, tiny):
    def call(**changed):
        values = {
            "name": "dpo",
            "base_model": str(tiny),
            "adapter": str(tmp_path / "out"),
            "rows": str(tmp_path / "rows"),
            "answered": 4,
            "max_steps": 1,
            "generated": 2,
            "output": str(tmp_path / "dpo"),
            **changed,
        }
        file = tmp_path / "preferences.yaml"
        file.write_text(yaml.safe_dump(values))
        return preferences.main(["--config", str(file), "--state", str(STATE)])

    assert sft.main(["--config", str(config()), "--state", str(STATE)]) == 0
    return call


@pytest.mark.model
@pytest.mark.slow
def test_an_adapter_learns_from_its_slips(run, tmp_path, tiny, capsys):
    assert run(max_steps=3, learning_rate=0.01) == 0
    out, before = tmp_path / "dpo", tmp_path / "out"
    changed, first = ((at / "adapter_model.safetensors").read_bytes() for at in (out, before))
    assert changed != first
    metrics = json.loads((out / "metrics.json").read_text())
    pairs = (tmp_path / "dpo.pairs.jsonl").read_text().splitlines()
    assert metrics["pairs"] == len(pairs) > 0
    assert "direct preference optimisation" in (out / "README.md").read_text()
    config = json.loads((out / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(tiny)
    assert run(max_steps=1) == 0
    assert f"{len(pairs)} pairs of an earlier call" in capsys.readouterr().out


@pytest.mark.model
def test_no_adapter_is_an_error_that_names_it(run, tmp_path, capsys):
    assert run(adapter=str(tmp_path / "none")) == 1
    assert f"Expected an adapter in {tmp_path / 'none'}" in capsys.readouterr().err
    assert not (tmp_path / "dpo").exists()


@pytest.mark.model
@pytest.mark.slow
def test_a_stopped_training_goes_on_from_its_checkpoint(run, tmp_path, monkeypatch, capsys):
    from trl.trainer.dpo_trainer import DPOTrainer

    begun = []
    train = DPOTrainer.train

    def stop(trainer, resume_from_checkpoint):
        train(trainer, resume_from_checkpoint=resume_from_checkpoint)
        begun.append((resume_from_checkpoint, trainer.state.global_step))
        if len(begun) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(DPOTrainer, "train", stop)
    assert run(max_steps=2, saved_after=1, learning_rate=0.01) == 130
    checkpoints = tmp_path / "dpo.checkpoints"
    assert [folder.name for folder in checkpoints.glob("checkpoint-*")] == ["checkpoint-2"]
    assert not (tmp_path / "dpo").exists()
    assert "stopped; its pairs and checkpoints are kept" in capsys.readouterr().err
    assert run(max_steps=3, saved_after=1, learning_rate=0.01) == 0
    assert begun == [(False, 2), (True, 3)]
    assert f"goes on from {checkpoints / 'checkpoint-2'}" in capsys.readouterr().out
    assert not checkpoints.exists()
