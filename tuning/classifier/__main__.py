"""Trains a classifier of texts: ``python -m tuning.classifier --config FILE``.

``method: head`` fits a linear classifier on the frozen encoder's vectors, in a minute or two; the
assistant takes it from ``weights/intents`` of a knowledge folder. ``full`` tunes all of an encoder,
``lora`` low-rank weights beside it. Written to the config's ``output``: safetensors, JSON, a model
card and, in ``report``, what it gets right and wrong on the development data, as JSON, pictures and
one page.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, report and save; 1 where the configuration or the data cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.classifier",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tuning.classifier --config tuning/configs/sentiment.yaml",
    )
    parser.add_argument(
        "--config", type=Path, required=True, help="a YAML file; see tuning/configs"
    )
    parser.add_argument("--output", type=Path, help="a folder, instead of the config's")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args(arguments)
    from tuning.classifier.config import ClassifierConfig
    from tuning.classifier.labelled_texts import DataError
    from tuning.classifier.training import prepared, train
    from tuning.config_file import ConfigError

    try:
        config = ClassifierConfig.load(given.config)
        if given.output:
            config = config.model_copy(update={"output": given.output})
        data = prepared(config)
        print(
            f"{config.name}: {len(data.train)} texts of {len({r.label for r in data.train})} "
            f"classes to learn from, {len(data.dev)} to judge by; {data.leaked} left out because "
            f"their words are held out"
        )
        train(config, data, given.state, resume=given.resume, source=given.config)
    except (ConfigError, DataError) as error:
        print(f"classifier: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
