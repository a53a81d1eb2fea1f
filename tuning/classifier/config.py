"""What ``python -m tuning.classifier --config FILE`` is told, as a YAML file."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tuning.config_file import ConfigFile, Strict

Method = Literal["head", "full", "lora"]


def _expanded(path: Any) -> Any:
    """Put in environment variables, so that data may lie anywhere."""
    return os.path.expandvars(path) if isinstance(path, str) else path


class Source(Strict):
    """One file of labelled texts, or a data set on the hub."""

    path: Annotated[str | None, BeforeValidator(_expanded)] = None
    """A .csv, .jsonl, .yml (Rasa NLU) file; ``$NAME`` stands for an environment variable."""
    hub: str | None = None
    """A data set's name on the Hugging Face hub, instead of a path."""
    split: str = "train"
    """The hub data set's split."""
    text: str = "text"
    """The column of the text."""
    label: str | None = "label"
    """The column of the label; null where no row has one."""
    where: dict[str, str] = Field(default_factory=dict)
    """Only rows whose columns have these values."""
    at_least: dict[str, float] = Field(default_factory=dict)
    """Only rows whose columns reach these numbers."""
    every: int = Field(default=1, ge=1)
    """Only one in so many rows …"""
    offset: int = Field(default=0, ge=0)
    """… beginning with this one."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Other names for labels; one that is not listed keeps its own."""
    plain_labels: bool = False
    """Write labels in lower case and without question marks."""
    without: tuple[str, ...] = ()
    """Labels that are left out."""
    weight: float = Field(default=1.0, gt=0)
    """What each row counts in training."""
    conflicts: Literal["refuse", "drop"] = "refuse"
    """What happens to a text that stands in this source under two labels."""
    about: str = ""
    """Whose data it is and under which licence, for the model card."""


class Augmentation(Strict):
    """How training texts are varied; each copy draws anew."""

    copies: int = Field(default=0, ge=0)
    """Varied copies of each text."""
    typing_errors: float = Field(default=0.1, ge=0, le=1)
    """The share of words with one wrong, missing, doubled or swapped letter."""
    dropped_words: float = Field(default=0.05, ge=0, le=1)
    synonyms: float = Field(default=0.1, ge=0, le=1)
    """The share of words with synonyms that are replaced."""
    lower_case: float = Field(default=0.0, ge=0, le=1)
    """The share of texts, copies or not, that are written in lower case."""
    mistyped: float = Field(default=0.0, ge=0, le=1)
    """The share of texts, copies or not, that get typing errors in place."""
    wrapped: float = Field(default=0.0, ge=0, le=1)
    """The share of texts, copies or not, that get polite words around them in place."""
    paraphrase: bool = False
    """One more copy, worded anew by the generator of the settings."""


class Training(Strict):
    """How ``full`` and ``lora`` train."""

    epochs: float = Field(default=6, gt=0)
    batch: int = Field(default=32, ge=1)
    accumulation: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=2e-4, gt=0)
    head_learning_rate: float = Field(default=2e-3, gt=0)
    warmup: float = Field(default=0.1, ge=0, le=1)
    """The share of steps in which the learning rate rises."""
    weight_decay: float = Field(default=0.01, ge=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    label_smoothing: float = Field(default=0.05, ge=0, lt=1)
    contrastive: float = Field(default=0.0, ge=0, le=1)
    """The weight of the supervised contrastive loss (Khosla et al. 2020, arXiv 2004.11362)."""
    fgm: float = Field(default=0.0, ge=0)
    """How far an adversary moves the embeddings (Miyato et al. 2017, arXiv 1605.07725)."""
    patience: int = Field(default=2, ge=1)
    """Stop after so many epochs without gain on the development data."""
    frozen_words: bool = True
    """Leave the table of word vectors as it is: most of a multilingual model's weights."""
    mixed_precision: Literal["auto", "no", "bf16", "fp16"] = "auto"
    lora_rank: int = Field(default=16, ge=1)
    report_to: tuple[str, ...] = ()
    """``tensorboard``, ``wandb`` or ``trackio``, if installed."""


class HeadTraining(Strict):
    """How the linear head on frozen vectors is fitted."""

    regularisation: float = Field(default=30.0, gt=0)
    """The inverse of the penalty on the vectors' weights, as scikit-learn's ``C``."""
    terms: float = Field(default=0.5, ge=0, lt=1)
    """What words and their pairs count beside the vectors; 0 leaves them out."""
    label_names: float = Field(default=0.0, ge=0)
    """The weight of each label's own name, read as one more example; 0 leaves them out."""


class Member(Strict):
    """What one model of several does otherwise than the configuration around it."""

    method: Method | None = None
    encoder: str | None = None
    prompt: str | None = None
    pooling: Literal["mean", "cls"] | None = None
    seeds: tuple[int, ...] | None = Field(default=None, min_length=1)
    training: Training | None = None
    head: HeadTraining | None = None


class ClassifierConfig(ConfigFile):
    """A whole configuration."""

    name: str
    method: Method = "head"
    encoder: str | None = None
    """Any encoder's folder or hub name; null for the assistant's own, with its query adapter."""
    prompt: str | None = None
    """What is put before each text; null for what the encoder itself wants."""
    pooling: Literal["mean", "cls"] = "mean"
    max_tokens: int = Field(default=128, ge=8)
    train: tuple[Source, ...]
    dev: tuple[Source, ...] = ()
    """What early stopping, calibration and the report use; empty: a tenth of the training data."""
    test: tuple[Source, ...] = ()
    out_of_scope: tuple[Source, ...] = ()
    """Texts of none of the classes, to learn the out-of-scope score on."""
    out_of_scope_label: str | None = None
    """The class that stands for none of them, if there is one."""
    class_weights: Literal["none", "balanced"] = "none"
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    """More than one: the mean of as many models."""
    augmentation: Augmentation = Augmentation()
    training: Training = Training()
    head: HeadTraining = HeadTraining()
    members: tuple[Member, ...] = ()
    """Several models, each with what it does otherwise, whose opinions are multiplied."""
    output: Path

    def parts(self) -> "list[ClassifierConfig]":
        """Return a configuration for each member; this one alone where there are none."""
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
