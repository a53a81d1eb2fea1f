"""Saves a trained span embedder: adapter, facts, model card."""

from pathlib import Path
from typing import Any

from knowledge.models.span_embedder import FACTS
from tuning.atomic_files import put_in_place, staged, write_json, write_text
from tuning.page_templates import render
from tuning.sft.model_folder import halve, name_base
from tuning.span_embedder.config import SpanSettings
from tuning.span_embedder.training import TrainedNetwork

CARD = Path(__file__).with_name("card.md.jinja")


def save_result(settings: SpanSettings, network: TrainedNetwork, facts: dict[str, Any]) -> None:
    """Write the result to ``output``, whole or not at all; it replaces a previous one.

    Args:
        settings: The configuration.
        network: The trained network.
        facts: What the card says of the training.

    Raises:
        OSError: The disk is full; the previous result stays.
    """
    staging = staged(settings.output)
    network.network.save_pretrained(str(staging))
    halve(staging / "adapter_model.safetensors")
    name_base(staging, settings.base)
    values = settings.model_dump(mode="json", exclude={"output"})
    write_json(staging / FACTS, {**values, "training": facts})
    write_text(staging / "README.md", render(CARD, settings=settings, facts=facts))
    put_in_place(staging, settings.output)
    print(f"{settings.name}: {facts['seconds']} s. Saved in {settings.output}")
