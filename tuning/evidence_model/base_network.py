"""Opens the network that an evidence model is trained on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.config_file import ConfigError
from tuning.evidence_model.config import EvidenceSettings

# The span embedder for English that ships, with its adapter merged in.
SPAN_EMBEDDER = "span-embedder-en"


@dataclass(frozen=True, slots=True)
class Base:
    """A network with its tokenizer, and the name by which weights for it are known."""

    name: str
    network: Any
    tokenizer: Any


def open_base(settings: EvidenceSettings, state: Path) -> Base:
    """Load the network that the settings name.

    Args:
        settings: The configuration.
        state: The state folder, where shipped models are prepared.

    Raises:
        ConfigError: There is no such encoder.
    """
    from transformers import AutoModel, AutoTokenizer

    from knowledge.models.carriers import EMBEDDER
    from knowledge.models.model_files import encoder_source

    if settings.base_model == SPAN_EMBEDDER:
        return _span_embedder(settings, state)
    name = settings.base_model or EMBEDDER.hub
    source = encoder_source(name, state)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        network = AutoModel.from_pretrained(source, trust_remote_code=False, **_options(settings))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"Expected an encoder in {source}, found: {str(error).splitlines()[0]}"
        ) from None
    return Base(name, network, tokenizer)


def _span_embedder(settings: EvidenceSettings, state: Path) -> Base:
    from peft import PeftModel
    from transformers import AutoModel, AutoTokenizer

    from knowledge.models.model_files import SPAN_ADAPTER_EN, english_encoder_folder
    from knowledge.models.span_embedder import SpanEmbedder

    source = english_encoder_folder(state)
    if source is None:
        raise ConfigError(f"Expected the packages of the {SPAN_EMBEDDER}, found none; see the log.")
    tokenizer = AutoTokenizer.from_pretrained(source)
    network = AutoModel.from_pretrained(source, **_options(settings))
    merged = PeftModel.from_pretrained(network, str(SPAN_ADAPTER_EN)).merge_and_unload()
    for weight in merged.parameters():
        weight.requires_grad_(True)
    return Base(SpanEmbedder.load(merged, tokenizer, SPAN_ADAPTER_EN).name, merged, tokenizer)


def _options(settings: EvidenceSettings) -> dict[str, Any]:
    import torch

    return {
        "dtype": torch.float32,
        "attention_probs_dropout_prob": settings.dropout,
        "hidden_dropout_prob": settings.dropout,
    }
