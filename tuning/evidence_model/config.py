"""What ``python -m tuning.evidence_model --config FILE`` is told, as a YAML file."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from tuning.config_file import ConfigFile


class EvidenceSettings(ConfigFile):
    """A whole configuration."""

    name: str
    method: Literal["full", "lora"] = "lora"
    base_model: str | None = None
    """Any encoder's or causal model's folder or hub name; null for the embedder that ships."""
    cases: Path
    """A folder of ``train.jsonl`` and ``dev.jsonl``, as ``--make`` writes them."""
    parts: tuple[str, ...] = ("train",)
    """Files of cases to learn from, by name without suffix."""
    languages: tuple[str, ...] = ("en", "zh")
    passages: int = Field(default=5, ge=1)
    """Passages that are read for each question."""
    hidden: float = Field(default=0.25, ge=0, le=1)
    """The share of answered questions, each time, whose article is hidden: nothing answers."""
    varied: float = Field(default=0.2, ge=0, le=1)
    """The share of questions, each time, in lower case and without punctuation."""
    epochs: float = Field(default=4, gt=0)
    batch: int = Field(default=16, ge=1)
    """Questions, each with all of its passages."""
    learning_rate: float = Field(default=3e-4, gt=0)
    head_learning_rate: float = Field(default=1e-3, gt=0)
    warmup: float = Field(default=0.06, ge=0, le=1)
    weight_decay: float = Field(default=0.01, ge=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    rank: int = Field(default=32, ge=1)
    """Of LoRA (Hu et al. 2021, arXiv 2106.09685)."""
    max_steps: int = -1
    seed: int = 0
    report_to: tuple[str, ...] = ()
    output: Path
