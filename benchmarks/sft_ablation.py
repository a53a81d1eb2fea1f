"""What the answering model learns from what: ``python -m benchmarks.sft_ablation``.

A learning curve, what the rows of other companies, the declining rows and near distractors are
worth, and other methods beside LoRA. Each line is one short training on as many rows, judged by
the answers that it generates to the development companies' rows.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Name of the line, rows to learn from, what the rows are without, method.
LINES: tuple[tuple[str, int, tuple[str, ...], str], ...] = (
    ("lora", 60, (), "lora"),
    ("lora", 125, (), "lora"),
    ("lora", 250, (), "lora"),
    ("lora", 500, (), "lora"),
    ("one company alone", 60, ("others",), "lora"),
    ("without unanswerable", 250, ("unanswerable",), "lora"),
    ("without near distractors", 250, ("near",), "lora"),
    ("full", 250, (), "full"),
    ("ia3", 250, (), "ia3"),
    ("prompt", 250, (), "prompt"),
)
# All weights want smaller steps than few added ones; the fewest want larger ones.
RATES = {"full": 5e-5, "ia3": 5e-3, "prompt": 3e-2}
EPOCHS = 2


def main() -> int:
    """Print the table, a line as soon as it is known."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sft_ablation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.sft_ablation --judged 120 --only lora",
    )
    parser.add_argument("--config", type=Path, default=Path("tuning/configs/sft_lora.yaml"))
    parser.add_argument("--judged", type=int, default=120, help="development rows; default: 120")
    parser.add_argument("--only", help="lines with this name")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args()
    from knowledge.model_files import open_embedder

    embedder = open_embedder(None, given.state)
    print("| rows | learnt from | right | answers right | declines right |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        whole = _rows(Path(folder) / "whole", (), embedder)
        for name, count, without, method in LINES:
            if given.only and given.only != name:
                continue
            made = _rows(Path(folder) / "-".join(without), without, embedder) if without else whole
            found = _trained(given, made, whole, count, method, Path(folder) / "out")
            print(f"| {name} | {count} | {' | '.join(f'{s:.0%}' for s in found)} |", flush=True)
    return 0


def _rows(out: Path, without: Sequence[str], embedder: Any) -> Path:
    from tuning.dataset import write_rows

    if not out.exists():
        left = ["xquad", *without]
        write_rows(
            argparse.Namespace(out=out, languages=["en"], xquad=0, without=left, seed=0), embedder
        )
    return out


def _trained(
    given: argparse.Namespace, made: Path, whole: Path, count: int, method: str, out: Path
) -> list[float]:
    """Return the shares of all judged rows, of those that answer, and of those that decline."""
    from tuning.sft_config import SFTSettings
    from tuning.sft_rows import ReadRows, is_right, read_rows
    from tuning.sft_training import build_trainer, declines, generate

    settings = SFTSettings.load(given.config, method=method, max_rows=count, output=out)
    rate = RATES.get(method, settings.learning_rate)
    settings = settings.model_copy(
        update={"learning_rate": rate, "epochs": EPOCHS, "generated": 0, "evaluations": 1}
    )
    # What is left out of training is still asked for.
    judged = read_rows(whole).dev[: given.judged]
    trainer, _ = build_trainer(settings, ReadRows(read_rows(made).train, judged), given.state)
    trainer.args.save_strategy = "no"
    trainer.args.load_best_model_at_end = False
    trainer.train()
    said = generate(trainer.model, trainer.processing_class, judged)
    shutil.rmtree(str(trainer.args.output_dir), ignore_errors=True)
    texts = [row["completion"][0]["content"] for row in judged]
    right = [is_right(a, b, declines()) for a, b in zip(said, texts, strict=True)]
    answers, refusals = (
        [good for good, text in zip(right, texts, strict=True) if (text in declines()) == no]
        for no in (False, True)
    )
    return [sum(part) / len(part) for part in (right, answers, refusals)]


if __name__ == "__main__":
    sys.exit(main())
