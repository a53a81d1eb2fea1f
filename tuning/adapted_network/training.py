"""Trains an encoder with LoRA weights and linear layers over its vectors."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from assistant.intents.adapted_network import LINEAR_LAYERS
from knowledge.models.model_files import encoder_source
from tuning.adapted_network.config import NetworkSettings
from tuning.span_embedder.training import optimise, states_of

# Texts that are read at once where nothing is trained.
BATCH = 64

Row = TypeVar("Row")
# A text, or a pair that is read together.
Text = str | tuple[str, str]


class TrainedNetwork(torch.nn.Module):
    """An encoder with LoRA weights, and linear layers by name."""

    def __init__(
        self, settings: NetworkSettings, labels: Mapping[str, Sequence[str]], state: Path
    ) -> None:
        """Load the encoder and add untrained weights.

        Args:
            settings: The configuration.
            labels: The labels of each layer.
            state: The state folder.

        Raises:
            OSError: There is no such encoder.
            ModelNotFoundError: It fails its checksum.
        """
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModel, AutoTokenizer

        super().__init__()
        self.settings, self.labels = settings, labels
        torch.manual_seed(settings.seed)
        source = encoder_source(settings.model, state)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(source)
        lora = LoraConfig(
            r=settings.rank,
            lora_alpha=2 * settings.rank,
            target_modules=["query", "key", "value", "dense"],
            exclude_modules=["pooler.dense"],
        )
        encoder = AutoModel.from_pretrained(source, dtype=torch.float32)
        # Without dropout: drawing random numbers takes as long as computing on a processor.
        self.network: Any = get_peft_model(encoder, lora).eval()
        size = encoder.config.hidden_size
        self.layers = torch.nn.ModuleDict(
            {name: torch.nn.Linear(size, len(of)) for name, of in labels.items()}
        )
        if settings.start:
            self._begin_with(settings.start)

    def _begin_with(self, folder: Path) -> None:
        from peft import set_peft_model_state_dict
        from safetensors.torch import load_file

        try:
            found: Any = set_peft_model_state_dict(
                self.network, load_file(folder / "adapter_model.safetensors")
            )
            unknown = found.unexpected_keys[:1]
            if (folder / LINEAR_LAYERS).is_file():
                self._begin_layers_with(load_file(folder / LINEAR_LAYERS))
        except RuntimeError as error:  # a weight of another shape
            unknown = str(error).splitlines()[1:2]
        if unknown:
            raise ValueError(
                f"{folder}: expected an adapter of the same encoder and rank, found {unknown[0]}"
            )

    def _begin_layers_with(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Take the layers of the earlier training too, if it had the same."""
        own = {name: weight.shape for name, weight in self.layers.state_dict().items()}
        if own == {name: weight.shape for name, weight in weights.items()}:
            self.layers.load_state_dict(weights)

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return next(self.parameters()).device

    def states(self, texts: Sequence[Text]) -> list[torch.Tensor]:
        """Return for each text the vectors of its tokens, of shape (tokens, dimension)."""
        ids = self.tokenizer(list(texts))["input_ids"]
        return states_of(self.network, ids, self.tokenizer.pad_token_id, self.device)

    def means(self, texts: Sequence[Text]) -> torch.Tensor:
        """Return the mean vector of each text, of shape (len(texts), dimension)."""
        return torch.stack([of.mean(dim=0) for of in self.states(texts)])

    def numbers(self, layer: str, labels: Sequence[str]) -> torch.Tensor:
        """Return the places of labels in their layer."""
        known = list(self.labels[layer])
        return torch.tensor([known.index(label) for label in labels], device=self.device)

    def loss(self, layer: str, vectors: torch.Tensor, labels: Sequence[str]) -> torch.Tensor:
        """Return the cross-entropy of a layer, with the settings' smoothing.

        Args:
            layer: The layer's name.
            vectors: Of shape (rows, dimension).
            labels: The right one of each row.
        """
        return functional.cross_entropy(
            self.layers[layer](vectors),
            self.numbers(layer, labels),
            label_smoothing=self.settings.smoothing,
        )

    @torch.no_grad()
    def logits(self, layer: str, texts: Sequence[Text]) -> NDArray[np.float64]:
        """Return a layer's logits for the mean vectors, of shape (len(texts), labels)."""
        parts = [
            self.layers[layer](self.means(texts[n : n + BATCH]))
            for n in range(0, len(texts), BATCH)
        ]
        return np.asarray(torch.cat(parts).double().cpu().numpy())


def train(
    network: TrainedNetwork,
    rows: Sequence[Row],
    loss: Callable[[Sequence[Row]], torch.Tensor],
    varied: Callable[[Row, random.Random], Row],
) -> float:
    """Train in place; return the mean loss of the last tenth of the steps.

    Args:
        network: The network.
        rows: What it learns from.
        loss: Of a batch.
        varied: Returns a row as it is, or in another spelling.
    """
    settings = network.settings
    steps = settings.max_steps
    if steps < 0:
        steps = max(1, int(settings.epochs * len(rows) / settings.batch))
    losses = map(loss, _batches(rows, settings, varied))
    return optimise(network, losses, steps, settings.learning_rate)


def temperature_of(logits: NDArray[np.float64], right: Sequence[int]) -> float:
    """Return what the logits are divided by, so that the right labels are likeliest.

    Temperature scaling (Guo et al. 2017, arXiv 1706.04599).

    Args:
        logits: Of shape (rows, labels).
        right: The place of each row's label.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    def loss(log: float) -> float:
        likely = log_softmax(logits / np.exp(log), axis=1)
        return float(-likely[np.arange(len(right)), right].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def _batches(
    rows: Sequence[Row],
    settings: NetworkSettings,
    varied: Callable[[Row, random.Random], Row],
) -> Iterator[list[Row]]:
    """Yield batches without end; each row comes once before any comes again."""
    chance = random.Random(settings.seed)
    left: list[Row] = []
    while True:
        while len(left) < settings.batch:
            left = [*chance.sample(rows, len(rows)), *left]
        yield [varied(left.pop(), chance) for _ in range(settings.batch)]
