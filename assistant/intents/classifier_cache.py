"""Loads trained classifiers, and caches fitted classifiers and example vectors on disk."""

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant.intents.linear_classifier import (
    MODEL,
    TERM_REGULARISATION,
    TERM_SHARE,
    VECTOR_REGULARISATION,
    LinearClassifier,
)
from assistant.intents.prototypes import Prototypes
from knowledge.models.embedder import Embedder, Vectors

# The first number is raised whenever the same examples would give another classifier.
RECIPE = f"2 {VECTOR_REGULARISATION} {TERM_REGULARISATION} {TERM_SHARE}"


def trained_classifier(
    folder: Path, embedder: str
) -> tuple[LinearClassifier, Prototypes | None] | None:
    """Return the trained classifier and its prototypes, if it has any.

    Args:
        folder: The folder of the weights.
        embedder: The name of the embedder.

    Returns:
        None if the folder has no weights for the embedder.

    Raises:
        IntentsError: A file is damaged.
    """
    if not (folder / MODEL).is_file():
        return None
    classifier = LinearClassifier.load(folder)
    return (classifier, Prototypes.load(folder)) if classifier.embedder == embedder else None


def fitted_classifier(
    labelled: Sequence[tuple[str, str]], embedder: Embedder, cache: Path
) -> LinearClassifier:
    """Return the classifier fitted on labelled texts; fit it if the cache does not have it.

    Args:
        labelled: Each text with its label.
        embedder: Encodes the texts.
        cache: The folder of fitted classifiers.
    """
    folder = cache / _hash([RECIPE, embedder.query_name, labelled])
    if not folder.exists():
        texts, labels = zip(*labelled, strict=True)
        vectors = embedder.encode_queries(texts)
        _save(LinearClassifier.fit(texts, labels, vectors, embedder.query_name), folder)
    return LinearClassifier.load(folder)


def cached_vectors(texts: Sequence[str], embedder: Embedder, cache: Path) -> Vectors:
    """Return vectors of shape (len(texts), dimension); encode them if the cache lacks them.

    Args:
        texts: The texts.
        embedder: Encodes the texts.
        cache: The folder of vectors.
    """
    path = cache / f"examples-{_hash([embedder.query_name, texts])}.npy"
    if path.is_file():
        return np.asarray(np.load(path, allow_pickle=False))
    print(f"Encoding {len(texts):,} examples, once …", file=sys.stderr)
    vectors = embedder.encode_queries(texts)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=cache, suffix=".npy", delete=False) as file:
        np.save(file, vectors, allow_pickle=False)
    os.replace(file.name, path)
    return vectors


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:16]


def _save(classifier: LinearClassifier, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fitting-", dir=folder.parent) as staging:
        staged = Path(staging) / folder.name
        classifier.save(staged)
        try:
            os.replace(staged, folder)
        except OSError:
            # Another process may have saved the same classifier in the meantime.
            if not folder.exists():
                raise
