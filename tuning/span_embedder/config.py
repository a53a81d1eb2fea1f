"""The configuration of ``python -m tuning.span_embedder``, a YAML file."""

from pathlib import Path

from pydantic import Field

from tuning.config_file import ConfigFile


class SpanSettings(ConfigFile):
    """A whole configuration."""

    name: str
    base: str
    """The encoder's name on the hub: one that a package carries, or any other."""
    languages: tuple[str, ...]
    """The languages of the messages to train on."""
    question_prompt: str = ""
    passage_prompt: str = ""
    tidy: int = Field(default=1000, ge=0)
    """How many tidy questions of ``tuning/data/companies`` and of the bank join the messages."""
    epochs: float = Field(default=1, gt=0)
    batch: int = Field(default=32, ge=2)
    near: int = Field(default=4, ge=1)
    """How many messages of a batch in a row have neighbouring passages of one company."""
    learning_rate: float = Field(default=3e-4, gt=0)
    temperature: float = Field(default=0.05, gt=0)
    """What divides cosines in the loss."""
    rank: int = Field(default=32, ge=1)
    """The rank of LoRA (Hu et al. 2021, arXiv 2106.09685)."""
    max_steps: int = -1
    """Optimiser steps instead of epochs; -1 for epochs."""
    seed: int = 0
    output: Path
