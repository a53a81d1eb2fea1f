"""Fits what the nearest examples add: the scores of new intents, and the out-of-scope score."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.intents.linear_classifier import Floats, LinearClassifier
from assistant.intents.prototypes import Prototypes, closeness, features
from knowledge.models.embedder import Vectors

# Examples that a new intent is expected to have.
SHOWN = 5
PROTOTYPES = 8
# Classes that play a new intent, with up to this many of their texts and of other classes' texts.
PLAYERS, OWN_TEXTS, OTHER_TEXTS = 60, 20, 400
# Classes that play messages near the known ones, but out of scope.
NEAR_CLASSES = 15
# Subtracted from a new intent's logit, so that the others lose at most half a point of accuracy:
# chosen on BANKING77's development rows.
RESERVE = 0.3
# The assumed share of messages that are out of scope.
OUT_OF_SCOPE_SHARE = 0.1


def fit_prototypes(
    classifier: LinearClassifier,
    texts: Sequence[str],
    labels: Sequence[str],
    vectors: Vectors,
    far: tuple[Sequence[str], Vectors],
    reject: str | None,
    seed: int,
) -> Prototypes:
    """Return the prototypes of a classifier's training texts.

    Known classes play unknown ones. For new intents, a class is removed from the classifier's
    logits and shown by five of its texts. For the out-of-scope score, some classes are left out of
    a second classifier, and texts that are far from all classes are added.

    Args:
        classifier: Fitted on all of the texts.
        texts: The training texts.
        labels: The class of each.
        vectors: Of shape (len(texts), dimension).
        far: Texts of no class, which the classifier was not fitted on, and their vectors.
        reject: The class of out-of-scope texts, if there is one.
        seed: The seed of all random choices.
    """
    random = np.random.default_rng(seed)
    names = np.array(labels)
    in_scope = names != reject
    return Prototypes(
        prototypes=prototypes(vectors[in_scope], names[in_scope], seed),
        centre=vectors.mean(axis=0),
        imprint=_fit_new_intents(classifier, texts, names, vectors, random),
        strange=_fit_out_of_scope(texts, names, vectors, far, reject, random, seed),
    )


def prototypes(vectors: Vectors, labels: NDArray[Any], seed: int) -> Floats:
    """Return unit vectors of shape (prototypes, dimension), up to eight per class."""
    from sklearn.cluster import KMeans

    centres = []
    for label in sorted(set(labels)):
        members = vectors[labels == label]
        clusters = KMeans(min(PROTOTYPES, len(members)), n_init=1, random_state=seed).fit(members)
        centres.append(clusters.cluster_centers_)
    stacked = np.vstack(centres)
    return np.asarray(stacked / np.linalg.norm(stacked, axis=1, keepdims=True), dtype=np.float32)


def _fit_new_intents(
    classifier: LinearClassifier,
    texts: Sequence[str],
    names: NDArray[Any],
    vectors: Vectors,
    random: np.random.Generator,
) -> list[float]:
    """Return the weights of the cosines to the examples' mean and to the nearest one, and a bias.

    They are fitted so that the new intent's logit beats the other classes' log-sum-exp on its own
    texts only.
    """
    from scipy.optimize import minimize

    logits = classifier.logits(texts, vectors)
    centre = vectors.mean(axis=0)
    cosines, rivals, is_own = [], [], []
    players = [name for name in classifier.labels if (names == name).sum() > SHOWN]
    for player in random.permutation(players)[:PLAYERS]:
        own = random.permutation(np.flatnonzero(names == player))
        others = np.flatnonzero(names != player)
        others = random.choice(others, min(OTHER_TEXTS, len(others)))
        rows = np.concatenate([own[SHOWN : SHOWN + OWN_TEXTS], others])
        cosines.append(closeness(vectors[rows], vectors[own[:SHOWN]], centre))
        remaining = np.delete(logits[rows], classifier.labels.index(str(player)), axis=1)
        rivals.append(np.logaddexp.reduce(remaining, axis=1))
        is_own.append(names[rows] == player)
    all_cosines, all_rivals = np.vstack(cosines), np.concatenate(rivals)
    own_rows = np.concatenate(is_own)

    def loss(weights: NDArray[Any]) -> float:
        margin = all_cosines @ weights[:2] + weights[2] - all_rivals
        return float(np.logaddexp(0, np.where(own_rows, -margin, margin)).mean())

    mean, nearest, bias = minimize(loss, np.zeros(3), method="BFGS").x
    return [float(mean), float(nearest), float(bias) - RESERVE]


def _fit_out_of_scope(
    texts: Sequence[str],
    names: NDArray[Any],
    vectors: Vectors,
    far: tuple[Sequence[str], Vectors],
    reject: str | None,
    random: np.random.Generator,
    seed: int,
) -> list[float]:
    """Return the out-of-scope score's weights of ``prototypes.FEATURES``, and a bias."""
    from sklearn.linear_model import LogisticRegression

    classes = sorted(set(names) - {reject})
    near_classes = random.choice(classes, min(NEAR_CLASSES, len(classes) // 4), replace=False)
    is_near = np.isin(names, near_classes)
    # One half trains the second classifier, which the score is fitted on; the other half is scored.
    half = random.random(len(names)) < 0.5  # noqa: PLR2004
    trained = np.flatnonzero(half & ~is_near)
    classifier = LinearClassifier.fit(
        [texts[int(row)] for row in trained],
        list(names[trained]),
        vectors[trained],
        "",
        calibrate=False,
    )
    in_scope = trained[names[trained] != reject]
    known = prototypes(vectors[in_scope], names[in_scope], seed)
    reject_row = classifier.labels.index(reject) if reject else None

    def scored(some_texts: Sequence[str], some_vectors: Vectors) -> Floats:
        logits = classifier.logits(some_texts, some_vectors)
        return features(logits, some_vectors, known, reject_row)

    unseen = np.flatnonzero(~half & ~is_near & (names != reject))
    near = np.flatnonzero(is_near)
    parts = [scored([texts[int(row)] for row in rows], vectors[rows]) for rows in (unseen, near)]
    parts.append(scored(*far))
    is_out = np.concatenate([np.full(len(part), n > 0) for n, part in enumerate(parts)])
    rows = np.vstack(parts)
    # Each part has the same weight, however many texts it has …
    weights = np.concatenate([np.full(len(part), 1 / len(part)) for part in parts])
    spread = rows.std(axis=0) + 1e-6
    model = LogisticRegression().fit(rows / spread, is_out, sample_weight=weights * len(unseen))
    # … so two in three are out of scope here; the bias is corrected for the assumed share.
    prior = np.log(OUT_OF_SCOPE_SHARE / (1 - OUT_OF_SCOPE_SHARE)) - np.log(2)
    return [*(model.coef_[0] / spread).tolist(), float(model.intercept_[0] + prior)]
