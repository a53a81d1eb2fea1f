"""Trains how later messages are read: towards what answers them, and what they mean.

The loss of a row is the negative log likelihood of the right sentences among all of the company and
of their passages among its passages, and the distance to the vector of the same question in words
that need no conversation. None of these vectors moves (as in ConvDR, Yu et al. 2021, arXiv
2105.04166, which learns from rewritten questions in the same way).
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from tuning.later_questions.frozen_vectors import FrozenVectors
from tuning.later_questions.later_network import LaterNetwork
from tuning.later_questions.rows import LaterRow
from tuning.span_embedder.training import optimise

# The weights of the passages' likelihood and of the distance beside that of the sentences.
PASSAGES, ALONE = 0.7, 4.0
# The share of rows whose question before was not answered.
LOST = 0.15


def train(network: LaterNetwork, rows: Sequence[LaterRow], frozen: FrozenVectors) -> float:
    """Train in place; return the mean loss of the last tenth of the steps."""
    settings = network.settings
    steps = settings.max_steps
    if steps < 0:
        steps = max(1, int(settings.epochs * len(rows) / settings.batch))
    losses = (
        loss_of(
            network.encode([(row.text, row.before) for row in batch]),
            batch,
            frozen,
            network.embedder.temperature,
        )
        for batch in batches_of(rows, settings.batch, settings.seed)
    )
    return optimise(network.network, losses, steps, settings.learning_rate)


def batches_of(rows: Sequence[LaterRow], size: int, seed: int) -> Iterator[list[LaterRow]]:
    """Yield batches without end; each row comes once before any comes again.

    Args:
        rows: The rows; some lose the answer of the turn before.
        size: How many a batch has.
        seed: Of the order and of the loss.
    """
    chance = random.Random(seed)
    left: list[LaterRow] = []
    while True:
        while len(left) < size:
            left = [*chance.sample(rows, len(rows)), *left]
        yield [_shown(left.pop(), chance) for _ in range(size)]


def _shown(row: LaterRow, chance: random.Random) -> LaterRow:
    if chance.random() >= LOST:
        return row
    return replace(row, before=replace(row.before, answer=""))


def loss_of(
    vectors: torch.Tensor, rows: Sequence[LaterRow], frozen: FrozenVectors, temperature: float
) -> torch.Tensor:
    """Return the mean loss of rows.

    Args:
        vectors: Of the messages in their conversations, shape (len(rows), dimension).
        rows: The rows.
        frozen: What they move towards.
        temperature: Divides cosines.
    """
    pairs = zip(vectors, rows, strict=True)
    return torch.stack([_of_row(vector, row, frozen, temperature) for vector, row in pairs]).mean()


def _of_row(
    vector: torch.Tensor, row: LaterRow, frozen: FrozenVectors, temperature: float
) -> torch.Tensor:
    loss = vector.new_zeros(())
    if row.right:
        corpus, right = frozen.corpora[row.corpus], list(row.right)
        near = torch.as_tensor(corpus.sentences, device=vector.device) @ vector
        loss = loss + _surprise(near / temperature, right)
        near = torch.as_tensor(corpus.whole, device=vector.device) @ vector
        loss = loss + PASSAGES * _surprise(near / temperature, np.unique(corpus.owners[right]))
    if row.alone:
        alone = torch.as_tensor(frozen.alone[row.alone], device=vector.device)
        loss = loss + ALONE * (1 - alone @ vector)
    return loss


def _surprise(scores: torch.Tensor, right: Any) -> torch.Tensor:
    """Return the negative log likelihood of the right ones."""
    return scores.logsumexp(dim=0) - scores[right].logsumexp(dim=0)
