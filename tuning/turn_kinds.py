"""Trains what tells the kinds of later messages: ``python -m tuning.turn_kinds``.

Learns from ``tuning/data/turn_kinds.*.jsonl``, messages written for it, and from the later turns of
the training conversations; calibrates and measures on those for development.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuning.json_lines import read_json_lines

if TYPE_CHECKING:
    from assistant.intents.linear_classifier import LinearClassifier
    from knowledge.models.embedder import Embedder
    from tuning.customer_messages import Part

DATA = Path(__file__).with_name("data")
CARD = Path(__file__).with_name("turn_kinds.md.jinja")
LANGUAGES = ("en", "zh")
# What the kinds of written conversations are called here; any other asks.
NAMES = {
    "small_talk": "closing",
    "person": "person",
    "pushback": "pushback",
    "correction": "correction",
    "confirm": "confirm",
}
# From here on, a message counts as thanks or as a wish for a person without a look at any article.
SURE = 0.8


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, report and write; return 1 if something cannot be used, else 0."""
    from assistant.intents.turn_kinds import WEIGHTS

    parser = argparse.ArgumentParser(
        prog="python -m tuning.turn_kinds",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m tuning.turn_kinds --output var/turn-kinds",
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--output", type=Path, default=WEIGHTS, help="default: %(default)s")
    options = parser.parse_args(arguments)
    from knowledge.errors import KnowledgeError
    from knowledge.models.model_files import open_embedder

    try:
        _train(open_embedder(None, options.state), options.output)
    except (KnowledgeError, ValueError, OSError) as error:
        print(f"turn_kinds: {error}", file=sys.stderr)
        return 1
    return 0


def _train(embedder: "Embedder", output: Path) -> None:
    from assistant.intents.linear_classifier import LinearClassifier
    from tuning.page_templates import render

    train = [row for lang in LANGUAGES for row in (*_written(lang), *_turns("train", lang))]
    dev = {lang: list(_turns("dev", lang)) for lang in LANGUAGES}
    texts, kinds = (list(column) for column in zip(*train, strict=True))
    print(f"{len(train):,} messages for training; encoding them …", file=sys.stderr)
    # Messages that ask are most of all later turns: all kinds weigh the same.
    classifier = LinearClassifier.fit(
        texts,
        kinds,
        embedder.encode_queries(texts),
        embedder.query_name,
        balanced=True,
        calibrate=False,
    )
    later = [row for rows in dev.values() for row in rows]
    dev_texts, dev_kinds = (list(column) for column in zip(*later, strict=True))
    logits = classifier.logits(dev_texts, embedder.encode_queries(dev_texts))
    classifier = classifier.calibrated(dev_texts, logits, dev_kinds)
    classifier.save(output)
    report = {lang: _measured(classifier, embedder, rows) for lang, rows in dev.items()}
    card = render(CARD, messages=len(train), report=report, sure=SURE)
    (output / "README.md").write_text(card, encoding="utf-8")
    for lang, measures in report.items():
        for kind, row in measures.items():
            print(f"{lang} {kind}: " + ", ".join(f"{k} {v}" for k, v in row.items()))


def _written(lang: str) -> Iterator[tuple[str, str]]:
    from assistant.message.courtesies import without_courtesies

    for row in read_json_lines(DATA / f"turn_kinds.{lang}.jsonl"):
        yield without_courtesies(row["text"]), row["kind"]


def _turns(part: "Part", lang: str) -> Iterator[tuple[str, str]]:
    from assistant.message.courtesies import without_courtesies
    from tuning.customer_talks import talks_of

    # The weights hold words of what trained them, so other people's messages do not train.
    known = [talks for talks in talks_of(part, lang) if talks.own or part == "dev"]
    for turn in (turn for talks in known for talk in talks.talks for turn in talk):
        if turn.kind != "first":
            yield without_courtesies(turn.text), NAMES.get(turn.kind, "asks")


def _measured(
    classifier: "LinearClassifier", embedder: "Embedder", rows: Sequence[tuple[str, str]]
) -> dict[str, dict[str, Any]]:
    """Return, for each kind, how many there are, and how often it is predicted and rightly so."""
    texts, kinds = (list(column) for column in zip(*rows, strict=True))
    scores = classifier.scores(texts, embedder.encode_queries(texts))
    likeliest = np.array([classifier.labels[n] for n in scores.argmax(axis=1)])
    known = np.array(kinds)
    return {
        kind: _row(known == kind, likeliest == kind, scores[:, number] >= SURE)
        for number, kind in enumerate(classifier.labels)
    }


def _row(
    known: NDArray[np.bool_], predicted: NDArray[np.bool_], sure: NDArray[np.bool_]
) -> dict[str, int]:
    return {
        "messages": int(known.sum()),
        "found": int((known & predicted).sum()),
        "predicted": int(predicted.sum()),
        "sure": int(sure.sum()),
        "surely right": int((known & sure).sum()),
    }


if __name__ == "__main__":
    sys.exit(main())
