"""What the training of the evidence model leaves behind: adapter, head, metrics, model card."""

from pathlib import Path
from typing import Any

from assistant.evidence.evidence_model import FACTS, HEAD
from tuning.atomic_files import put_in_place, staged, write_json, write_text
from tuning.evidence_model.config import EvidenceSettings
from tuning.sft.model_folder import halve, name_base

CARD = Path(__file__).with_name("card.md.jinja")


def save_result(settings: EvidenceSettings, model: Any, base: str, facts: dict[str, Any]) -> None:
    """Write the result beside ``output`` and put it in place in one step; a former one gives way.

    Args:
        settings: What was asked for.
        model: The trained one.
        base: The base model's public name.
        facts: For the card, ``development`` among them.

    Raises:
        OSError: The disk is full; a former result stays.
    """
    from safetensors.torch import save_file

    beside = staged(settings.output)
    model.body.save_pretrained(str(beside))
    for file in beside.glob("*.safetensors"):
        halve(file)
    if model.causal:
        _deepen(beside / "adapter_model.safetensors")
    name_base(beside, base)
    head = {n: weight.detach().cpu().contiguous() for n, weight in model.head.named_parameters()}
    save_file(head, beside / HEAD)
    shown = settings.model_dump(mode="json")
    write_facts(beside, {**facts, "base": base, "causal": model.causal, "settings": shown})
    put_in_place(beside, settings.output)
    print(f"{settings.name}: {facts['seconds']} s. Saved in {settings.output}")


def _deepen(file: Path) -> None:
    """Name an adapter's weights as they are served: below the layer that names words."""
    from safetensors.torch import load_file, save_file

    if file.exists():
        inner = "base_model.model."
        weights = {n.replace(inner, f"{inner}model.", 1): w for n, w in load_file(file).items()}
        save_file(weights, file, metadata={"format": "pt"})


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write what is known of the weights beside them, the model card too, and print the worth."""
    from jinja2 import Environment, StrictUndefined

    write_json(folder / FACTS, facts)
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701  # Markdown
    template = environment.from_string(CARD.read_text(encoding="utf-8"))
    write_text(folder / "README.md", template.render(facts=facts, settings=facts["settings"]))
    for lang, worth in facts["development"].items():
        print(f"{lang}: " + ", ".join(f"{key} {value:.4g}" for key, value in worth.items()))
