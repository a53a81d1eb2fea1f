"""How well a classifier on frozen vectors recognises intents: ``python -m benchmarks.intents``.

First public sets, with the embedder as published, which was trained on none of them: BANKING77,
CLINC150 and HWU64, with all training rows or with five or ten per intent. Then the classifier that
ships: both languages, the cost of typing errors and capitals, and the time per message.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from assistant.config import BANK
from assistant.intents.classifier import IntentClassifier
from assistant.intents.linear_classifier import LinearClassifier
from knowledge.models.embedder import Embedder
from knowledge.models.model_files import open_embedder, open_frozen_embedder
from tuning.classifier.augmentation import with_typing_errors
from tuning.classifier.config import ClassifierConfig, Source
from tuning.classifier.labelled_texts import Labelled, read_all, without_held_out
from tuning.metrics import calibration_error
from tuning.public_data import is_data_missing

FEW = "$FRONTDESK_DATA/fewshot_intents/fewshot_intents.csv"
NAME_WEIGHT = 2.0
# The share of words in the logits, with many and with few examples; chosen on the same rows.
SHARE, FEW_SHARE = 0.4, 0.2
MANY, MANY_PENALTY, FEW_PENALTY = 2000, 30.0, 100.0
SEEDS = (0, 1, 2)
# The share of training rows per run; a linear classifier has no other randomness.
DRAWN = 0.9


def main() -> int:
    """Print the tables; return 2 if the public data is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.intents",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m benchmarks.intents",
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--encoder", help="an encoder for the public sets, as folder or hub name")
    parser.add_argument("--only", choices=("public", "shipped"), help="measure only these")
    given = parser.parse_args()
    if is_data_missing("intents"):
        return 2
    if given.only != "shipped":
        embedder = (
            open_embedder(given.encoder, given.state)
            if given.encoder
            else open_frozen_embedder(given.state)
        )
        _print_public(embedder)
    if given.only != "public":
        _print_shipped(open_embedder(None, given.state), given.state)
    return 0


def _print_public(embedder: Embedder) -> None:
    print("| training data | vectors | words | both | … and label names |")
    print("| --- | --- | --- | --- | --- |")
    for name, train, dev in public_sets():
        is_few = "shot" in name
        vectors = [embedder.encode_queries([r.text.lower() for r in part]) for part in (train, dev)]
        found = []
        for seed in SEEDS[:1] if is_few else SEEDS:
            kept = np.arange(len(train)) if is_few else _drawn(len(train), seed)
            rows = [train[row] for row in kept]
            found.append(_shares(rows, vectors[0][kept], dev, vectors[1], SHARE))
        cells = [_told(column) for column in zip(*found, strict=True)]
        if is_few:
            names = sorted({row.label for row in train})
            named = [Labelled(n.replace("_", " "), n, NAME_WEIGHT, "", 0) for n in names]
            encoded = embedder.encode_queries([row.text for row in named])
            both = np.vstack([vectors[0], encoded])
            cells.append(_told(_shares([*train, *named], both, dev, vectors[1], FEW_SHARE)[2:]))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _shares(
    train: Sequence[Labelled],
    vectors: np.ndarray,
    dev: Sequence[Labelled],
    asked: np.ndarray,
    share: float,
) -> list[float]:
    """Return the accuracy of the vectors alone, of the words alone, and of both."""
    head = LinearClassifier.fit(
        [row.text.lower() for row in train],
        [row.label for row in train],
        vectors,
        "",
        weights=[row.weight for row in train],
        share=share,
        regularisation=MANY_PENALTY if len(train) > MANY else FEW_PENALTY,
        calibrate=False,
    )
    texts, right = [row.text.lower() for row in dev], head.rows_of([row.label for row in dev])
    bias = head.arrays["bias"]
    both = head.logits(texts, asked)
    dense = asked @ head.arrays["vectors"].T
    # The two biases are only known as a sum; they are small.
    ways = (dense + bias, both - dense, both)
    return [float((way.argmax(axis=1) == right).mean()) for way in ways]


def _told(values: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


def _drawn(rows: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).permutation(rows)[: int(DRAWN * rows)])


def public_sets() -> list[tuple[str, list[Labelled], list[Labelled]]]:
    """Return (name, training rows, development rows) of each set."""

    def few(name: str, split: str) -> list[Labelled]:
        wanted = {"dataset": name, "split": split}
        return read_all([Source(path=FEW, where=wanted, plain_labels=True)])

    found = []
    clinc = "$FRONTDESK_DATA/clinc150/clinc150.csv"
    parts = [
        read_all([Source(path=clinc, label="intent", where={"split": part}, without=("oos",))])
        for part in ("train", "val")
    ]
    banking = read_all(
        [Source(path="$FRONTDESK_DATA/banking77/train.csv", label="category", plain_labels=True)]
    )
    dev = few("BANKING77", "valid")
    found.append(("BANKING77", without_held_out(banking, dev), dev))
    found.append(("CLINC150", *parts))
    for name in ("BANKING77", "CLINC150", "HWU64"):
        for shots in (5, 10):
            rows = few(name, f"train_{shots}")
            found.append((f"{name}, {shots}-shot", rows, few(name, "valid")))
    return found


def _print_shipped(embedder: Embedder, state: Path) -> None:
    classifier = IntentClassifier.open(BANK, embedder, state)
    config = ClassifierConfig.load(Path("tuning/configs/intents.yaml"))
    print("\n| the classifier that ships | as typed | ECE | " + " | ".join(CHANGES) + " |")
    print("| --- |" + " --- |" * (2 + len(CHANGES)))
    times = []
    for source in config.dev:
        dev = read_all([source])
        begun = time.perf_counter()
        predictions = [classifier.predict(row.text) for row in dev]
        times.append((time.perf_counter() - begun) / len(dev) * 1000)
        right = np.array([p.intent == r.label for p, r in zip(predictions, dev, strict=True)])
        error = calibration_error(np.array([p.score for p in predictions]), right.astype(float))
        cells = [
            f"{_share(classifier, dev, change) - right.mean():+.3f}" for change in CHANGES.values()
        ]
        name = Path(str(source.path)).stem
        print(f"| {name} ({len(dev)}) | {right.mean():.3f} | {error:.3f} | {' | '.join(cells)} |")
    print("\nOne message, encoded and predicted: " + " and ".join(f"{t:.1f} ms" for t in times))


def _share(
    classifier: IntentClassifier, dev: Sequence[Labelled], change: Callable[[str], str]
) -> float:
    return float(np.mean([classifier.predict(change(r.text)).intent == r.label for r in dev]))


def _mistyped(text: str) -> str:
    return with_typing_errors(text, 0.1, random.Random(text))


CHANGES: dict[str, Callable[[str], str]] = {
    "typing errors": _mistyped,
    "upper case": str.upper,
    "no punctuation": lambda text: "".join(c if c.isalnum() else " " for c in text),
    "an emoji": lambda text: f"{text} 😡",
    "a polite wrapper": lambda text: (
        f"Hello, sorry to bother you. {text} Thank you very much in advance!"
        if text.isascii()
        else f"您好，打扰一下，{text} 麻烦您了，谢谢！"
    ),
    # No list of courtesies contains these, so only training helps.
    "other words around": lambda text: (
        f"Maybe a stupid one but {text} would love to know, ta!"
        if text.isascii()
        else f"我这边遇到点事，{text}，等您消息哦"
    ),
}


if __name__ == "__main__":
    sys.exit(main())
