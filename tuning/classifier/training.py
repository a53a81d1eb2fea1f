"""Trains the models of a configuration, joins them, calibrates and reports."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from assistant.intents.temperature import temperature_for, temperatures
from tuning.classifier.augmentation import augmented
from tuning.classifier.config import ClassifierConfig
from tuning.classifier.labelled_texts import (
    DataError,
    Labelled,
    check,
    read_all,
    without_held_out,
)

if TYPE_CHECKING:
    from assistant.generators.generator import Generator
    from knowledge.models.embedder import Embedder

# Without development data, every n-th training row is held out.
HELD_OUT = 10


@dataclass(frozen=True, slots=True)
class ClassifierData:
    """The checked rows of a configuration; ``removed`` counts training rows that are held out."""

    train: list[Labelled]
    dev: list[Labelled]
    out_of_scope: list[Labelled]
    removed: int


def load_data(config: ClassifierConfig) -> ClassifierData:
    """Read and check a configuration's data.

    Raises:
        DataError: The data cannot be used.
    """
    rows = read_all(config.train)
    dev, test = read_all(config.dev), read_all(config.test)
    if not dev:
        dev, rows = rows[::HELD_OUT], [row for n, row in enumerate(rows) if n % HELD_OUT]
    train = without_held_out(rows, [*dev, *test])
    if not train:
        raise DataError("Expected training texts that are not held out, found none.")
    check(train, [*dev, *test])
    return ClassifierData(train, dev, read_all(config.out_of_scope), len(rows) - len(train))


def train(
    config: ClassifierConfig, data: ClassifierData, state: Path, *, resume: bool, source: Path
) -> None:
    """Train, calibrate on the development rows, and write weights and report.

    Args:
        config: The configuration.
        data: Its data, from ``load_data``.
        state: The state folder, in which vectors are kept.
        resume: Whether to continue from the last checkpoint.
        source: The configuration's file, for the model card.

    Raises:
        ConfigError: An encoder cannot be loaded, or there is no checkpoint to continue from.
    """
    from tuning.classifier.report import write_report

    start = time.perf_counter()
    members = []
    for part in config.parts():
        if part.method == "head":
            labels, logits = _train_linear(part, data, state)
        else:
            labels, logits = _train_encoders(part, data, state, resume=resume)
        members.append(_calibrated(logits, labels, data.dev))
        if config.members:
            _print_accuracy(f"{part.method} {part.encoder or ''}", logits, labels, data.dev)
    # A product of experts (Hinton 2002); all members have the same classes.
    logits = _calibrated(sum(members), labels, data.dev)
    seconds = time.perf_counter() - start
    summary = write_report(config, data.train, data.dev, labels, logits, seconds, source)
    print(
        f"development: accuracy {summary['accuracy']:.4f}, macro-F1 {summary['macro_f1']:.4f}, "
        f"calibration error {summary['calibration_error']:.3f}; {seconds:.0f} s. "
        f"Report: {config.output / 'report' / 'report.html'}"
    )


def _print_accuracy(name: str, logits: Any, labels: Sequence[str], dev: Sequence[Labelled]) -> None:
    right = [labels[at] == row.label for at, row in zip(logits.argmax(axis=1), dev, strict=True)]
    print(f"{name}: development accuracy {np.mean(right):.4f}", flush=True)


def _calibrated(logits: Any, labels: Sequence[str], dev: Sequence[Labelled]) -> NDArray[Any]:
    """Return log probabilities, with a temperature per language fitted on the development rows."""
    right = np.array([labels.index(row.label) for row in dev])
    by_language = temperatures([row.text for row in dev], logits, right)
    by_row = [temperature_for(row.text, by_language) for row in dev]
    return np.asarray(log_softmax(logits / np.array(by_row)[:, None], axis=1))


def _train_linear(
    config: ClassifierConfig, data: ClassifierData, state: Path
) -> tuple[list[str], NDArray[np.float32]]:
    from tuning.classifier.linear_training import train_linear

    embedder = _embedder(config, state)
    rows = _training_rows(config, data.train, config.seeds[0], _generator(config, state))
    return train_linear(config, rows, data.dev, data.out_of_scope, embedder, state)


def _train_encoders(
    config: ClassifierConfig, data: ClassifierData, state: Path, *, resume: bool
) -> tuple[list[str], NDArray[np.float32]]:
    """Train an encoder for each seed; return the labels and the mean logits."""
    from tuning.classifier.encoder_training import train_encoder

    source, prompt = _encoder_source(config, state)
    texts = [row.text for row in data.dev]
    generator = _generator(config, state)
    logits = []
    for seed in config.seeds:
        rows = _training_rows(config, data.train, seed, generator)
        trained = train_encoder(config, source, prompt, rows, data.dev, seed, resume=resume)
        logits.append(trained.logits(texts))
        name = f"{config.method} {source} seed {seed}"
        _print_accuracy(name, logits[-1], trained.labels, data.dev)
        trained.save(config.output / f"seed-{seed}", config.pooling)
    return list(trained.labels), np.mean(logits, axis=0)


def _training_rows(
    config: ClassifierConfig, rows: Sequence[Labelled], seed: int, generator: "Generator | None"
) -> list[Labelled]:
    """Return varied rows, with the labels' names as further examples if they have a weight."""
    varied = augmented(rows, config.augmentation, seed, generator)
    weight = config.head.label_names
    labels = sorted({row.label for row in rows}) if weight else []
    names = [Labelled(label.replace("_", " "), label, weight, "label", 0) for label in labels]
    return [*varied, *names]


def _embedder(config: ClassifierConfig, state: Path) -> "Embedder":
    from knowledge.models.model_files import open_embedder

    return open_embedder(config.encoder, state)


def _generator(config: ClassifierConfig, state: Path) -> "Generator | None":
    """Return the generator for paraphrases, from the settings in the environment."""
    from assistant.config import load_settings
    from assistant.generators.open_generator import open_generator

    return open_generator(load_settings(state=state)) if config.augmentation.paraphrase else None


def _encoder_source(config: ClassifierConfig, state: Path) -> tuple[str, str]:
    """Return the folder or hub name of the encoder's weights, and the prefix for its texts."""
    from knowledge.models.model_files import default_embedder_folder, encoder_source

    if config.encoder:
        return encoder_source(config.encoder, state), config.prompt or ""
    return default_embedder_folder(state), "query: " if config.prompt is None else config.prompt
