"""Trains what tells yes from no: ``python -m tuning.verdicts --config FILE``.

Learns from ``tuning/data/verdicts.*.jsonl``, help pages with questions written for it, and from the
companies' questions; calibrates and measures on questions of other authors about other pages. Runs
on one processor or one GPU. Writes the adapter, the linear layer, its facts and a model card to the
config's ``output``, whole or not at all.
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
    from tuning.verdicts.rows import VerdictRow

CARD = Path(__file__).with_name("card.md.jinja")
# The share of questions in training in lower case and without final punctuation.
VARIED = 0.2


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure and save; see ``command``."""
    return command("verdicts", __doc__, arguments, _task)


def _task() -> "Task[VerdictRow]":
    from assistant.evidence.verdict import VERDICTS
    from tuning.verdicts.rows import dev_rows, verdict_rows

    return Task(
        labels={"verdict": VERDICTS},
        unit="questions",
        rows=verdict_rows(),
        dev=dev_rows(),
        loss=_loss,
        varied=_varied,
        measured=_measured,
        card=CARD,
    )


def _measured(
    network: "TrainedNetwork", dev: "Sequence[VerdictRow]"
) -> tuple[Mapping[str, float], Measures]:
    from assistant.evidence.verdict import VERDICTS
    from tuning.adapted_network.training import temperature_of
    from tuning.verdicts.measures import measure

    logits = network.logits("verdict", _texts(network, dev))
    temperature = temperature_of(logits, [VERDICTS.index(row.verdict) for row in dev])
    return {"verdict": round(temperature, 3)}, measure(dev, logits, temperature)


def _loss(network: "TrainedNetwork", batch: "Sequence[VerdictRow]") -> "torch.Tensor":
    vectors = network.means(_texts(network, batch))
    return network.loss("verdict", vectors, [row.verdict for row in batch])


def _texts(network: "TrainedNetwork", rows: "Sequence[VerdictRow]") -> list[tuple[str, str]]:
    from assistant.evidence.verdict import pair_of

    return [pair_of(network.tokenizer, row.question, row.title, row.said) for row in rows]


def _varied(row: "VerdictRow", chance: random.Random) -> "VerdictRow":
    return replace(row, question=lowered(row.question)) if chance.random() < VARIED else row


if __name__ == "__main__":
    sys.exit(main())
