"""How well scores detect out-of-scope messages and new intents with five examples.

``python -m benchmarks.out_of_scope`` leaves 27 of BANKING77's intents out of training. Their
development rows are near and out of scope; CLINC150's out-of-scope rows and CrossWOZ are far. Each
score is measured alone and in the mixture that ships. Then ten intents are left out, and each is
added back with five of its training rows, without training. Last come CLINC150's 150 intents with
its own out-of-scope rows, in three draws of nine tenths of the training rows.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant.intents.linear_classifier import LinearClassifier
from assistant.intents.prototypes import FEATURES, Prototypes, features
from knowledge.models.embedder import Embedder, Vectors
from knowledge.models.model_files import open_embedder, open_frozen_embedder
from tuning.classifier.config import Source
from tuning.classifier.fit_prototypes import fit_prototypes, prototypes
from tuning.classifier.labelled_texts import read_all
from tuning.public_data import banking77, is_data_missing, out_of_scope

SEEDS = (0, 1, 2)
LEFT_OUT, NEWCOMERS, SHOWN = 27, 10, 5
REJECT = "out_of_scope"
CLINC, KEPT = "$FRONTDESK_DATA/clinc150/clinc150.csv", 0.9
Rows = tuple[list[str], list[str], Vectors]
# Far texts for training and for development, with their vectors, by the name of the set.
Far = dict[str, list[tuple[list[str], Vectors]]]


def main() -> int:
    """Print the tables; return 2 if the public data is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.out_of_scope",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m benchmarks.out_of_scope",
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument(
        "--tuned",
        action="store_true",
        help="use the query adapter, which was trained on the left-out intents too",
    )
    given = parser.parse_args()
    if is_data_missing("out_of_scope"):
        return 2
    embedder = (
        open_embedder(None, given.state) if given.tuned else open_frozen_embedder(given.state)
    )

    def rows(part: str) -> Rows:
        texts = [text.lower() for text, _ in banking77(part)]
        return texts, [label for _, label in banking77(part)], embedder.encode_queries(texts)

    train, dev = rows("train"), rows("dev")
    far = {}
    for name, lang in (("CLINC150", "en"), ("CrossWOZ", "zh")):
        parts = [out_of_scope(lang, part) for part in ("train", "dev")]
        far[name] = [(texts, embedder.encode_queries(texts)) for texts in parts]
    _print_strange(train, dev, far)
    _print_new(train, dev, far)
    _print_clinc(embedder)
    return 0


def _print_strange(train: Rows, dev: Rows, far: Far) -> None:
    from sklearn.metrics import roc_auc_score

    ways = (*FEATURES, "relative Mahalanobis", "mixture")
    found: dict[str, dict[str, list[float]]] = {way: {} for way in ways}
    for seed in SEEDS:
        names = sorted(set(train[1]))
        left = np.random.default_rng(seed).choice(names, LEFT_OUT, replace=False)
        kept = ~np.isin(train[1], left)
        head, neighbours, rows = _trained(train, kept, far, seed)
        known = prototypes(rows[2], np.array(rows[1]), seed)
        reject = head.labels.index(REJECT)
        asked = {"near": (np.array(dev[0], dtype=object), dev[2])}
        asked |= {
            name: (np.array(parts[1][0], dtype=object), parts[1][1]) for name, parts in far.items()
        }
        is_left = np.isin(dev[1], left)
        scores = {}
        for name, (texts, vectors) in asked.items():
            table = features(head.logits(list(texts), vectors), vectors, known, reject)
            mixed = table @ np.array(neighbours.strange[:-1])
            distance = _relative_mahalanobis(rows[2], np.array(rows[1]), vectors)
            scores[name] = np.column_stack([-table[:, :3], table[:, 3], distance, mixed])
        ours = scores["near"][~is_left]
        for name, others in {**scores, "near": scores["near"][is_left]}.items():
            truth = np.r_[np.zeros(len(ours)), np.ones(len(others))]
            for column, way in enumerate(ways):
                said = np.r_[ours[:, column], others[:, column]]
                found[way].setdefault(name, []).append(float(roc_auc_score(truth, said)))
    print("| AUROC | " + " | ".join(found["mixture"]) + " |")
    print("| --- |" + " --- |" * len(found["mixture"]))
    for way, by_name in found.items():
        print(f"| {way} | " + " | ".join(_mean(values) for values in by_name.values()) + " |")


