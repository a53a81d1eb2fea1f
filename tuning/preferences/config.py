"""The configuration of ``python -m tuning.preferences``, a YAML file."""

from pathlib import Path

from pydantic import Field

from tuning.config_file import ConfigFile


class PreferenceSettings(ConfigFile):
    """A whole configuration."""

    name: str
    base_model: str | None = None
    """The folder or hub name of the causal model; null for the shipped generator."""
    adapter: Path
    """The adapter of ``tuning.sft`` to train on."""
    rows: Path
    """A folder of ``train.jsonl`` and ``dev.jsonl``, as tuning.dataset writes them."""
    answered: int = Field(default=800, ge=1)
    """Training rows, drawn at random, that the adapter answers; its slips make the pairs."""
    slack: float = Field(default=1.5, ge=1)
    """A right answer with so many times the row's words is a slip, too."""
    max_length: int = Field(default=512, ge=16)
    """Tokens of prompt and answer together; longer rows are left out."""
    beta: float = Field(default=0.1, gt=0)
    """How much it costs to leave the adapter that it starts from."""
    likelihood: float = Field(default=1.0, ge=0)
    """The weight of the right answer's own likelihood beside the preference."""
    epochs: float = Field(default=1, gt=0)
    max_steps: int = -1
    """Optimiser steps instead of epochs; -1 for epochs."""
    batch: int = Field(default=2, ge=1)
    accumulation: int = Field(default=4, ge=1)
    learning_rate: float = Field(default=2e-5, gt=0)
    saved_after: int = Field(default=5, ge=1)
    """Optimiser steps between two checkpoints; a stopped training continues from the last one."""
    generated: int = Field(default=64, ge=1)
    """Development rows that are answered before and after."""
    seed: int = 0
    output: Path
