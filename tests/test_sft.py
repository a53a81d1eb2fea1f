"""The supervised fine-tune: one step of each method on a tiny model, and its errors."""

import json

import pytest
import torch

from assistant.errors import GeneratorError
from assistant.generators.local import TransformersGenerator
from assistant.writing.templates import PromptTemplate
from knowledge.models.model_files import generator_folder
from tests.conftest import STATE, row
from tuning import export
from tuning.half_precision import precision
from tuning.sft import __main__ as sft
from tuning.sft.generated_answers import is_right
from tuning.sft.row_reader import RowsError, read_rows

METHODS = ["full", "lora", "dora", "adalora", "ia3", "prefix", "prompt"]
DECLINE = PromptTemplate.load("answer_tuned", "en").decline


@pytest.fixture
def run(config):
    def call(*arguments, **changed):
        return sft.main(["--config", str(config(**changed)), "--state", str(STATE), *arguments])

    return call


@pytest.mark.parametrize("method", METHODS)
def test_each_method_trains_and_says_how_to_serve_it(run, tmp_path, capsys, method):
    assert run(method=method) == 0
    out = tmp_path / "out"
    weights = "model.safetensors" if method == "full" else "adapter_model.safetensors"
    assert (out / weights).is_file()
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["rows"] == 8
    assert metrics["eval_loss"] > 0
    assert f"method `{method}`" in (out / "README.md").read_text()
    assert (out / "loss.png").stat().st_size > 1000
    assert f"{method}: " in capsys.readouterr().out
    assert not list(tmp_path.glob("out.*")), "nothing half-written is left"


def test_options_replace_values_of_the_file(run, tmp_path, rows):
    other, few = tmp_path / "other", tmp_path / "few"
    few.mkdir()
    for part in ("train", "dev"):
        lines = (rows / f"{part}.jsonl").read_text().splitlines()
        (few / f"{part}.jsonl").write_text("\n".join(lines[:2]))
    assert run("--output", str(other), "--rows", str(few), "--max-steps", "2", method="lora") == 0
    metrics = json.loads((other / "metrics.json").read_text())
    assert (metrics["rows"], metrics["settings"]["max_steps"]) == (2, 2)
    assert not (tmp_path / "out").exists()


def test_evaluations_generate_answers_and_judge_them(run, tmp_path):
    assert run(generated=2, evaluations=1) == 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["eval_right"] == 0.0


def test_the_adapter_works_with_its_base_and_merges_into_it(run, tmp_path, tiny):
    assert run(method="lora", max_steps=3, learning_rate=0.5) == 0
    adapter = tmp_path / "out"
    generator = TransformersGenerator(str(tiny), str(tiny), frozenset({"en"}), lambda: adapter)
    asked = row()["prompt"]
    plain = "".join(generator.generate(asked, max_tokens=8))
    tuned = "".join(generator.generate(asked, max_tokens=8, adapter=True))
    assert plain != tuned
    whole = tmp_path / "whole"
    command = [str(adapter), "--out", str(whole), "--base-model", str(tiny)]
    assert export.main(command) == 0
    merged = TransformersGenerator(str(whole), str(whole), frozenset({"en"}))
    ids = torch.arange(5, 25)[None]
    generator._model.enable_adapters()
    one, other = (g._model(input_ids=ids).logits.float() for g in (generator, merged))
    # The same numbers except for the rounding of half precision.
    assert torch.cosine_similarity(one, other, dim=-1).min() > 0.999


def test_an_adapter_of_another_model_is_refused_by_name_and_by_shape(run, tmp_path, tiny):
    assert run(method="lora") == 0
    default = generator_folder(None, STATE)
    for name in ("SmolLM2-135M-Instruct", default):
        with pytest.raises(GeneratorError, match="Expected an adapter for"):
            TransformersGenerator(default, name, frozenset({"en"}), lambda: tmp_path / "out")


def test_an_adapter_that_cannot_be_merged_is_an_error(run, tmp_path, tiny, capsys):
    assert run(method="prompt") == 0
    command = [str(tmp_path / "out"), "--out", str(tmp_path / "w"), "--base-model", str(tiny)]
    assert export.main(command) == 1
    assert "cannot" in capsys.readouterr().err