def _print_new(train: Rows, dev: Rows, far: Far) -> None:
    recalls, losses = [], []
    for seed in SEEDS:
        draw = np.random.default_rng(seed)
        left = draw.choice(sorted(set(train[1])), NEWCOMERS, replace=False)
        kept = ~np.isin(train[1], left)
        head, neighbours, _ = _trained(train, kept, far, seed)
        logits = head.logits(dev[0], dev[2])
        best, labels = logits.max(axis=1), np.array(dev[1])
        right = np.array(head.labels)[logits.argmax(axis=1)] == labels
        for name in left:
            shown = draw.choice(np.flatnonzero(np.array(train[1]) == name), SHOWN, replace=False)
            new = np.array([neighbours.new_intent_logit(v, train[2][shown]) for v in dev[2]])
            taken = new > best
            others = ~np.isin(labels, left)
            recalls.append(float(taken[labels == name].mean()))
            losses.append(float((right & taken)[others].mean()))
    print(
        f"\nA new intent from {SHOWN} examples, {len(recalls)} times: recall {_mean(recalls)}, "
        f"accuracy lost elsewhere {_mean(losses)}, at most {max(losses):.3f}"
    )


def _print_clinc(embedder: Embedder) -> None:
    from sklearn.metrics import roc_auc_score

    def rows(part: str, **wanted: Any) -> Rows:
        found = read_all([Source(path=CLINC, label="intent", where={"split": part}, **wanted)])
        texts = [row.text.lower() for row in found]
        return texts, [row.label for row in found], embedder.encode_queries(texts)

    train, dev = (rows(part, without=("oos",)) for part in ("train", "val"))
    strange = [rows(part, without=tuple(set(train[1]))) for part in ("train", "val")]
    far: Far = {"CLINC150": [(texts, vectors) for texts, _, vectors in strange]}
    accuracies, areas = [], []
    for seed in SEEDS:
        kept = np.random.default_rng(seed).random(len(train[0])) < KEPT
        head, neighbours, _ = _trained(train, kept, far, seed)
        asked, vectors = [*dev[0], *strange[1][0]], np.vstack([dev[2], strange[1][2]])
        logits, reject = head.logits(asked, vectors), head.labels.index(REJECT)
        table = features(logits, vectors, neighbours.prototypes, reject)
        mixed = table @ np.array(neighbours.strange[:-1])
        areas.append(float(roc_auc_score(np.arange(len(asked)) >= len(dev[0]), mixed)))
        said = np.array(head.labels)[logits[: len(dev[0])].argmax(axis=1)]
        accuracies.append(float((said == np.array(dev[1])).mean()))
    print(
        f"\nCLINC150, all 150 intents: in scope {_mean(accuracies)}, "
        f"out of scope AUROC {_mean(areas)}"
    )


def _trained(
    train: Rows,
    kept: np.ndarray,
    far: Far,
    seed: int,
) -> tuple[LinearClassifier, Prototypes, Rows]:
    """Return a classifier of the kept rows and half of the far ones, and its prototypes."""
    rows = (
        [text for text, keep in zip(train[0], kept, strict=True) if keep],
        [label for label, keep in zip(train[1], kept, strict=True) if keep],
        train[2][kept],
    )
    texts: list[str] = []
    parts, rest_texts, rest = [], [], []
    for (said, vectors), _ in far.values():
        texts += said[:400:2]
        parts.append(vectors[:400:2])
        rest_texts += said[1:400:2]
        rest.append(vectors[1:400:2])
    labels = [*rows[1], *[REJECT] * len(texts)]
    stacked = np.vstack([rows[2], *parts])
    head = LinearClassifier.fit([*rows[0], *texts], labels, stacked, "", calibrate=False)
    neighbours = fit_prototypes(
        head, [*rows[0], *texts], labels, stacked, (rest_texts, np.vstack(rest)), REJECT, seed
    )
    return head, neighbours, rows


def _relative_mahalanobis(known: Vectors, labels: np.ndarray, vectors: Vectors) -> np.ndarray:
    """Return each vector's least distance to a class minus that to all (Ren et al. 2021)."""
    from sklearn.covariance import LedoitWolf

    classes = sorted(set(labels))
    means = np.stack([known[labels == name].mean(axis=0) for name in classes])
    within = LedoitWolf(assume_centered=True).fit(known - means[np.searchsorted(classes, labels)])
    overall = LedoitWolf().fit(known)
    nearest = np.min([within.mahalanobis(vectors - mean) for mean in means], axis=0)
    return np.asarray(nearest - overall.mahalanobis(vectors))


def _mean(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}"


if __name__ == "__main__":
    sys.exit(main())
