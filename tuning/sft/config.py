"""The configuration of ``python -m tuning.sft``, a YAML file."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from tuning.config_file import ConfigFile, ConfigPart

Method = Literal["full", "lora", "qlora", "dora", "adalora", "ia3", "prefix", "prompt"]

# How each method's result can be served; printed when a training starts.
SERVING: dict[str, str] = {
    "full": "a whole model: `--generator FOLDER`, vLLM, SGLang, or llama.cpp after tuning.export",
    "lora": "an adapter for the base model: `--adapter FOLDER`, vLLM, SGLang, llama.cpp",
    "qlora": "an adapter for the base model: `--adapter FOLDER`, vLLM, SGLang, llama.cpp",
    "dora": "here with `--adapter FOLDER`; merge it with tuning.export for vLLM, SGLang, llama.cpp",
    "adalora": "here with `--adapter FOLDER`; merge it with tuning.export for other servers",
    "ia3": "here with `--adapter FOLDER`; merge it with tuning.export for other servers",
    "prefix": "only here, with `--adapter FOLDER`; it cannot be merged",
    "prompt": "only here, with `--adapter FOLDER`; it cannot be merged",
}


class Adapter(ConfigPart):
    """The size of the low-rank methods' adapter."""

    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)


class SFTSettings(ConfigFile):
    """A whole configuration."""

    name: str
    method: Method = "lora"
    base_model: str | None = None
    """The folder or hub name of any causal model; null for the shipped generator."""
    rows: Path
    """A folder of ``train.jsonl`` and ``dev.jsonl``, as tuning.dataset writes them."""
    kinds: tuple[str, ...] = ()
    """Train only on rows of these kinds; empty for all."""
    max_rows: int | None = Field(default=None, ge=1)
    """Train on a random sample of at most this many rows, for a learning curve."""
    max_length: int = Field(default=768, ge=16)
    """Tokens of prompt and completion together; longer rows are left out and counted."""
    epochs: float = Field(default=2, gt=0)
    max_steps: int = -1
    """Optimiser steps instead of epochs; -1 for epochs."""
    batch: int = Field(default=8, ge=1)
    accumulation: int = Field(default=2, ge=1)
    learning_rate: float = Field(default=4e-4, gt=0)
    activation_checkpointing: bool = False
    """Needs less memory and a third more time."""
    mixed_precision: Literal["auto", "no", "bf16", "fp16"] = "auto"
    evaluations: int = Field(default=4, ge=1)
    """Evaluations on the development rows, spread over the training."""
    generated: int = Field(default=48, ge=0)
    """Development rows that each evaluation answers by generating; 0 uses the loss alone."""
    seed: int = 0
    adapter: Adapter = Adapter()
    output: Path
