"""Trains what tells the form of a question, and two of them apart: ``python -m tuning.questions``.

Learns from ``tuning/data/questions.*.jsonl``, messages written for it; calibrates and measures on
those of other authors. Runs on one processor or one GPU. Writes the adapter, the linear layers, its
facts and a model card to the config's ``output``, whole or not at all.
"""

import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tuning.adapted_network.task import Measures, Task, command

if TYPE_CHECKING:
    import torch

    from tuning.adapted_network.training import TrainedNetwork
    from tuning.questions.rows import QuestionRow

CARD = Path(__file__).with_name("card.md.jinja")
# The share of rows in training in lower case and without punctuation.
VARIED = 0.2
# The weight of the words' losses: few of them begin a question or name a side.
WORDS = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure and save; see ``command``."""
    return command("questions", __doc__, arguments, _task)


def _task() -> "Task[QuestionRow]":
    from assistant.intents.question_reader import LABELS
    from tuning.questions.rows import question_rows

    return Task(
        labels=LABELS,
        unit="messages",
        rows=question_rows("train"),
        dev=question_rows("dev"),
        loss=_loss,
        varied=_varied,
        measured=_measured,
        card=CARD,
    )


def _measured(
    network: "TrainedNetwork", dev: "Sequence[QuestionRow]"
) -> tuple[Mapping[str, float], Measures]:
    from tuning.questions.measures import measure, said_of, temperatures_of

    said = said_of(network, dev)
    temperatures = temperatures_of(said, dev)
    return temperatures, measure(said, dev, temperatures)


def _loss(network: "TrainedNetwork", batch: "Sequence[QuestionRow]") -> "torch.Tensor":
    """Return the sum of the layers' cross-entropies."""
    import torch
    from torch.nn import functional

    from assistant.intents.question_reader import places_of, starts_of, text_of

    texts = [text_of(network.tokenizer, row.text) for row in batch]
    states = network.states(texts)
    means = torch.stack([of.mean(dim=0) for of in states])
    # Each of several questions is read again by itself: whose account it is about is told then.
    single = [n for n, row in enumerate(batch) if not row.cuts and row.account is not None]
    counted = [number for number, row in enumerate(batch) if row.cuts is not None]
    loss = network.loss("shape", means, [row.shape for row in batch])
    if counted:
        parts = ["several" if batch[number].cuts else "one" for number in counted]
        loss = loss + network.loss("parts", means[counted], parts)
    if single:
        own = ["yes" if batch[number].account else "no" for number in single]
        loss = loss + network.loss("account", means[single], own)
    # What each word is told to be, by layer, with its vector.
    words: dict[str, list[tuple[torch.Tensor, str]]] = {"cut": [], "side": []}
    for row, text, of_text in zip(batch, texts, states, strict=True):
        if row.cuts is not None:
            words["cut"] += [
                (of_text[token], "begins" if place in row.cuts else "goes_on")
                for token, place in starts_of(network.tokenizer, text)
            ]
        if row.sides is not None:
            words["side"] += [
                (of_text[token], "yes" if any(side.holds(place) for side in row.sides) else "no")
                for token, place in enumerate(places_of(network.tokenizer, text))
                if place.start < place.end
            ]
    for layer, told in words.items():
        if told:
            vectors, labels = zip(*told, strict=True)
            logits = network.layers[layer](torch.stack(vectors))
            loss = loss + WORDS * functional.cross_entropy(logits, network.numbers(layer, labels))
    return loss


def _varied(row: "QuestionRow", chance: random.Random) -> "QuestionRow":
    """Return a message as it is, or in lower case and without its marks; places stay the same."""
    if chance.random() < VARIED:
        plain = "".join(" " if letter in "?!.,？！。，" else letter for letter in row.text.lower())
        if len(plain) == len(row.text) and plain.strip():
            row = replace(row, text=plain)
    return row


if __name__ == "__main__":
    sys.exit(main())
