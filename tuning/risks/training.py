"""Trains the network: cross-entropy over the mean vector."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from assistant.intents.risks import RISKS, text_of
from knowledge.models.model_files import encoder_source
from tuning.risks.config import RiskSettings
from tuning.risks.rows import RiskRow
from tuning.span_embedder.training import optimise, states_of

# The share of rows in training without the message before, and of those in lower case and without
# final punctuation.
BARE, VARIED = 0.2, 0.2
BATCH = 64


class RiskNetwork(torch.nn.Module):
    """An encoder with LoRA weights, and a linear layer over its mean vector."""

    def __init__(self, settings: RiskSettings, state: Path) -> None:
        """Load the encoder and add untrained weights.

        Raises:
            OSError: There is no such encoder.
            ModelNotFoundError: It fails its checksum.
        """
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModel, AutoTokenizer

        super().__init__()
        self.settings = settings
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
        self.linear = torch.nn.Linear(encoder.config.hidden_size, len(RISKS))

    def logits(self, rows: Sequence[RiskRow]) -> torch.Tensor:
        """Return logits of shape (len(rows), len(RISKS))."""
        texts = [text_of(self.tokenizer, row.text, row.before) for row in rows]
        ids = self.tokenizer(texts)["input_ids"]
        device = self.linear.weight.device
        states = states_of(self.network, ids, self.tokenizer.pad_token_id, device)
        return torch.as_tensor(self.linear(torch.stack([of.mean(dim=0) for of in states])))


def train(network: RiskNetwork, rows: Sequence[RiskRow]) -> float:
    """Train in place; return the mean loss of the last tenth of the steps."""
    settings = network.settings
    steps = settings.max_steps
    if steps < 0:
        steps = max(1, int(settings.epochs * len(rows) / settings.batch))
    losses = (
        functional.cross_entropy(
            network.logits(batch),
            _numbers(batch).to(network.linear.weight.device),
            label_smoothing=settings.smoothing,
        )
        for batch in _batches(rows, settings)
    )
    return optimise(network, losses, steps, settings.learning_rate)


@torch.no_grad()
def logits_of(network: RiskNetwork, rows: Sequence[RiskRow]) -> NDArray[np.float64]:
    """Return logits of shape (len(rows), len(RISKS))."""
    parts = [network.logits(rows[n : n + BATCH]) for n in range(0, len(rows), BATCH)]
    return np.asarray(torch.cat(parts).double().cpu().numpy())


def temperature_of(logits: NDArray[np.float64], rows: Sequence[RiskRow]) -> float:
    """Return what the logits are divided by, so that the right risks are likeliest.

    Temperature scaling (Guo et al. 2017, arXiv 1706.04599).
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    right = [RISKS.index(row.kind) for row in rows]

    def loss(log: float) -> float:
        likely = log_softmax(logits / np.exp(log), axis=1)
        return float(-likely[np.arange(len(rows)), right].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def _numbers(rows: Sequence[RiskRow]) -> torch.Tensor:
    return torch.tensor([RISKS.index(row.kind) for row in rows])


def _batches(rows: Sequence[RiskRow], settings: RiskSettings) -> Iterator[list[RiskRow]]:
    """Yield varied batches without end; each row comes once before any comes again."""
    chance = random.Random(settings.seed)
    left: list[RiskRow] = []
    while True:
        while len(left) < settings.batch:
            left = [*chance.sample(rows, len(rows)), *left]
        yield [_varied(left.pop(), chance) for _ in range(settings.batch)]


def _varied(row: RiskRow, chance: random.Random) -> RiskRow:
    if chance.random() < BARE:
        row = replace(row, before="")
    if chance.random() < VARIED:
        row = replace(row, text=row.text.lower().strip(" ?!.？！。") or row.text)
    return row
