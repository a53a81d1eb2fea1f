"""The network that is trained: a span embedder's, with a LoRA adapter on top."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from knowledge.models.model_files import WEIGHTS, encoder_source
from knowledge.models.span_embedder import (
    FACTS,
    MAX_LATER_TOKENS,
    SpanEmbedder,
)
from knowledge.models.turn_before import TurnBefore, in_conversation
from tuning.config_file import ConfigError
from tuning.later_questions.config import LaterSettings
from tuning.span_embedder.training import states_of


class LaterNetwork:
    """A span embedder, and a copy of its network with weights to train.

    Attributes:
        base: The encoder's name on the hub.
        embedder: The span embedder; it stays as it is.
        network: The copy.
    """

    def __init__(self, settings: LaterSettings, state: Path) -> None:
        """Load the span embedder and add untrained LoRA weights to a copy of its network.

        Raises:
            ConfigError: It does not serve the languages, or has fewer layers.
            ModelNotFoundError: Its facts are damaged, or the encoder fails its checksum.
            OSError: There is no such encoder.
        """
        from peft import LoraConfig, PeftModel, get_peft_model
        from transformers import AutoModel, AutoTokenizer

        self.settings = settings
        folder = WEIGHTS / settings.span_embedder
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        self.base: str = facts["base"]
        source = encoder_source(self.base, state)
        self._tokenizer = AutoTokenizer.from_pretrained(source)
        plain = AutoModel.from_pretrained(source, dtype=torch.float32)
        merged = PeftModel.from_pretrained(plain, str(folder)).merge_and_unload().eval()
        self._prompt: str = facts["question_prompt"]
        self.embedder = SpanEmbedder.load(merged, self._tokenizer, folder)
        layers: int = merged.config.num_hidden_layers
        _check(settings, self.embedder, layers)
        lora = LoraConfig(
            r=settings.rank,
            lora_alpha=2 * settings.rank,
            target_modules=["query", "key", "value", "q", "k", "v", "o", "dense"],
            layers_to_transform=list(range(settings.first_layer, layers)),
            layers_pattern="layer",
        )
        torch.manual_seed(settings.seed)
        # Without dropout, as it serves: drawing random numbers takes as long as computing.
        self.network: Any = get_peft_model(copy.deepcopy(merged), lora).eval()

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        first: torch.Tensor = next(self.network.parameters())
        return first.device

    def encode(self, asked: Sequence[tuple[str, TurnBefore]]) -> torch.Tensor:
        """Return the unit vectors of messages in their conversations, as ``encode_later`` does.

        Args:
            asked: Each message with the turn before it.

        Returns:
            Shape (len(asked), dimension).
        """
        texts = [
            self._prompt + in_conversation(self._tokenizer, text, before, MAX_LATER_TOKENS)
            for text, before in asked
        ]
        ids = self._tokenizer(texts)["input_ids"]
        states = states_of(self.network, ids, self._tokenizer.pad_token_id, self.device)
        return functional.normalize(torch.stack([of.mean(dim=0) for of in states]), dim=-1)


def _check(settings: LaterSettings, embedder: SpanEmbedder, layers: int) -> None:
    if unknown := set(settings.languages) - embedder.languages:
        raise ConfigError(
            f"languages: expected some of {sorted(embedder.languages)}, which "
            f"{settings.span_embedder} serves, found {sorted(unknown)}"
        )
    if settings.first_layer >= layers:
        raise ConfigError(
            f"first_layer: expected less than {layers}, the layers of {settings.span_embedder}, "
            f"found {settings.first_layer}"
        )