def test_resume_continues_from_the_last_checkpoint_and_needs_one(
    run, tmp_path, capsys, monkeypatch
):
    assert run("--resume") == 1
    assert "Expected a checkpoint" in capsys.readouterr().err
    from tuning.sft import model_folder as sft_output

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(sft_output, "_plot", full)
        assert run(max_steps=2, evaluations=2) == 1
    assert "continue with --resume" in capsys.readouterr().err
    assert not (tmp_path / "out").exists(), "a full disk leaves no half-written adapter"
    assert run("--resume", max_steps=3, evaluations=3) == 0
    assert (tmp_path / "out" / "adapter_model.safetensors").is_file()


def test_a_previous_result_survives_a_failed_training(run, tmp_path, monkeypatch):
    assert run() == 0
    before = (tmp_path / "out" / "adapter_model.safetensors").read_bytes()
    from tuning.sft import model_folder as sft_output

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sft_output, "_card", full)
    assert run("--seed", "5") == 1
    assert (tmp_path / "out" / "adapter_model.safetensors").read_bytes() == before


def test_ctrl_c_keeps_checkpoints(run, tmp_path, monkeypatch, capsys):
    from tuning.sft.training import GeneratingTrainer

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(GeneratingTrainer, "train", stop)
    assert run() == 130
    assert "--resume" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("{", 1),
        ('{"prompt": []}', 1),
        (json.dumps(row(answer="")), 1),
        (json.dumps({**row(), "completion": row()["prompt"]}), 1),
        (json.dumps(row()) + "\n" + json.dumps({"prompt": "text"}), 2),
    ],
)
def test_a_wrong_row_is_named_with_its_line(rows, line, number):
    (rows / "train.jsonl").write_text(line)
    with pytest.raises(RowsError, match=f"train.jsonl:{number}: expected"):
        read_rows(rows)


def test_missing_and_empty_rows_are_named(rows):
    (rows / "dev.jsonl").write_text("")
    with pytest.raises(RowsError, match=r"dev.jsonl: expected at least one row"):
        read_rows(rows)
    with pytest.raises(RowsError, match=r"tuning.dataset"):
        read_rows(rows / "nowhere")


def test_rows_of_an_older_template_are_refused(rows):
    report = {"templates": {"en": "answer_tuned@1:000000000000"}}
    (rows / "report.json").write_text(json.dumps(report))
    with pytest.raises(RowsError, match=r"Make them again with tuning.dataset"):
        read_rows(rows)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"colour": "red"}, "colour"),
        ({"method": "magic"}, "method"),
        ({"base_model": "/nowhere"}, "Expected a causal language model"),
        ({"kinds": ["poetry"]}, "of the kinds poetry"),
        ({"max_length": 16}, "at most 16 tokens"),
    ],
)
def test_wrong_settings_are_named_in_one_line(run, capsys, changed, message):
    assert run(**changed) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


@pytest.mark.skipif(torch.cuda.is_available(), reason="qlora can work here")
def test_qlora_without_its_library_says_what_to_install(run, capsys):
    assert run(method="qlora") == 1
    assert "bitsandbytes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "written", "right"),
    [
        ("It costs £5 a month.", "It costs £5 a month.", True),
        ("Yes, it costs £5 a month.", "It costs £5 a month.", True),
        ("It costs £6 a month.", "It costs £5 a month.", False),
        (DECLINE, DECLINE, True),
        (DECLINE, "It costs £5.", False),
        ("It costs £5.", DECLINE, False),
        ("Cats sleep all day long.", "You can cancel whenever you like.", False),
    ],
)
def test_what_counts_as_right(said, written, right):
    assert is_right(said, written, [DECLINE]) is right


def test_the_loss_is_the_librarys_loss(tiny):
    """Logits for the completion only give the same loss as logits for all tokens."""
    from transformers import AutoModelForCausalLM

    from tuning.sft.training import IGNORED, GeneratingTrainer

    model = AutoModelForCausalLM.from_pretrained(tiny)
    ids = torch.randint(5, 1000, (3, 12))
    labels = ids.clone()
    labels[:, :6] = IGNORED
    labels[1, 9:] = IGNORED
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}

    class Part:
        has_virtual_tokens = False

    found = GeneratingTrainer.compute_loss(Part(), model, dict(inputs))
    assert torch.isclose(found, model(**inputs).loss, atol=1e-5)


@pytest.mark.parametrize(
    ("wanted", "able", "expected"),
    [("auto", True, "bf16"), ("auto", False, "no"), ("bf16", False, "bf16"), ("no", True, "no")],
)
def test_automatic_precision_is_what_the_processor_supports(wanted, able, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": able})
    assert precision(wanted) == expected
