"""Trains what tells distress, harm and anger: ``python -m tuning.risks --config FILE``.

Learns from ``tuning/data/risks.*.jsonl``, messages written for it; calibrates and measures on
those of other authors. Runs on one processor or one GPU. Writes the adapter, the linear layer, its
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
    from tuning.risks.rows import RiskRow

NAME = "risks"
CARD = Path(__file__).with_name("card.md.jinja")
# The share of rows in training without the message before, and of those in lower case and without
# final punctuation.
BARE, VARIED = 0.2, 0.2


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

    from assistant.intents.risks import RISKS
    from assistant.policy import Policy
    from tuning.adapted_network.model_folder import save_result
    from tuning.adapted_network.training import TrainedNetwork, temperature_of, train
    from tuning.risks.measures import measure
    from tuning.risks.rows import everyday_rows, rows_of

    start = time.perf_counter()
    rows = rows_of("train") + everyday_rows()
    dev = rows_of("dev")
    network = TrainedNetwork(settings, {"risk": RISKS}, state)
    print(f"{len(rows):,} messages for training, {len(dev):,} for development")
    if torch.cuda.is_available():
        network.cuda()
    loss = round(train(network, rows, lambda batch: _loss(network, batch), _varied), 3)
    logits = network.logits("risk", _texts(network, dev))
    temperature = round(temperature_of(logits, [RISKS.index(row.kind) for row in dev]), 3)
    measures = measure(dev, logits, temperature)
    facts: dict[str, Any] = {
        "messages": len(rows),
        "loss": loss,
        "temperatures": {"risk": temperature},
        "development": measures,
        "seconds": round(time.perf_counter() - start),
    }
    for lang, kinds in measures.items():
        for kind, row in kinds.items():
            print(f"{lang} {kind}: " + ", ".join(f"{name} {count}" for name, count in row.items()))
    save_result(network, facts, CARD, crisis=Policy.crisis, harm=Policy.harm)


def _loss(network: "TrainedNetwork", batch: "Sequence[RiskRow]") -> "torch.Tensor":
    from torch.nn import functional

    logits = network.layers["risk"](network.means(_texts(network, batch)))
    kinds = network.numbers("risk", [row.kind for row in batch])
    return functional.cross_entropy(logits, kinds, label_smoothing=network.settings.smoothing)


def _texts(network: "TrainedNetwork", rows: "Sequence[RiskRow]") -> list[str]:
    from assistant.intents.risks import text_of

    return [text_of(network.tokenizer, row.text, row.before) for row in rows]


def _varied(row: "RiskRow", chance: random.Random) -> "RiskRow":
    if chance.random() < BARE:
        row = replace(row, before="")
    if chance.random() < VARIED:
        row = replace(row, text=row.text.lower().strip(" ?!.？！。") or row.text)
    return row


if __name__ == "__main__":
    sys.exit(main())
