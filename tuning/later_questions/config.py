"""The configuration of ``python -m tuning.later_questions``, a YAML file."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from tuning.config_file import ConfigFile


class LaterSettings(ConfigFile):
    """A whole configuration."""

    name: str
    span_embedder: Literal["span-embedder", "span-embedder-en"]
    """The weights in ``knowledge/weights`` to adapt; the new ones fit these alone."""
    languages: tuple[Literal["en", "zh"], ...] = Field(min_length=1)
    """The languages of the conversations to train on."""
    cases: Path
    """A folder with ``made.jsonl``, as ``python -m tuning.evidence_model --make`` writes it."""
    epochs: float = Field(default=1.5, gt=0)
    batch: int = Field(default=32, ge=1)
    learning_rate: float = Field(default=4e-4, gt=0)
    rank: int = Field(default=16, ge=1)
    """The rank of LoRA (Hu et al. 2021, arXiv 2106.09685)."""
    first_layer: int = Field(default=4, ge=0)
    """The first layer that is trained; those below it stay as they are, and save time."""
    max_steps: int = -1
    """Optimiser steps instead of epochs; -1 for epochs."""
    seed: int = 0
    output: Path
