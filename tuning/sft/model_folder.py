"""Saves the result of a fine-tune: weights, metrics, a plot of the losses, a model card."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuning.atomic_files import put_in_place, staged, write_json
from tuning.page_templates import render
from tuning.sft.config import SERVING, SFTSettings

CARD = Path(__file__).with_name("card.md.jinja")


def save_result(
    settings: SFTSettings,
    trainer: Any,
    weights: Mapping[str, Any],
    base: str,
    facts: dict[str, Any],
) -> None:
    """Write the result to ``output``, whole or not at all; it replaces a previous one.

    Args:
        settings: The configuration.
        trainer: The trainer, with its best weights loaded.
        weights: All weights of its model, by name.
        base: The base model's name, for the card.
        facts: The number of training ``rows`` and the ``seconds`` taken.

    Raises:
        OSError: The disk is full; the previous result stays.
    """
    staging = staged(settings.output)
    history = trainer.state.log_history
    metrics = {**facts, **_measures(history), "settings": settings.model_dump(mode="json")}
    trainer.model.save_pretrained(str(staging), state_dict=weights)
    trainer.processing_class.save_pretrained(str(staging))
    halve(staging / "adapter_model.safetensors")
    name_base(staging, base)
    write_json(staging / "metrics.json", metrics)
    _plot(history, staging / "loss.png")
    (staging / "README.md").write_text(_card(settings, base, metrics), encoding="utf-8")
    put_in_place(staging, settings.output)
    print(f"{settings.name}: {_line(metrics)}. Saved in {settings.output}")


def _measures(history: list[dict[str, Any]]) -> dict[str, Any]:
    evaluations = [entry for entry in history if "eval_loss" in entry]
    best = max(evaluations, key=lambda e: (e.get("eval_right", 0), -e["eval_loss"]), default={})
    last: dict[str, Any] = next(
        (e for e in reversed(history) if "train_samples_per_second" in e), {}
    )
    return {
        "eval_loss": best.get("eval_loss"),
        "eval_right": best.get("eval_right"),
        "best_step": best.get("step"),
        "rows_per_second": last.get("train_samples_per_second"),
        "train_loss": last.get("train_loss"),
        "evaluations": evaluations,
    }


def _line(metrics: dict[str, Any]) -> str:
    right = metrics["eval_right"]
    share = f", {right:.0%} of the generated development answers right" if right is not None else ""
    return f"development loss {metrics['eval_loss']:.3f}{share}, {metrics['seconds']} s"


def halve(file: Path) -> None:
    """Convert a weights file to bfloat16, as the product uses it; do nothing if it is missing."""
    import torch
    from safetensors.torch import load_file, save_file

    if file.exists():
        weights = {name: weight.to(torch.bfloat16) for name, weight in load_file(file).items()}
        save_file(weights, file, metadata={"format": "pt"})


def staged_adapter(network: Any, output: Path, base: str) -> Path:
    """Write a trained adapter in half precision to a staging folder, and return the folder.

    Args:
        network: The network with the adapter.
        output: Where the folder is put later.
        base: The public name of the weights that the adapter fits.
    """
    staging = staged(output)
    network.save_pretrained(str(staging))
    halve(staging / "adapter_model.safetensors")
    name_base(staging, base)
    return staging


def name_base(folder: Path, base: str) -> None:
    """Replace the local folder of the base model in an adapter with the model's public name."""
    config = folder / "adapter_config.json"
    if config.exists():
        data = json.loads(config.read_text(encoding="utf-8"))
        data["base_model_name_or_path"] = base
        write_json(config, data)


def _plot(history: list[dict[str, Any]], file: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4))
    losses = figure.subplots()
    for key, name in (("loss", "training"), ("eval_loss", "development")):
        points = [(entry["step"], entry[key]) for entry in history if key in entry]
        if points:
            losses.plot(*zip(*points, strict=True), label=f"{name} loss")
    losses.set(xlabel="step", ylabel="loss of the completion, nats per token")
    right = [(e["step"], e["eval_right"]) for e in history if "eval_right" in e]
    if right:
        shares = losses.twinx()
        shares.plot(*zip(*right, strict=True), "g--o", label="generated answers right")
        shares.set(ylim=(0, 1), ylabel="share of right answers")
        shares.legend(loc="lower right")
    losses.legend(loc="upper right")
    figure.savefig(file, dpi=110, bbox_inches="tight")


def _card(settings: SFTSettings, base: str, metrics: dict[str, Any]) -> str:
    return render(
        CARD, settings=settings, base=base, metrics=metrics, serving=SERVING[settings.method]
    )
