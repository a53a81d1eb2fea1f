"""Fine-tunes the answering model: ``python -m tuning.sft --config FILE``.

Supervised fine-tuning with TRL's SFTTrainer and PEFT on the rows of ``tuning.dataset``; the loss
covers the completion only. Runs on one processor, one GPU, or several GPUs with
``accelerate launch --config_file tuning/configs/accelerate/fsdp.yaml -m tuning.sft --config FILE``.
Writes the adapter (or the model), tokenizer, metrics, a plot of the losses and a model card to the
config's ``output``, whole or not at all. Ctrl-C keeps the checkpoints; ``--resume`` continues from
the last one.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

# Keys of the configuration that are options too.
REPLACEABLE = ("base_model", "rows", "epochs", "max_steps", "output", "seed")


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and save.

    Returns:
        1 if configuration, rows or model cannot be used, 130 after Ctrl-C, else 0.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tuning.sft",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tuning.sft --config tuning/configs/sft_lora.yaml",
    )
    parser.add_argument("--config", type=Path, required=True, help="a YAML file")
    parser.add_argument("--base-model", help="replaces the config's")
    parser.add_argument("--rows", type=Path, help="replaces the config's")
    parser.add_argument("--epochs", type=float, help="replaces the config's")
    parser.add_argument("--max-steps", type=int, help="replaces the config's")
    parser.add_argument("--output", type=Path, help="replaces the config's")
    parser.add_argument("--seed", type=int, help="replaces the config's")
    parser.add_argument("--resume", action="store_true", help="continue from the last checkpoint")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    options = parser.parse_args(arguments)
    from tuning.config_file import ConfigError
    from tuning.sft.config import SERVING, SFTSettings
    from tuning.sft.row_reader import RowsError, read_rows

    try:
        settings = SFTSettings.load(
            options.config, **{name: getattr(options, name) for name in REPLACEABLE}
        )
        rows = read_rows(settings.rows)
        print(f"{settings.method}: {SERVING[settings.method]}")
        from tuning.sft.training import train

        train(settings, rows, options.state, resume=options.resume)
    except (ConfigError, RowsError) as error:
        print(f"sft: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"sft: expected a writable disk with free space for {settings.output}, found: {error}. "
            f"The checkpoints are kept; continue with --resume.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("sft: stopped. The checkpoints are kept; continue with --resume.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
