"""Trains an adapter on its own slips: ``python -m tuning.preferences --config FILE``.

Direct preference optimisation with TRL, after ``tuning.sft``: the adapter answers training rows,
and where its answer is wrong or long-winded, it learns to prefer the row's. Writes the adapter,
tokenizer, metrics and a model card to the config's ``output``, whole or not at all. Stopped, it
goes on from its last checkpoint when it is called again.
"""

import sys
from collections.abc import Sequence

from tuning.training_command import parsed, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and save; return 1 if something cannot be used, 130 after Ctrl-C, else 0."""
    options = parsed("preferences", __doc__, arguments)
    from tuning.preferences.config import PreferenceSettings
    from tuning.preferences.training import train

    kept = "its pairs and checkpoints are kept"
    return run("preferences", options, PreferenceSettings, train, kept)


if __name__ == "__main__":
    sys.exit(main())
