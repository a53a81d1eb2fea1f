"""Finds a head's weights: trained ones where they fit the embedder, else fitted once and kept."""

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

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

# Raised whenever a head of the same examples would come out otherwise.
RECIPE = f"2 {VECTOR_REGULARISATION} {TERM_REGULARISATION} {TERM_SHARE}"


def trained_classifier(
    folder: Path, embedder: str
) -> tuple[LinearClassifier, Prototypes | None] | None:
    """Return the trained weights in a folder; None where there are none for this embedder.

    Raises:
        IntentsError: The files are damaged.
    """
    if not (folder / MODEL).is_file():
        return None
    head = LinearClassifier.load(folder)
    return (head, Prototypes.load(folder)) if head.embedder == embedder else None


def fitted_classifier(
    labelled: Sequence[tuple[str, str]], embedder: Embedder, kept: Path
) -> LinearClassifier:
    """Return a head fitted on (text, label), from the folder where it is kept if it was before."""
    what = json.dumps([RECIPE, embedder.query_name, labelled], ensure_ascii=False)
    where = kept / hashlib.sha256(what.encode()).hexdigest()[:16]
    if not where.exists():
        texts, labels = zip(*labelled, strict=True)
        vectors = embedder.encode_queries(texts)
        _save(LinearClassifier.fit(texts, labels, vectors, embedder.query_name), where)
    return LinearClassifier.load(where)


def cached_vectors(texts: Sequence[str], embedder: Embedder, kept: Path) -> Vectors:
    """Return the vectors of texts, of shape (len(texts), dimension), encoded once and then kept."""
    what = json.dumps([embedder.query_name, texts], ensure_ascii=False)
    where = kept / f"examples-{hashlib.sha256(what.encode()).hexdigest()[:16]}.npy"
    if where.is_file():
        return np.asarray(np.load(where, allow_pickle=False))
    print(f"Encoding {len(texts):,} examples, once …", file=sys.stderr)
    vectors = embedder.encode_queries(texts)
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=kept, suffix=".npy", delete=False) as file:
        np.save(file, vectors, allow_pickle=False)
    os.replace(file.name, where)
    return vectors


def _save(head: LinearClassifier, where: Path) -> None:
    where.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fitting-", dir=where.parent) as staging:
        built = Path(staging) / "head"
        head.save(built)
        try:
            os.replace(built, where)
        except OSError:
            # Another process may have fitted the same head in the meantime.
            if not where.exists():
                raise
