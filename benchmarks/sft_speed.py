"""How fast the fine-tune is compared with TRL's defaults: ``python -m benchmarks.sft_speed``.

Runs the same rows, batch size and number of steps three times: ``SFTTrainer`` with its defaults
(all weights, activation checkpointing, the loss over every token), the same with this project's
LoRA, and ``tuning.sft``.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

PEAK = "the device's peak in teraflops per second, to print the share that is reached"


def main() -> int:
    """Print the table; return 1 if there are no rows."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sft_speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.sft_speed --config tuning/configs/sft_lora.yaml",
    )
    default = Path("tuning/configs/sft_lora.yaml")
    parser.add_argument("--config", type=Path, default=default, help="default: %(default)s")
    parser.add_argument("--steps", type=int, default=12, help="default: %(default)s")
    parser.add_argument("--peak", type=float, help=PEAK)
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args()
    from tuning.config_file import ConfigError
    from tuning.sft.config import SFTSettings
    from tuning.sft.row_reader import RowsError, read_rows

    try:
        with tempfile.TemporaryDirectory() as folder:
            settings = SFTSettings.load(
                given.config, max_steps=given.steps, output=Path(folder) / "out"
            )
            rows = read_rows(settings.rows)
            columns = ["trainer", "rows/s", "tokens/s", "of the defaults", "of the peak"]
            columns = columns if given.peak else columns[:-1]
            print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
            _print_all(settings, rows, given)
    except (ConfigError, RowsError) as error:
        print(f"sft_speed: {error}", file=sys.stderr)
        return 1
    return 0


def _print_all(settings: Any, rows: Any, given: argparse.Namespace) -> None:
    from tuning.sft.training import build_trainer

    first = 0.0
    for name in ("SFTTrainer as it comes", "SFTTrainer with LoRA", "tuning.sft"):
        trainer, _ = build_trainer(settings, rows, given.state)
        if name != "tuning.sft":
            trainer = _plain(trainer, settings, lora=name.endswith("LoRA"))
        weights = sum(weight.numel() for weight in trainer.model.parameters())
        speed = _measured(trainer)
        first = first or speed[1]
        cells = [f"{speed[0]:.2f}", f"{speed[1]:.0f}", f"{speed[1] / first:.2f}"]
        if given.peak:
            # Six operations per weight and token: two forward, four backward (Kaplan et al. 2020).
            cells.append(f"{6 * weights * speed[1] / (given.peak * 1e12):.1%}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _plain(trainer: Any, settings: Any, *, lora: bool) -> Any:
    """Return the library's trainer with its own settings, on the same rows."""
    from transformers import AutoModelForCausalLM
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from tuning.sft.peft_methods import peft_config

    source = trainer.model.get_base_model().config.name_or_path
    args = SFTConfig(
        output_dir=f"{trainer.args.output_dir}-plain",
        max_steps=settings.max_steps,
        per_device_train_batch_size=settings.batch,
        use_cpu=trainer.args.use_cpu,
        report_to="none",
        save_strategy="no",
    )
    return SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(source),
        args=args,
        train_dataset=trainer.train_dataset.select_columns(["prompt", "completion"]),
        processing_class=trainer.processing_class,
        peft_config=peft_config(settings, settings.max_steps) if lora else None,
    )


def _measured(trainer: Any) -> tuple[float, float]:
    """Return rows and tokens per second; padding is not counted."""
    from transformers import EarlyStoppingCallback

    trainer.pop_callback(EarlyStoppingCallback)
    trainer.args.eval_strategy = "no"
    trainer.args.save_strategy = "no"
    step, tokens = trainer.training_step, 0

    def counted(model: Any, inputs: Any, *rest: Any) -> Any:
        nonlocal tokens
        tokens += int(inputs["attention_mask"].sum())
        return step(model, inputs, *rest)

    trainer.training_step = counted
    done = trainer.train()
    return done.metrics["train_samples_per_second"], tokens / done.metrics["train_runtime"]


if __name__ == "__main__":
    sys.exit(main())
