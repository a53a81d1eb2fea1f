"""Trains what tells the form of a question, and two of them apart: ``python -m tuning.questions``.

Learns from ``tuning/data/questions.*.jsonl``, messages written for it; calibrates and measures on
those of other authors. Runs on one processor or one GPU. Writes the adapter, the linear layers, its
facts and a model card to the config's ``output``, whole or not at all.
"""

import random
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuning.training_command import parsed, run

if TYPE_CHECKING:
    import torch

    from tuning.adapted_network.config import NetworkSettings
    from tuning.adapted_network.training import TrainedNetwork
    from tuning.questions.rows import QuestionRow

NAME = "questions"
CARD = Path(__file__).with_name("card.md.jinja")
# The share of rows in training in lower case and without punctuation.
VARIED = 0.2
# The weight of the tokens' loss: few of them begin a question.
CUT = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure and save.

    Returns:
        1 if something cannot be used, 130 after Ctrl-C, else 0.
    """
    options = parsed(NAME, __doc__, arguments)
    from tuning.adapted_network.config import NetworkSettings

    return run(NAME, options, NetworkSettings, _train)


def _train(settings: "NetworkSettings", state: Path) -> None:
    import torch

    from assistant.intents.question_reader import LABELS
    from tuning.adapted_network.model_folder import save_result
    from tuning.adapted_network.training import TrainedNetwork, train
    from tuning.questions.measures import measure, said_of, temperatures_of
    from tuning.questions.rows import question_rows

    start = time.perf_counter()
    rows, dev = question_rows("train"), question_rows("dev")
    network = TrainedNetwork(settings, LABELS, state)
    print(f"{len(rows):,} messages for training, {len(dev):,} for development")
    if torch.cuda.is_available():
        network.cuda()
    loss = round(train(network, rows, lambda batch: loss_of(network, batch), _varied), 3)
    said = said_of(network, dev)
    temperatures = temperatures_of(said, dev)
    measures = measure(said, dev, temperatures)
    facts: dict[str, Any] = {
        "messages": len(rows),
        "loss": loss,
        "temperatures": temperatures,
        "development": measures,
        "seconds": round(time.perf_counter() - start),
    }
    for lang, row in measures.items():
        print(f"{lang}: " + ", ".join(f"{name} {count}" for name, count in row.items()))
    save_result(network, facts, CARD)


def loss_of(network: "TrainedNetwork", batch: "Sequence[QuestionRow]") -> "torch.Tensor":
    """Return the sum of the layers' cross-entropies."""
    import torch
    from torch.nn import functional

    from assistant.intents.question_reader import starts_of, text_of

    texts = [text_of(network.tokenizer, row.text) for row in batch]
    states = network.states(texts)
    means = torch.stack([of.mean(dim=0) for of in states])
    # Each of several questions is read again by itself: whose account it is about is told then.
    single = [number for number, row in enumerate(batch) if not row.cuts]
    known = {
        "shape": (means, [row.shape for row in batch]),
        "account": (means[single], ["yes" if batch[n].account else "no" for n in single]),
        "parts": (means, ["several" if row.cuts else "one" for row in batch]),
    }
    smoothing = network.settings.smoothing
    loss = sum(
        functional.cross_entropy(
            network.layers[layer](of), network.numbers(layer, labels), label_smoothing=smoothing
        )
        for layer, (of, labels) in known.items()
        if labels
    )
    tokens, begins = [], []
    for row, text, of_text in zip(batch, texts, states, strict=True):
        for token, place in starts_of(network.tokenizer, text):
            tokens.append(of_text[token])
            begins.append("begins" if place in row.cuts else "goes_on")
    if tokens:
        logits = network.layers["cut"](torch.stack(tokens))
        loss = loss + CUT * functional.cross_entropy(logits, network.numbers("cut", begins))
    return torch.as_tensor(loss)


def _varied(row: "QuestionRow", chance: random.Random) -> "QuestionRow":
    """Return a message as it is, or in lower case and without its marks; places stay the same."""
    if chance.random() < VARIED:
        plain = "".join(" " if letter in "?!.,？！。，" else letter for letter in row.text.lower())
        if len(plain) == len(row.text) and plain.strip():
            row = replace(row, text=plain)
    return row


if __name__ == "__main__":
    sys.exit(main())
