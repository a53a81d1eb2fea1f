"""What the network tells of messages for development, by language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from assistant.intents.question_reader import (
    SHAPES,
    parts_of,
    places_of,
    sides_of,
    starts_of,
    text_of,
)
from knowledge.segmenter import Span
from tuning.adapted_network.training import BATCH, TrainedNetwork, temperature_of
from tuning.questions.rows import LANGUAGES, QuestionRow

# A cut counts as right within so many characters: a joining word may go with either question.
NEAR = 8


@dataclass(frozen=True, slots=True)
class Said:
    """What the network says of a message: the logits of each layer, and of each word."""

    logits: Mapping[str, NDArray[np.float64]]
    cuts: Sequence[tuple[float, int]]
    sides: Sequence[tuple[float, Span]]


# The layers that say something of each word.
WORDS = ("cut", "side")


def said_of(network: TrainedNetwork, rows: Sequence[QuestionRow]) -> list[Said]:
    """Return what the network says of messages."""
    import torch

    said = []
    for start in range(0, len(rows), BATCH):
        texts = [text_of(network.tokenizer, row.text) for row in rows[start : start + BATCH]]
        with torch.no_grad():
            for text, states in zip(texts, network.states(texts), strict=True):
                mean = states.mean(dim=0)
                logits = {
                    name: layer(mean).double().cpu().numpy()
                    for name, layer in network.layers.items()
                    if name not in WORDS
                }
                begins, sides = (
                    network.layers[name](states).softmax(dim=-1)[:, 1].tolist() for name in WORDS
                )
                starts = starts_of(network.tokenizer, text)
                cuts = [(begins[token], place) for token, place in starts]
                places = places_of(network.tokenizer, text)
                said.append(Said(logits, cuts, list(zip(sides, places, strict=True))))
    return said


def temperatures_of(said: Sequence[Said], rows: Sequence[QuestionRow]) -> dict[str, float]:
    """Return each layer's temperature; that of words is left at one."""
    right: dict[str, list[int | None]] = {
        "shape": [SHAPES.index(row.shape) for row in rows],
        # Whose account several questions are about is not told.
        "account": [None if row.cuts or row.account is None else int(row.account) for row in rows],
        "parts": [None if row.cuts is None else int(bool(row.cuts)) for row in rows],
    }
    found = dict.fromkeys(WORDS, 1.0)
    for layer, labels in right.items():
        told = [(n, label) for n, label in enumerate(labels) if label is not None]
        logits = np.array([said[n].logits[layer] for n, _ in told])
        found[layer] = round(temperature_of(logits, [label for _, label in told]), 3)
    return found


def measure(
    said: Sequence[Said], rows: Sequence[QuestionRow], temperatures: Mapping[str, float]
) -> dict[str, dict[str, Any]]:
    """Return by language how many messages there are and how many are told rightly."""
    found: dict[str, dict[str, Any]] = {}
    for one, row in zip(said, rows, strict=True):
        likely = {name: softmax(own / temperatures[name]) for name, own in one.logits.items()}
        parts = parts_of(row.text, float(likely["parts"][1]), one.cuts)
        cuts = [span.start for span in parts]
        counts = found.setdefault(row.lang, dict.fromkeys(_MEASURES, 0))
        counts["messages"] += 1
        counts["shape"] += SHAPES[likely["shape"].argmax()] == row.shape
        if row.sides is not None:
            sides = sides_of(row.text, one.sides)
            counts["compared"] += bool(row.sides)
            counts["sides rightly"] += bool(row.sides) and sides == list(row.sides)
            counts["sides wrongly"] += bool(sides) and not row.sides
        if row.cuts is None:
            continue
        own = likely["account"][1] >= 0.5  # noqa: PLR2004  # likelier than not
        if not row.cuts and row.account is not None:
            counts["account"] += row.account
            counts["account found"] += row.account and own
            counts["account wrongly"] += own and not row.account
        counts["several"] += bool(row.cuts)
        counts["split"] += bool(row.cuts) and len(cuts) > 1
        counts["split rightly"] += bool(row.cuts) and _agree(cuts[1:], row.cuts)
        counts["split wrongly"] += len(cuts) > 1 and not row.cuts
    return {
        lang: {name: int(count) for name, count in found[lang].items()}
        for lang in LANGUAGES
        if lang in found
    }


_MEASURES = (
    "messages", "shape", "account", "account found", "account wrongly", "several", "split",
    "split rightly", "split wrongly", "compared", "sides rightly", "sides wrongly",
)  # fmt: skip


def _agree(cuts: Sequence[int], right: Sequence[int]) -> bool:
    return len(cuts) == len(right) and bool(
        np.all(np.abs(np.array(cuts) - np.array(right)) <= NEAR)
    )
