"""Which rows and methods improve the answering model: ``python -m benchmarks.sft_ablation``.

Measures a learning curve, the effect of the rows of other companies, of declining rows and of near
distractors, and other methods than LoRA. Each line is one short training on that many rows, judged
by the answers that the model generates for the development companies' rows.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Line(NamedTuple):
    """One training: its name, its number of rows, and what is different."""

    name: str
    rows: int
    without: tuple[str, ...] = ()
    method: str = "lora"
    kinds: tuple[str, ...] = ()


ANSWERING = ("answer", "two_questions", "injection", "history", "follow_up")
LINES = (
    Line("lora", 60),
    Line("lora", 125),
    Line("lora", 250),
    Line("lora", 500),
    Line("lora", 1000),
    Line("lora", 2000),
    Line("lora", 3000),
    Line("one company alone", 60, ("others",)),
    Line("without unanswerable", 250, kinds=ANSWERING),
    Line("without near distractors", 250, ("near",)),
    Line("full", 500, method="full"),
    Line("dora", 500, method="dora"),
    Line("ia3", 500, method="ia3"),
    Line("prompt", 500, method="prompt"),
)
# Training all weights needs smaller steps than LoRA, training very few weights larger ones.
RATES = {"full": 5e-5, "ia3": 5e-3, "prompt": 3e-2}
EPOCHS = 2


def main() -> int:
    """Print the table line by line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sft_ablation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.sft_ablation --judged 240 --only lora",
    )
    parser.add_argument("--config", type=Path, default=Path("tuning/configs/sft_lora.yaml"))
    parser.add_argument("--judged", type=int, default=240, help="development rows; default: 240")
    parser.add_argument("--only", help="run only the lines with this name")
    parser.add_argument("--rows", type=Path, help="a folder that keeps the rows for the next run")
    parser.add_argument("--rows-alone", action="store_true", help="make the rows and stop")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args()
    lines = [line for line in LINES if given.only in (None, line.name)]
    with tempfile.TemporaryDirectory() as folder:
        kept = given.rows or Path(folder)
        whole = _rows(kept, Line("whole", 0), given.state)
        made = [_rows(kept, line, given.state) for line in lines]
        if given.rows_alone:
            return 0
        print("| trained on | rows | right | answers right | declines right | AUROC of decline |")
        print("| --- | --- | --- | --- | --- | --- |", flush=True)
        for line, rows in zip(lines, made, strict=True):
            *shares, area = _trained(given, line, rows, whole, Path(folder) / "out")
            told = " | ".join(f"{share:.0%}" for share in shares)
            print(f"| {line.name} | {line.rows} | {told} | {area:.2f} |", flush=True)
    return 0


def _rows(folder: Path, line: Line, state: Path) -> Path:
    from knowledge.models.model_files import open_embedder
    from tuning.dataset.row_files import write_rows

    left = ["xquad", "abcd", *line.without]
    out = folder / f"rows-{'-'.join(left)}"
    if not (out / "report.json").exists():  # written last
        write_rows(out, open_embedder(None, state), languages=["en"], without=left)
    return out


def _trained(
    given: argparse.Namespace, line: Line, made: Path, whole: Path, out: Path
) -> list[float]:
    """Return the shares of right answers, and the AUROC of the probability of a decline.

    The shares are those of all rows, of rows that answer, and of rows that decline.
    """
    import numpy as np
    from sklearn.metrics import roc_auc_score

    from tuning.sft.config import SFTSettings
    from tuning.sft.generated_answers import declines, generate, is_right
    from tuning.sft.row_reader import RowParts, read_rows
    from tuning.sft.training import build_trainer

    settings = SFTSettings.load(given.config, method=line.method, max_rows=line.rows, output=out)
    rate = RATES.get(line.method, settings.learning_rate)
    settings = settings.model_copy(
        update={
            "learning_rate": rate,
            "epochs": EPOCHS,
            "generated": 0,
            "evaluations": 1,
            "kinds": line.kinds,
        }
    )
    # The development rows keep what training leaves out.
    judged = read_rows(whole).dev[: given.judged]
    trainer, _ = build_trainer(settings, RowParts(read_rows(made).train, judged), given.state)
    trainer.args.save_strategy = trainer.args.logging_strategy = "no"
    trainer.args.load_best_model_at_end = False
    trainer.train()
    said = generate(trainer.model, trainer.processing_class, judged)
    doubts = _doubts(trainer.model, trainer.processing_class, judged, declines()[0])
    shutil.rmtree(str(trainer.args.output_dir), ignore_errors=True)
    texts = [row["completion"][0]["content"] for row in judged]
    declined = np.array([text in declines() for text in texts])
    right = np.array([is_right(a, b, declines()) for a, b in zip(said, texts, strict=True)])
    shares = [float(part.mean()) for part in (right, right[~declined], right[declined])]
    return [*shares, float(roc_auc_score(declined, doubts))]


def _doubts(model: Any, tokenizer: Any, rows: Sequence[dict[str, Any]], text: str) -> list[float]:
    """Return the log probability of a decline in each row, in nats."""
    import torch

    model.eval()
    said = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    said = said.to(model.device)
    doubts = []
    for row in rows:
        prompt = tokenizer.apply_chat_template(
            row["prompt"], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )["input_ids"].to(model.device)
        with torch.inference_mode():
            logits = model(input_ids=torch.cat([prompt, said], dim=1)).logits
        chances = logits[0, -said.shape[1] - 1 : -1].float().log_softmax(-1)
        doubts.append(float(chances.gather(1, said[0, :, None]).sum()))
    return doubts


if __name__ == "__main__":
    sys.exit(main())
