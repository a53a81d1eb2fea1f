"""Saves the weights: adapter, linear layers, facts, model card."""

from pathlib import Path
from typing import Any

from assistant.intents.adapted_network import FACTS, LINEAR_LAYERS
from tuning.adapted_network.training import TrainedNetwork
from tuning.atomic_files import put_in_place, write_json, write_text
from tuning.page_templates import render
from tuning.sft.model_folder import staged_adapter


def save_result(network: TrainedNetwork, facts: dict[str, Any], card: Path, **told: Any) -> None:
    """Write the result to ``output``, whole or not at all; it replaces a previous one.

    Args:
        network: The trained network.
        facts: What the card says, including ``temperatures`` by layer and ``seconds``.
        card: The template of the model card.
        told: What else the card says.

    Raises:
        OSError: The disk is full; the previous result stays.
    """
    from safetensors.torch import save_file

    settings = network.settings
    staging = staged_adapter(network.network, settings.output, settings.model)
    layers = {n: w.detach().cpu().contiguous() for n, w in network.layers.named_parameters()}
    save_file(layers, staging / LINEAR_LAYERS)
    values = settings.model_dump(mode="json", exclude={"output"})
    labels = {name: list(of) for name, of in network.labels.items()}
    write_json(
        staging / FACTS, {"base": settings.model, "labels": labels, "settings": values, **facts}
    )
    write_text(staging / "README.md", render(card, settings=settings, facts=facts, **told))
    put_in_place(staging, settings.output)
    print(f"{settings.name}: {facts['seconds']} s. Saved in {settings.output}")
