"""Saves the trained evidence model: adapter, linear layer, measures, model card."""

import json
from pathlib import Path
from typing import Any

from assistant.evidence.evidence_model import FACTS, LINEAR_LAYER
from tuning.atomic_files import put_in_place, staged, write_json, write_text
from tuning.evidence_model.config import EvidenceSettings
from tuning.page_templates import render
from tuning.sft.model_folder import halve, name_base

CARD = Path(__file__).with_name("card.md.jinja")


def save_result(settings: EvidenceSettings, model: Any, base: str, facts: dict[str, Any]) -> None:
    """Write the result to ``output``, whole or not at all; it replaces a previous one.

    Args:
        settings: The configuration.
        model: The trained ``SentenceScorer``.
        base: The base model's public name.
        facts: What the card says, including the measures under ``development``.

    Raises:
        OSError: The disk is full; the previous result stays.
    """
    from safetensors.torch import save_file

    staging = staged(settings.output)
    model.network.save_pretrained(str(staging))
    for file in staging.glob("*.safetensors"):
        halve(file)
    name_base(staging, base)
    layer = {n: weight.detach().cpu().contiguous() for n, weight in model.linear.named_parameters()}
    save_file(layer, staging / LINEAR_LAYER)
    values = settings.model_dump(mode="json")
    write_facts(staging, {**facts, "base": base, "settings": values})
    put_in_place(staging, settings.output)
    print(f"{settings.name}: {facts['seconds']} s. Saved in {settings.output}")


def read_facts(folder: Path) -> dict[str, Any]:
    """Read the facts of a folder of weights.

    Raises:
        ValueError: The folder has no evidence model.
    """
    if not (folder / FACTS).is_file():
        raise ValueError(f"Expected the weights of an evidence model in {folder}, found none.")
    facts: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    return facts


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write the facts and the model card into a folder of weights, and print the measures."""
    write_json(folder / FACTS, facts)
    write_text(folder / "README.md", render(CARD, facts=facts, settings=facts["settings"]))
    for lang, measures in facts["development"].items():
        print(f"{lang}: " + ", ".join(f"{key} {value:.4g}" for key, value in measures.items()))
