"""How well the sentiment of a message is recognised: ``python -m benchmarks.sentiment``.

Measures the weights that ship, trained on the project's own examples, on airline customers' tweets,
on sentences of financial news and on Chinese development messages. For comparison, it also trains a
classifier on four fifths of each public set and measures it on the remaining fifth.
"""

import argparse
import re
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assistant.intents.classifier import WEIGHTS
from assistant.intents.classifier_cache import trained_classifier
from assistant.intents.linear_classifier import LinearClassifier
from knowledge.models.embedder import Embedder, Vectors
from knowledge.models.model_files import open_embedder
from tuning.classifier.config import Source
from tuning.classifier.labelled_texts import Labelled, read_all
from tuning.metrics import calibration_error
from tuning.public_data import is_data_missing

FOLDS = 5
SETS = {
    "airline_tweets, confidence ≥ 0.99": Source(
        path="$FRONTDESK_DATA/airline_tweets/airline_tweets.csv",
        label="sentiment",
        at_least={"confidence": 0.99},
    ),
    "financial_phrasebank": Source(
        path="$FRONTDESK_DATA/financial_phrasebank/fpb.csv", text="sentence"
    ),
    "our Chinese messages": Source(path="tuning/data/sentiment_dev.zh.yml"),
}


def main() -> int:
    """Print the table; return 2 if the public data is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sentiment",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m benchmarks.sentiment",
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args()
    if is_data_missing("sentiment"):
        return 2
    embedder = open_embedder(None, given.state)
    print("| messages | weights | accuracy | macro-F1 | ECE |")
    print("| --- | --- | --- | --- | --- |")
    for name, source in SETS.items():
        rows = read_all([source])
        # The name of a user says nothing about the sentiment.
        texts = [re.sub(r"@\w+", "@", row.text) for row in rows]
        vectors = embedder.encode_queries(texts)
        head = _shipped(embedder)
        scores = head.scores(texts, vectors)
        print(
            f"| {name} ({len(rows)}) | ships | {_measures(rows, scores, head.labels)} |", flush=True
        )
        if not name.startswith("our"):
            print(
                f"| {name} | learned from the set | {_crossed(rows, texts, vectors)} |", flush=True
            )
    return 0


def _shipped(embedder: Embedder) -> LinearClassifier:
    found = trained_classifier(WEIGHTS / "sentiment", embedder.query_name)
    if found is None:
        raise SystemExit("Expected weights for this embedder; see tuning/configs/sentiment.yaml.")
    return found[0]


def _measures(rows: Sequence[Labelled], scores: np.ndarray, labels: Sequence[str]) -> str:
    from sklearn.metrics import accuracy_score, f1_score

    said = [labels[row] for row in scores.argmax(axis=1)]
    right = [row.label for row in rows]
    hits = np.array([a == b for a, b in zip(right, said, strict=True)], dtype=float)
    error = calibration_error(scores.max(axis=1).astype(float), hits)
    f1 = f1_score(right, said, average="macro")
    return f"{accuracy_score(right, said):.3f} | {f1:.3f} | {error:.3f}"


def _crossed(rows: Sequence[Labelled], texts: Sequence[str], vectors: Vectors) -> str:
    fold = np.random.default_rng(0).permutation(len(rows)) % FOLDS
    found = []
    for held in range(FOLDS):
        seen, judged = np.flatnonzero(fold != held), np.flatnonzero(fold == held)
        labels = [rows[row].label for row in seen]
        head = LinearClassifier.fit([texts[row] for row in seen], labels, vectors[seen], "")
        scores = head.scores([texts[row] for row in judged], vectors[judged])
        cells = _measures([rows[row] for row in judged], scores, head.labels).split(" | ")
        found.append([float(cell) for cell in cells])
    return " | ".join(f"{statistics.mean(column):.3f}" for column in zip(*found, strict=True))


if __name__ == "__main__":
    sys.exit(main())
