"""Trains what tells distress, harm and anger: ``python -m tuning.risks --config FILE``.

Learns from ``tuning/data/risks.*.jsonl``, messages written for it; calibrates and measures on
those of other authors. Runs on one processor or one GPU. Writes the adapter, the linear layer, its
facts and a model card to the config's ``output``, whole or not at all.
"""

import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tuning.adapted_network.task import Measures, Task, command, lowered

if TYPE_CHECKING:
    import torch

    from tuning.adapted_network.training import TrainedNetwork
    from tuning.risks.rows import RiskRow

CARD = Path(__file__).with_name("card.md.jinja")
# The share of rows in training without the message before, and of those in lower case and without
# final punctuation.
BARE, VARIED = 0.2, 0.2


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure and save; see ``command``."""
    return command("risks", __doc__, arguments, _task)


def _task() -> "Task[RiskRow]":
    from assistant.intents.risks import RISKS
    from assistant.policy import Policy
    from tuning.risks.rows import everyday_rows, rows_of

    return Task(
        labels={"risk": RISKS},
        unit="messages",
        rows=rows_of("train") + everyday_rows(),
        dev=rows_of("dev"),
        loss=_loss,
        varied=_varied,
        measured=_measured,
        card=CARD,
        told={"crisis": Policy.crisis, "harm": Policy.harm},
    )


def _measured(
    network: "TrainedNetwork", dev: "Sequence[RiskRow]"
) -> tuple[Mapping[str, float], Measures]:
    from assistant.intents.risks import RISKS
    from tuning.adapted_network.training import temperature_of
    from tuning.risks.measures import measure

    logits = network.logits("risk", _texts(network, dev))
    temperature = round(temperature_of(logits, [RISKS.index(row.kind) for row in dev]), 3)
    return {"risk": temperature}, measure(dev, logits, temperature)


def _loss(network: "TrainedNetwork", batch: "Sequence[RiskRow]") -> "torch.Tensor":
    return network.loss("risk", network.means(_texts(network, batch)), [r.kind for r in batch])


def _texts(network: "TrainedNetwork", rows: "Sequence[RiskRow]") -> list[str]:
    from assistant.intents.risks import text_of

    return [text_of(network.tokenizer, row.text, row.before) for row in rows]


def _varied(row: "RiskRow", chance: random.Random) -> "RiskRow":
    if chance.random() < BARE:
        row = replace(row, before="")
    if chance.random() < VARIED:
        row = replace(row, text=lowered(row.text))
    return row


if __name__ == "__main__":
    sys.exit(main())
