"""The configuration of a training, a YAML file."""

from pathlib import Path

from pydantic import Field

from tuning.config_file import ConfigFile


class NetworkSettings(ConfigFile):
    """A whole configuration."""

    name: str
    model: str
    """The encoder's name on the hub. The weights fit this one alone."""
    epochs: float = Field(default=4, gt=0)
    batch: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=5e-4, gt=0)
    rank: int = Field(default=16, ge=1)
    """The rank of LoRA (Hu et al. 2021, arXiv 2106.09685)."""
    smoothing: float = Field(default=0.05, ge=0, lt=1)
    """The share of probability that the loss spreads over all labels."""
    max_steps: int = -1
    """Optimiser steps instead of epochs; -1 for epochs."""
    seed: int = 0
    start: Path | None = None
    """The weights of an earlier training to begin with; None for untrained ones."""
    output: Path
