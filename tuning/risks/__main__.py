"""Trains what tells distress, harm and anger: ``python -m tuning.risks --config FILE``.

Learns from ``tuning/data/risks.*.jsonl``, messages written for it; calibrates and measures on
those of other authors. Runs on one processor or one GPU. Writes the adapter, the linear layer, its
facts and a model card to the config's ``output``, whole or not at all.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuning.training_command import parsed, run

if TYPE_CHECKING:
    from tuning.risks.config import RiskSettings

NAME = "risks"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure and save.

    Returns:
        1 if something cannot be used, 130 after Ctrl-C, else 0.
    """
    options = parsed(NAME, __doc__, arguments)
    from tuning.risks.config import RiskSettings

    return run(NAME, options, RiskSettings, _train)


def _train(settings: "RiskSettings", state: Path) -> None:
    import torch

    from tuning.risks.measures import measure
    from tuning.risks.model_folder import save_result
    from tuning.risks.rows import everyday_rows, rows_of
    from tuning.risks.training import RiskNetwork, logits_of, temperature_of, train

    start = time.perf_counter()
    rows = rows_of("train") + everyday_rows()
    dev = rows_of("dev")
    network = RiskNetwork(settings, state)
    print(f"{len(rows):,} messages for training, {len(dev):,} for development")
    if torch.cuda.is_available():
        network.cuda()
    facts: dict[str, Any] = {"messages": len(rows), "loss": round(train(network, rows), 3)}
    logits = logits_of(network, dev)
    facts["temperature"] = round(temperature_of(logits, dev), 3)
    facts["development"] = measure(dev, logits, facts["temperature"])
    facts["seconds"] = round(time.perf_counter() - start)
    save_result(network, facts)


if __name__ == "__main__":
    sys.exit(main())
