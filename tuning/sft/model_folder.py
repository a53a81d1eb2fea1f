"""What a fine-tune leaves behind: weights, metrics, a picture of the losses, a model card."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuning.atomic_files import put_in_place, staged, write_json
from tuning.sft.config import SERVING, SFTSettings

CARD = Path(__file__).with_name("card.md.jinja")


def save_result(
    settings: SFTSettings,
    trainer: Any,
    weights: Mapping[str, Any],
    base: str,
    facts: dict[str, Any],
) -> None:
    """Write the result beside ``output`` and put it in place in one step; a former one gives way.

    Args:
        settings: What was asked for.
        trainer: With its best weights loaded.
        weights: All of its model's, by name.
        base: The base model's name, for the card.
        facts: ``rows`` trained on and ``seconds`` taken.

    Raises:
        OSError: The disk is full; a former result stays.
    """
    out = settings.output
    beside = staged(out)
    history = trainer.state.log_history
    metrics = {**facts, **_measures(history), "settings": settings.model_dump(mode="json")}
    trainer.model.save_pretrained(str(beside), state_dict=weights)
    trainer.processing_class.save_pretrained(str(beside))
    halve(beside / "adapter_model.safetensors")
    name_base(beside, base)
    write_json(beside / "metrics.json", metrics)
    _plot(history, beside / "loss.png")
    (beside / "README.md").write_text(_card(settings, base, metrics), encoding="utf-8")
    put_in_place(beside, out)
    if settings.push_to_hub:
        from huggingface_hub import HfApi

        HfApi().create_repo(settings.push_to_hub, exist_ok=True)
        HfApi().upload_folder(repo_id=settings.push_to_hub, folder_path=str(out))
    print(f"{settings.name}: {_line(metrics)}. Saved in {out}")


def _measures(history: list[dict[str, Any]]) -> dict[str, Any]:
    evaluated = [entry for entry in history if "eval_loss" in entry]
    best = max(evaluated, key=lambda e: (e.get("eval_right", 0), -e["eval_loss"]), default={})
    last: dict[str, Any] = next(
        (e for e in reversed(history) if "train_samples_per_second" in e), {}
    )
    return {
        "eval_loss": best.get("eval_loss"),
        "eval_right": best.get("eval_right"),
        "best_step": best.get("step"),
        "rows_per_second": last.get("train_samples_per_second"),
        "train_loss": last.get("train_loss"),
        "evaluations": evaluated,
    }


def _line(metrics: dict[str, Any]) -> str:
    right = metrics["eval_right"]
    judged = f", {right:.0%} of generated development answers right" if right is not None else ""
    return f"development loss {metrics['eval_loss']:.3f}{judged}, {metrics['seconds']} s"


def halve(file: Path) -> None:
    """Write weights in bfloat16, as they are served: half of the file; nothing where none are."""
    import torch
    from safetensors.torch import load_file, save_file

    if file.exists():
        halves = {name: weight.to(torch.bfloat16) for name, weight in load_file(file).items()}
        save_file(halves, file, metadata={"format": "pt"})


def name_base(folder: Path, base: str) -> None:
    """Write the base model's public name into the adapter instead of a folder of this machine."""
    config = folder / "adapter_config.json"
    if config.exists():
        data = json.loads(config.read_text(encoding="utf-8"))
        data["base_model_name_or_path"] = base
        write_json(config, data)


def _plot(history: list[dict[str, Any]], file: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4))
    left = figure.subplots()
    for key, name in (("loss", "training"), ("eval_loss", "development")):
        points = [(entry["step"], entry[key]) for entry in history if key in entry]
        if points:
            left.plot(*zip(*points, strict=True), label=f"{name} loss")
    left.set(xlabel="step", ylabel="loss of the completion, nats a token")
    right = [(e["step"], e["eval_right"]) for e in history if "eval_right" in e]
    if right:
        other = left.twinx()
        other.plot(*zip(*right, strict=True), "g--o", label="generated answers right")
        other.set(ylim=(0, 1), ylabel="share right")
        other.legend(loc="lower right")
    left.legend(loc="upper right")
    figure.savefig(file, dpi=110, bbox_inches="tight")


def _card(settings: SFTSettings, base: str, metrics: dict[str, Any]) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701  # Markdown
    template = environment.from_string(CARD.read_text(encoding="utf-8"))
    return template.render(
        settings=settings, base=base, metrics=metrics, serving=SERVING[settings.method]
    )
