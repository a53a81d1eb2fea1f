"""Trains a classifier of texts: ``python -m tuning.classifier --config FILE``.

``method: head`` fits a linear classifier on the frozen encoder's vectors in a minute or two; the
assistant loads it from ``weights/intents`` of a knowledge folder. ``full`` trains all weights of an
encoder, ``lora`` low-rank weights. Writes to the config's ``output``: safetensors, JSON, a model
card and ``report``, which shows correct and wrong predictions on the development data as JSON,
pictures and one page.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, report and save; return 1 if the configuration or the data cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.classifier",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tuning.classifier --config tuning/configs/sentiment.yaml",
    )
    parser.add_argument(
        "--config", type=Path, required=True, help="a YAML file; see tuning/configs"
    )
    parser.add_argument("--resume", action="store_true", help="continue from the last checkpoint")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    options = parser.parse_args(arguments)
    from tuning.classifier.config import ClassifierConfig
    from tuning.classifier.labelled_texts import DataError
    from tuning.classifier.training import load_data, train
    from tuning.config_file import ConfigError

    try:
        config = ClassifierConfig.load(options.config)
        data = load_data(config)
        print(
            f"{config.name}: {len(data.train)} training texts of "
            f"{len({row.label for row in data.train})} classes, {len(data.dev)} development texts; "
            f"{data.removed} training texts removed because they are held out"
        )
        train(config, data, options.state, resume=options.resume, source=options.config)
    except (ConfigError, DataError) as error:
        print(f"classifier: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
