"""What ``python -m tuning.sft --config FILE`` is told, as a YAML file."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from tuning.config_file import ConfigFile, Strict

Method = Literal["full", "lora", "qlora", "dora", "adalora", "ia3", "prefix", "prompt"]

# How the result of each method can be served, told at the start of a training.
SERVING: dict[str, str] = {
    "full": "a whole model: `--generator FOLDER`, vLLM, SGLang, or llama.cpp after tuning.export",
    "lora": "an adapter beside the base model: `--adapter FOLDER`, vLLM, SGLang, llama.cpp",
    "qlora": "an adapter beside the base model: `--adapter FOLDER`, vLLM, SGLang, llama.cpp",
    "dora": "here with `--adapter FOLDER`; merge it with tuning.export for vLLM, SGLang, llama.cpp",
    "adalora": "here with `--adapter FOLDER`; merge it with tuning.export for other servers",
    "ia3": "here with `--adapter FOLDER`; merge it with tuning.export for other servers",
    "prefix": "here with `--adapter FOLDER` only; it cannot be merged",
    "prompt": "here with `--adapter FOLDER` only; it cannot be merged",
}


class Adapter(Strict):
    """What the parameter-efficient methods add to the base model."""

    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Costs processors much and little data hardly gains by it."""
    targets: str | tuple[str, ...] = "all-linear"
    virtual_tokens: int = Field(default=20, ge=1)
    """Of ``prefix`` and ``prompt``."""


class SFTSettings(ConfigFile):
    """A whole configuration."""

    name: str
    method: Method = "lora"
    base_model: str | None = None
    """Any causal model's folder or hub name; null for the generator that ships."""
    rows: Path
    """A folder of ``train.jsonl`` and ``dev.jsonl``, as tuning.dataset writes them."""
    kinds: tuple[str, ...] = ()
    """Only rows of these kinds; empty for all."""
    max_rows: int | None = Field(default=None, ge=1)
    """At most so many rows, drawn by the seed: for a learning curve."""
    max_length: int = Field(default=768, ge=16)
    """Tokens of prompt and completion together; longer rows are left out and counted."""
    epochs: float = Field(default=2, gt=0)
    max_steps: int = -1
    batch: int = Field(default=8, ge=1)
    accumulation: int = Field(default=2, ge=1)
    packing: bool = False
    """Several rows in one sequence; wants a GPU with flash attention."""
    learning_rate: float = Field(default=4e-4, gt=0)
    scheduler: Literal["linear", "cosine", "constant_with_warmup"] = "cosine"
    warmup: float = Field(default=0.05, ge=0, le=1)
    weight_decay: float = Field(default=0.01, ge=0)
    neftune_noise: float | None = Field(default=None, gt=0)
    """Noise on the embeddings while training (Jain et al. 2023, arXiv 2310.05914)."""
    activation_checkpointing: bool = False
    """Less memory, a third more time."""
    mixed_precision: Literal["auto", "no", "bf16", "fp16"] = "auto"
    evaluations: int = Field(default=4, ge=1)
    """How often the development rows are judged, spread over the training."""
    generated: int = Field(default=48, ge=0)
    """Development rows that are answered by generating each time; 0 judges by the loss alone."""
    patience: int = Field(default=3, ge=1)
    """Stop after so many evaluations without gain."""
    seed: int = 0
    report_to: tuple[str, ...] = ()
    """``tensorboard``, ``wandb`` or ``trackio``, if installed."""
    push_to_hub: str | None = None
    """A repository on the hub that gets the result; wants a login."""
    adapter: Adapter = Adapter()
    output: Path
