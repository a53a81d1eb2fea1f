"""What the network tells of messages for development, by language."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import softmax

from assistant.intents.question_reader import LABELS, SHAPES, parts_of, starts_of, text_of
from tuning.adapted_network.training import TrainedNetwork, temperature_of
from tuning.questions.rows import LANGUAGES, QuestionRow

# A cut counts as right within so many characters: a joining word may go with either question.
NEAR = 8


def temperatures_of(network: TrainedNetwork, rows: Sequence[QuestionRow]) -> dict[str, float]:
    """Return each layer's temperature; that of tokens is left at one."""
    alone = [row for row in rows if not row.cuts]
    right = {
        "shape": [SHAPES.index(row.shape) for row in rows],
        "account": [int(row.account) for row in alone],
        "parts": [int(bool(row.cuts)) for row in rows],
    }
    texts = {
        layer: [
            text_of(network.tokenizer, row.text) for row in (alone if layer == "account" else rows)
        ]
        for layer in right
    }
    found = {
        layer: round(temperature_of(network.logits(layer, texts[layer]), of), 3)
        for layer, of in right.items()
    }
    return {**found, "cut": 1.0}


def measure(
    network: TrainedNetwork, rows: Sequence[QuestionRow], temperatures: dict[str, float]
) -> dict[str, dict[str, Any]]:
    """Return by language how many messages there are and how many are told rightly."""
    texts = [text_of(network.tokenizer, row.text) for row in rows]
    likely = {
        layer: softmax(network.logits(layer, texts) / temperatures[layer], axis=1)
        for layer in LABELS
        if layer != "cut"
    }
    found: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows):
        several = likely["parts"][number, 1]
        cuts = [span.start for span in parts_of(row.text, several, _cuts(network, texts[number]))]
        counts = found.setdefault(row.lang, dict.fromkeys(_MEASURES, 0))
        counts["messages"] += 1
        counts["shape"] += SHAPES[likely["shape"][number].argmax()] == row.shape
        own = likely["account"][number, 1] >= 0.5  # noqa: PLR2004  # likelier than not
        if not row.cuts:
            counts["account"] += row.account
            counts["account found"] += row.account and own
            counts["account wrongly"] += own and not row.account
        counts["several"] += bool(row.cuts)
        counts["split"] += bool(row.cuts) and len(cuts) > 1
        counts["split rightly"] += bool(row.cuts) and _agree(cuts[1:], row.cuts)
        counts["split wrongly"] += len(cuts) > 1 and not row.cuts
    return {lang: found[lang] for lang in LANGUAGES if lang in found}


_MEASURES = (
    "messages", "shape", "account", "account found", "account wrongly", "several", "split",
    "split rightly", "split wrongly",
)  # fmt: skip


def _cuts(network: TrainedNetwork, text: str) -> list[tuple[float, int]]:
    import torch

    with torch.no_grad():
        states = network.states([text])[0]
        begins = softmax(network.layers["cut"](states).double().cpu().numpy(), axis=1)[:, 1]
    return [(float(begins[token]), place) for token, place in starts_of(network.tokenizer, text)]


def _agree(cuts: Sequence[int], right: Sequence[int]) -> bool:
    return len(cuts) == len(right) and bool(
        np.all(np.abs(np.array(cuts) - np.array(right)) <= NEAR)
    )
