"""Supervised fine-tuning of the answering model: ``python -m tuning.sft --config FILE``.

TRL's SFTTrainer with PEFT over the rows of ``tuning.dataset``; the loss counts the completion
alone. On one processor, one GPU, or many with ``accelerate launch --config_file
tuning/configs/accelerate/fsdp.yaml -m tuning.sft --config FILE``. Written to the config's
``output``, whole or not at all: the adapter (or the model), tokenizer, metrics, a picture of the
losses and a model card. Ctrl-C keeps the checkpoints; ``--resume`` goes on from the last.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and save; 1 where configuration, rows or model cannot be used, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.sft",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tuning.sft --config tuning/configs/sft_lora.yaml --epochs 1",
    )
    parser.add_argument("--config", type=Path, required=True, help="a YAML file")
    parser.add_argument("--method", help="instead of the config's, such as lora or full")
    parser.add_argument("--base-model", help="instead of the config's")
    parser.add_argument("--rows", type=Path, help="instead of the config's")
    parser.add_argument("--epochs", type=float, help="instead of the config's")
    parser.add_argument("--max-rows", type=int, help="instead of the config's")
    parser.add_argument("--max-steps", type=int, help="instead of the config's")
    parser.add_argument("--seed", type=int, help="instead of the config's")
    parser.add_argument("--output", type=Path, help="instead of the config's")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = vars(parser.parse_args(arguments))
    file, resume, state = given.pop("config"), given.pop("resume"), given.pop("state")
    from tuning.config_file import ConfigError
    from tuning.sft.config import SERVING, SFTSettings
    from tuning.sft.row_reader import RowsError, read_rows

    try:
        settings = SFTSettings.load(file, **given)
        rows = read_rows(settings.rows)
        print(f"{settings.method}: {SERVING[settings.method]}")
        from tuning.sft.training import train

        train(settings, rows, state, resume=resume)
    except (ConfigError, RowsError) as error:
        print(f"sft: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"sft: expected room and leave to write in {settings.output}, found: {error}. "
            f"Checkpoints stay; go on with --resume.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("sft: stopped. Checkpoints stay; go on with --resume.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
