"""Measures how well later messages find what answers them, in four readings."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.models.embedder import Vectors
from tuning.later_questions.frozen_vectors import CorpusVectors, FrozenVectors
from tuning.later_questions.later_network import LaterNetwork
from tuning.later_questions.rows import LaterRow

THREE = 3
# What is encoded, by the names that the facts use.
READINGS = {
    "message": "the message alone",
    "after_question": "the question before and the message",
    "in_conversation": "the message in its conversation, as trained",
    "alone": "the question in words that need no conversation",
}


def development(
    network: LaterNetwork, rows: Mapping[str, Sequence[LaterRow]], frozen: FrozenVectors
) -> dict[str, dict[str, Any]]:
    """Return by language how many turns are answered, and the measures of each reading.

    Args:
        network: The trained network.
        rows: The development turns by language.
        frozen: The vectors of their corpora.
    """
    found: dict[str, dict[str, Any]] = {}
    for lang, of_lang in rows.items():
        answered = [row for row in of_lang if row.right]
        encoded = _encoded(network, answered)
        found[lang] = {
            "turns": len(answered),
            **{name: measure(answered, encoded[name], frozen.corpora) for name in READINGS},
        }
    return found


def _encoded(network: LaterNetwork, rows: Sequence[LaterRow]) -> dict[str, Vectors]:
    import torch

    with torch.inference_mode():
        trained = network.encode([(row.text, row.before) for row in rows])
    questions = network.embedder.encode_questions
    return {
        "message": questions([row.text for row in rows]),
        "after_question": questions([f"{row.before.question} {row.text}" for row in rows]),
        "in_conversation": trained.cpu().numpy(),
        "alone": questions([row.alone for row in rows]),
    }


def measure(
    rows: Sequence[LaterRow], vectors: Vectors, corpora: Mapping[str, CorpusVectors]
) -> dict[str, float]:
    """Return shares of answered turns.

    ``first`` and ``three`` are those with a right article first and among the first three,
    ``sentence`` those with a right sentence first among all of the company.

    Args:
        rows: The turns; something answers each.
        vectors: Their unit vectors, shape (len(rows), dimension).
        corpora: The vectors of passages and sentences.
    """
    hits = []
    for row, vector in zip(rows, vectors, strict=True):
        corpus = corpora[row.corpus]
        near = corpus.sentences @ vector
        scores = passage_scores(corpus.whole @ vector, near, corpus.owners)
        order = [corpus.articles[passage] for passage in np.argsort(-scores, kind="stable")]
        order = list(dict.fromkeys(order))
        right = {corpus.articles[passage] for passage in corpus.owners[list(row.right)]}
        is_first, is_among = order[0] in right, bool(right & set(order[:THREE]))
        hits.append((is_first, is_among, int(near.argmax()) in row.right))
    first, three, sentence = np.mean(hits, axis=0)
    return {"first": float(first), "three": float(three), "sentence": float(sentence)}


def passage_scores(
    whole: NDArray[np.float32], sentences: NDArray[np.float32], owners: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the mean of each passage's cosine and that of its best sentence.

    Args:
        whole: The passages' cosines; one without sentences has its own alone.
        sentences: Those of all sentences.
        owners: The number of each sentence's passage.
    """
    best = np.full_like(whole, -np.inf)
    np.maximum.at(best, owners, sentences)
    return np.where(np.isfinite(best), (whole + best) / 2, whole)
