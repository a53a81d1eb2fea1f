"""Model weights by name: a folder, an installed carrier package, or the hub as the last resort."""

from pathlib import Path

from knowledge.errors import ModelNotFoundError
from knowledge.models.carriers import EMBEDDER, GENERATOR, INSTALL, MINILM, find, prepare
from knowledge.models.embedder import SentenceTransformerEmbedder
from knowledge.models.packed_e5 import unpack_e5

EMBEDDER_NAME = "multilingual-e5-small"
GENERATOR_NAME = "SmolLM2-135M-Instruct"
QUERY_ADAPTER = Path(__file__).parent.parent / "weights" / "query-adapter"
LANGUAGES = frozenset({"en", "zh"})


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

    The default model is carried as GGUF and converted once, into ``state/models``.

    Raises:
        ModelNotFoundError: The weights fail their checksum.
    """
    if model:
        return model
    packed = find(GENERATOR, state)
    return str(prepare(GENERATOR, packed, state, _unpack_gguf)) if packed else GENERATOR.hub


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
