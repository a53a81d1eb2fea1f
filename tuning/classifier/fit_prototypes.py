"""Fits what nearest examples are worth: new intents, and the out-of-scope score."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.intents.linear_classifier import Floats, LinearClassifier
from assistant.intents.prototypes import Prototypes, closeness, features
from knowledge.models.embedder import Vectors

# Examples that a new intent is expected to bring.
SHOWN = 5
PROTOTYPES = 8
# Classes that play the newcomer, and texts of others that must not be drawn to it.
PLAYERS, OTHERS = 60, 400
# Classes that play what is near and none of ours.
STRANGERS = 15
# Subtracted from a new intent's logit, so that it takes at most half a point of accuracy from the
# others: chosen on BANKING77's development rows.
RESERVE = 0.3
# The share of messages that are taken to be of none of the classes.
STRANGE_SHARE = 0.1


def fit_prototypes(
    head: LinearClassifier,
    texts: Sequence[str],
    labels: Sequence[str],
    vectors: Vectors,
    far: tuple[Sequence[str], Vectors],
    reject: str | None,
    seed: int,
) -> Prototypes:
    """Return the neighbours of a head's training texts.

    Known classes play what is unknown: to learn what five examples are worth, a class is taken out
    of the head and shown by five of its texts; to learn what is near and strange, some classes are
    left out of a second head, beside texts that are far.

    Args:
        head: Fitted on all the texts.
        texts: What it was fitted on.
        labels: The class of each.
        vectors: Of shape (len(texts), dimension).
        far: Texts of none of the classes, which the head was not fitted on, and their vectors.
        reject: The class that stands for none of them.
        seed: What the drawing begins with.
    """
    draw = np.random.default_rng(seed)
    names = np.array(labels)
    proper = names != reject
    return Prototypes(
        prototypes=prototypes(vectors[proper], names[proper], seed),
        centre=vectors.mean(axis=0),
        imprint=_imprint(head, texts, names, vectors, draw),
        strange=_strange(texts, names, vectors, far, reject, draw, seed),
    )


def prototypes(vectors: Vectors, labels: NDArray[Any], seed: int) -> Floats:
    """Return unit vectors of shape (prototypes, dimension), up to eight of each class."""
    from sklearn.cluster import KMeans

    found = []
    for label in sorted(set(labels)):
        own = vectors[labels == label]
        means = KMeans(min(PROTOTYPES, len(own)), n_init=1, random_state=seed).fit(own)
        found.append(means.cluster_centers_)
    stacked = np.vstack(found)
    return np.asarray(stacked / np.linalg.norm(stacked, axis=1, keepdims=True), dtype=np.float32)


def _imprint(
    head: LinearClassifier,
    texts: Sequence[str],
    names: NDArray[Any],
    vectors: Vectors,
    draw: np.random.Generator,
) -> list[float]:
    from scipy.optimize import minimize

    logits = head.logits(texts, vectors)
    centre = vectors.mean(axis=0)
    near, others, is_own = [], [], []
    players = [n for n in head.labels if (names == n).sum() > SHOWN]
    for name in draw.permutation(players)[:PLAYERS]:
        own = draw.permutation(np.flatnonzero(names == name))
        rest = draw.choice(np.flatnonzero(names != name), min(OTHERS, int((names != name).sum())))
        rows = np.concatenate([own[SHOWN : SHOWN + 20], rest])
        near.append(closeness(vectors[rows], vectors[own[:SHOWN]], centre))
        left = np.delete(logits[rows], head.labels.index(str(name)), axis=1)
        others.append(np.logaddexp.reduce(left, axis=1))
        is_own.append(names[rows] == name)
    cosines, rivals = np.vstack(near), np.concatenate(others)
    own_rows = np.concatenate(is_own)

    def loss(weights: NDArray[Any]) -> float:
        margin = cosines @ weights[:2] + weights[2] - rivals
        return float(np.logaddexp(0, np.where(own_rows, -margin, margin)).mean())

    mean, nearest, constant = minimize(loss, np.zeros(3), method="BFGS").x
    return [float(mean), float(nearest), float(constant) - RESERVE]


def _strange(
    texts: Sequence[str],
    names: NDArray[Any],
    vectors: Vectors,
    far: tuple[Sequence[str], Vectors],
    reject: str | None,
    draw: np.random.Generator,
    seed: int,
) -> list[float]:
    from sklearn.linear_model import LogisticRegression

    proper = sorted(set(names) - {reject})
    strangers = draw.choice(proper, min(STRANGERS, len(proper) // 4), replace=False)
    is_near = np.isin(names, strangers)
    # One half teaches the second head, the other half is judged by it.
    half = draw.random(len(names)) < 0.5  # noqa: PLR2004
    taught = np.flatnonzero(half & ~is_near)
    small = LinearClassifier.fit(
        [texts[int(row)] for row in taught],
        list(names[taught]),
        vectors[taught],
        "",
        calibrate=False,
    )
    known = prototypes(
        vectors[taught][names[taught] != reject], names[taught][names[taught] != reject], seed
    )
    row = small.labels.index(reject) if reject else None

    def judged(said: Sequence[str], encoded: Vectors) -> Floats:
        return features(small.logits(said, encoded), encoded, known, row)

    ours = np.flatnonzero(~half & ~is_near & (names != reject))
    near = np.flatnonzero(is_near)
    parts = [judged([texts[int(r)] for r in rows], vectors[rows]) for rows in (ours, near)]
    parts.append(judged(far[0], far[1]))
    is_strange = np.concatenate([np.full(len(p), n > 0) for n, p in enumerate(parts)])
    rows = np.vstack(parts)
    # Each kind counts as much as the others, however many there are …
    counts = np.concatenate([np.full(len(p), 1 / len(p)) for p in parts])
    spread = rows.std(axis=0) + 1e-6
    model = LogisticRegression().fit(rows / spread, is_strange, sample_weight=counts * len(ours))
    # … which makes two in three strange; the constant is put right for how many there really are.
    prior = np.log(STRANGE_SHARE / (1 - STRANGE_SHARE)) - np.log(2)
    return [*(model.coef_[0] / spread).tolist(), float(model.intercept_[0] + prior)]
