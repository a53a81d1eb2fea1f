"""Trains what tells yes from no: ``python -m tuning.verdicts --config FILE``.

Learns from ``tuning/data/verdicts.*.jsonl``, help pages with questions written for it, and from the
companies' questions; calibrates and measures on questions of other authors about other pages. Runs
on one processor or one GPU. Writes the adapter, the linear layer, its facts and a model card to the
config's ``output``, whole or not at all.
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
    from tuning.verdicts.rows import VerdictRow

NAME = "verdicts"
CARD = Path(__file__).with_name("card.md.jinja")
# The share of questions in training in lower case and without final punctuation.
VARIED = 0.2


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

    from assistant.evidence.verdict import VERDICTS
    from tuning.adapted_network.model_folder import save_result
    from tuning.adapted_network.training import TrainedNetwork, temperature_of, train
    from tuning.verdicts.measures import measure
    from tuning.verdicts.rows import dev_rows, verdict_rows

    start = time.perf_counter()
    rows, dev = verdict_rows(), dev_rows()
    network = TrainedNetwork(settings, {"verdict": VERDICTS}, state)
    print(f"{len(rows):,} questions for training, {len(dev):,} for development")
    if torch.cuda.is_available():
        network.cuda()
    loss = round(train(network, rows, lambda batch: _loss(network, batch), _varied), 3)
    logits = network.logits("verdict", _texts(network, dev))
    temperature = temperature_of(logits, [VERDICTS.index(row.verdict) for row in dev])
    measures = measure(dev, logits, temperature)
    facts: dict[str, Any] = {
        "questions": len(rows),
        "loss": loss,
        "temperatures": {"verdict": round(temperature, 3)},
        "development": measures,
        "seconds": round(time.perf_counter() - start),
    }
    for lang, row in measures.items():
        print(f"{lang}: " + ", ".join(f"{name} {count}" for name, count in row.items()))
    save_result(network, facts, CARD)


def _loss(network: "TrainedNetwork", batch: "Sequence[VerdictRow]") -> "torch.Tensor":
    from torch.nn import functional

    logits = network.layers["verdict"](network.means(_texts(network, batch)))
    verdicts = network.numbers("verdict", [row.verdict for row in batch])
    return functional.cross_entropy(logits, verdicts, label_smoothing=network.settings.smoothing)


def _texts(network: "TrainedNetwork", rows: "Sequence[VerdictRow]") -> list[tuple[str, str]]:
    from assistant.evidence.verdict import pair_of

    return [pair_of(network.tokenizer, row.question, row.title, row.said) for row in rows]


def _varied(row: "VerdictRow", chance: random.Random) -> "VerdictRow":
    if chance.random() < VARIED:
        row = replace(row, question=row.question.lower().strip(" ?!.？！。") or row.question)
    return row


if __name__ == "__main__":
    sys.exit(main())
