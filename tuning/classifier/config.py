"""The configuration of ``python -m tuning.classifier``, a YAML file."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tuning.config_file import ConfigFile, ConfigPart

Method = Literal["head", "full", "lora"]


def _expanded(path: Any) -> Any:
    """Replace environment variables."""
    return os.path.expandvars(path) if isinstance(path, str) else path


class Source(ConfigPart):
    """One file of labelled texts, or a data set on the hub."""

    path: Annotated[str | None, BeforeValidator(_expanded)] = None
    """A .csv, .jsonl or .yml (Rasa NLU) file; ``$NAME`` is replaced by an environment variable."""
    hub: str | None = None
    """The name of a data set on the Hugging Face hub, instead of a path."""
    split: str = "train"
    """The split of the hub's data set."""
    text: str = "text"
    """The column of the text."""
    label: str | None = "label"
    """The column of the label; null if the rows have none."""
    where: dict[str, str] = Field(default_factory=dict)
    """Use only rows whose columns have these values."""
    at_least: dict[str, float] = Field(default_factory=dict)
    """Use only rows whose columns are at least these numbers."""
    every: int = Field(default=1, ge=1)
    """Use every n-th row …"""
    offset: int = Field(default=0, ge=0)
    """… starting with this one."""
    labels: dict[str, str] = Field(default_factory=dict)
    """New names for labels; labels that are not listed keep theirs."""
    plain_labels: bool = False
    """Write labels in lower case and without question marks."""
    without: tuple[str, ...] = ()
    """Labels to leave out."""
    weight: float = Field(default=1.0, gt=0)
    """The weight of each row in training."""
    conflicts: Literal["refuse", "drop"] = "refuse"
    """What to do with a text that has two labels in this source."""
    about: str = ""
    """Origin and licence of the data, for the model card."""


class Augmentation(ConfigPart):
    """How training texts are varied; each copy is varied independently."""

    copies: int = Field(default=0, ge=0)
    """Varied copies of each text."""
    typing_errors: float = Field(default=0.1, ge=0, le=1)
    """The share of words with one wrong, missing, doubled or swapped letter."""
    dropped_words: float = Field(default=0.05, ge=0, le=1)
    """The share of words that a copy leaves out."""
    synonyms: float = Field(default=0.1, ge=0, le=1)
    """The share of words with synonyms that a copy replaces."""
    lower_case: float = Field(default=0.0, ge=0, le=1)
    """The share of texts, copies included, in lower case."""
    mistyped: float = Field(default=0.0, ge=0, le=1)
    """The share of texts, copies included, that get typing errors."""
    wrapped: float = Field(default=0.0, ge=0, le=1)
    """The share of texts, copies included, that get polite words around them."""
    paraphrase: bool = False
    """Add one more copy, reworded by the generator in the settings."""


class EncoderTraining(ConfigPart):
    """How ``full`` and ``lora`` train."""

    epochs: float = Field(default=6, gt=0)
    batch: int = Field(default=32, ge=1)
    accumulation: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=2e-4, gt=0)
    label_smoothing: float = Field(default=0.05, ge=0, lt=1)
    contrastive: float = Field(default=0.0, ge=0, le=1)
    """The weight of the supervised contrastive loss (Khosla et al. 2020, arXiv 2004.11362)."""
    fgm: float = Field(default=0.0, ge=0)
    """How far an adversary moves the embeddings (Miyato et al. 2017, arXiv 1605.07725)."""
    patience: int = Field(default=2, ge=1)
    """Stop after this many epochs without gain on the development data."""
    mixed_precision: Literal["auto", "no", "bf16", "fp16"] = "auto"
    lora_rank: int = Field(default=16, ge=1)
    report_to: tuple[str, ...] = ()
    """``tensorboard``, ``wandb`` or ``trackio``, if installed."""


class LinearTraining(ConfigPart):
    """How ``head`` fits a linear classifier on frozen vectors."""

    regularisation: float = Field(default=30.0, gt=0)
    """The inverse of the penalty on the vectors' weights, scikit-learn's ``C``."""
    terms: float = Field(default=0.5, ge=0, lt=1)
    """The share of words and word pairs in the logits; 0 uses the vectors only."""
    label_names: float = Field(default=0.0, ge=0)
    """The weight of each label's name as one more example; 0 leaves the names out."""


class Member(ConfigPart):
    """What one model of an ensemble changes in the configuration around it."""

    method: Method | None = None
    encoder: str | None = None
    prompt: str | None = None
    pooling: Literal["mean", "cls"] | None = None
    seeds: tuple[int, ...] | None = Field(default=None, min_length=1)
    training: EncoderTraining | None = None
    head: LinearTraining | None = None


class ClassifierConfig(ConfigFile):
    """A whole configuration."""

    name: str
    method: Method = "head"
    """``head`` for a linear classifier on frozen vectors; ``full`` or ``lora`` tune the encoder."""
    encoder: str | None = None
    """The folder or hub name of any encoder; null for the assistant's, with its query adapter."""
    prompt: str | None = None
    """A prefix for each text; null for the encoder's own."""
    pooling: Literal["mean", "cls"] = "mean"
    train: tuple[Source, ...]
    dev: tuple[Source, ...] = ()
    """For early stopping, calibration and the report; if empty, a tenth of the training data."""
    test: tuple[Source, ...] = ()
    """Held out from training, and used for nothing else."""
    out_of_scope: tuple[Source, ...] = ()
    """Texts of no class, to fit the out-of-scope score on."""
    out_of_scope_label: str | None = None
    """The class of texts that belong to no other class, if there is one."""
    class_weights: Literal["none", "balanced"] = "none"
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    """With several seeds, the mean of as many models."""
    augmentation: Augmentation = Augmentation()
    training: EncoderTraining = EncoderTraining()
    head: LinearTraining = LinearTraining()
    members: tuple[Member, ...] = ()
    """An ensemble: each member with its changes; their probabilities are multiplied."""
    output: Path

    def parts(self) -> "list[ClassifierConfig]":
        """Return a configuration for each member; only this one if there are none."""
        if not self.members:
            return [self]
        return [
            self.model_copy(
                update={
                    **{key: value for key, value in member if value is not None},
                    "members": (),
                    "output": self.output / f"member-{number}",
                }
            )
            for number, member in enumerate(self.members)
        ]
