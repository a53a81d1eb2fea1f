"""Fits a linear classifier on a frozen encoder's vectors: ``method: head``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assistant.intents.linear_classifier import LinearClassifier
from tuning.classifier.config import ClassifierConfig
from tuning.classifier.fit_prototypes import fit_prototypes
from tuning.classifier.labelled_texts import Labelled
from tuning.classifier.vector_cache import encode_cached

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder


def train_linear(
    config: ClassifierConfig,
    train: Sequence[Labelled],
    dev: Sequence[Labelled],
    out_of_scope: Sequence[Labelled],
    embedder: "Embedder",
    state: Path,
) -> tuple[list[str], NDArray[np.float32]]:
    """Fit, calibrate and save a linear classifier, and its prototypes if there are such texts.

    Args:
        config: The configuration.
        train: Training rows, already varied.
        dev: Development rows, which the calibration is fitted on.
        out_of_scope: Texts of no class.
        embedder: Encodes the texts.
        state: The state folder, in which vectors are kept.

    Returns:
        The labels, and the development rows' logits of shape (len(dev), len(labels)), before
        calibration.
    """
    texts, dev_texts, far_texts = (
        [row.text for row in rows] for rows in (train, dev, out_of_scope)
    )
    every = encode_cached(embedder, [*texts, *dev_texts, *far_texts], state, config.name)
    vectors, dev_vectors, far_vectors = np.split(every, [len(texts), len(texts) + len(dev)])
    classifier = _fit(config, train, vectors, embedder.query_name)
    logits = classifier.logits(dev_texts, dev_vectors)
    classifier = classifier.calibrated(dev_texts, logits, [row.label for row in dev])
    config.output.mkdir(parents=True, exist_ok=True)
    if out_of_scope:
        fit_prototypes(
            classifier,
            texts,
            [row.label for row in train],
            vectors,
            (far_texts, far_vectors),
            config.out_of_scope_label,
            config.seeds[0],
        ).save(config.output)
    classifier.save(config.output)
    return classifier.labels, logits


def _fit(
    config: ClassifierConfig, rows: Sequence[Labelled], vectors: Any, embedder: str
) -> LinearClassifier:
    """Return the uncalibrated classifier of rows with vectors of shape (rows, dimension)."""
    return LinearClassifier.fit(
        [row.text for row in rows],
        [row.label for row in rows],
        vectors,
        embedder,
        weights=[row.weight for row in rows],
        regularisation=config.head.regularisation,
        share=config.head.terms,
        balanced=config.class_weights == "balanced",
        calibrate=False,
    )
