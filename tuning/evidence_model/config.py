"""The configuration of ``python -m tuning.evidence_model``, a YAML file."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from tuning.config_file import ConfigFile


class EvidenceSettings(ConfigFile):
    """A whole configuration."""

    name: str
    method: Literal["full", "lora"] = "lora"
    base_model: str | None = None
    """The folder or hub name of an encoder; null for the shipped embedder, and "span-embedder-en"
    for the shipped span embedder for English."""
    start: Path | None = None
    """A folder of weights to train further; null for a new adapter."""
    cases: Path
    """A folder of ``train.jsonl`` and ``dev.jsonl``, as ``--make`` writes them."""
    parts: tuple[str, ...] = ("train",)
    """The files of cases to train on, by name without suffix."""
    share: dict[str, float] = Field(default_factory=dict)
    """The share of a file's cases to train on, by its name; 1 where none is given."""
    languages: tuple[str, ...] = ("en", "zh")
    passages: int = Field(default=5, ge=1)
    """Passages per question."""
    hidden: float = Field(default=0.25, ge=0, le=1)
    """The share of answered questions per epoch whose article is hidden, so nothing answers; of a
    later turn only the sentences that answer."""
    epochs: float = Field(default=4, gt=0)
    batch: int = Field(default=16, ge=1)
    """Questions per batch, each with all of its passages."""
    learning_rate: float = Field(default=3e-4, gt=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Of the network and the adapter. On a processor it takes half of the time."""
    first_layer: int = Field(default=0, ge=0)
    """The first layer that is trained; those below it stay as they are, and save time."""
    rank: int = Field(default=32, ge=1)
    """The rank of LoRA (Hu et al. 2021, arXiv 2106.09685)."""
    max_steps: int = -1
    """Optimiser steps instead of epochs; -1 for epochs."""
    seed: int = 0
    output: Path
