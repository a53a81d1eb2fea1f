"""Trains how later messages are read: ``python -m tuning.later_questions --config FILE``.

A span embedder that ships learns to encode a message together with the turn before it. It learns
from this project's conversations and, if FRONTDESK_DATA names the public data, from others; and
from turns made by rule, which ``python -m tuning.evidence_model --make`` writes. Runs on processors
or one GPU. Measures on the development conversations, and writes the adapter, its facts and a model
card to the config's ``output``, whole or not at all.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuning.training_command import parsed, run

if TYPE_CHECKING:
    from tuning.later_questions.config import LaterSettings
    from tuning.later_questions.rows import LaterRow
    from tuning.span_embedder.cases import Corpus

NAME = "later_questions"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure and save.

    Returns:
        1 if something cannot be used, 130 after Ctrl-C, else 0.
    """
    options = parsed(NAME, __doc__, arguments)
    from tuning.later_questions.config import LaterSettings

    return run(NAME, options, LaterSettings, _train)


def _train(settings: "LaterSettings", state: Path) -> None:
    import torch

    from tuning.later_questions.frozen_vectors import FrozenVectors
    from tuning.later_questions.later_network import LaterNetwork
    from tuning.later_questions.measures import development
    from tuning.later_questions.model_folder import save_result
    from tuning.later_questions.rows import WRITTEN, training_rows, written_rows
    from tuning.later_questions.training import train

    start = time.perf_counter()
    corpora: dict[str, Corpus] = {}
    written, made = training_rows(settings, corpora)
    facts: dict[str, Any] = {
        "written": len(written) // WRITTEN,
        "made": len(made),
        "companies": len({row.corpus for row in written + made}),
    }
    dev: dict[str, Sequence[LaterRow]] = {
        lang: written_rows("dev", lang, corpora) for lang in settings.languages
    }
    network = LaterNetwork(settings, state)
    print(f"{facts['written']} written turns and {facts['made']} made by rule")
    frozen = FrozenVectors.of(network.embedder, corpora, written)
    if torch.cuda.is_available():
        network.network.cuda()
    facts["loss"] = round(train(network, written + made, frozen), 3)
    facts["development"] = development(network, dev, frozen)
    facts["seconds"] = round(time.perf_counter() - start)
    save_result(network, facts)


if __name__ == "__main__":
    sys.exit(main())
