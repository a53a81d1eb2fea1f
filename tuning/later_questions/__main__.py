"""Trains how later messages are read: ``python -m tuning.later_questions --config FILE``.

A span embedder that ships learns to encode a message together with the turn before it. It learns
from this project's conversations and, if FRONTDESK_DATA names the public data, from others; and
from turns made by rule, which ``python -m tuning.evidence_model --make`` writes. Runs on processors
or one GPU. Measures on the development conversations, and writes the adapter, its facts and a model
card to the config's ``output``, whole or not at all.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuning.later_questions.config import LaterSettings
    from tuning.later_questions.rows import LaterRow
    from tuning.span_embedder.cases import Corpus

REPLACEABLE = ("epochs", "max_steps", "output", "seed")


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure and save.

    Returns:
        1 if something cannot be used, 130 after Ctrl-C, else 0.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tuning.later_questions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m tuning.later_questions "
        "--config tuning/configs/later_questions.yaml",
    )
    parser.add_argument("--config", type=Path, required=True, help="a YAML file")
    parser.add_argument("--epochs", type=float, help="replaces the config's")
    parser.add_argument("--max-steps", type=int, help="replaces the config's")
    parser.add_argument("--output", type=Path, help="replaces the config's")
    parser.add_argument("--seed", type=int, help="replaces the config's")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    options = parser.parse_args(arguments)
    from knowledge.errors import KnowledgeError
    from tuning.config_file import ConfigError
    from tuning.later_questions.config import LaterSettings

    try:
        changed = {name: getattr(options, name) for name in REPLACEABLE}
        _train(LaterSettings.load(options.config, **changed), options.state)
    except (ConfigError, KnowledgeError, ValueError, OSError) as error:
        print(f"later_questions: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("later_questions: stopped; nothing was written.", file=sys.stderr)
        return 130
    return 0


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
