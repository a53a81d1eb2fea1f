"""Saves the weights: adapter, linear layer, facts, model card."""

from pathlib import Path
from typing import Any

from assistant.intents.risks import FACTS, LINEAR_LAYER
from assistant.policy import Policy
from tuning.atomic_files import put_in_place, write_json, write_text
from tuning.page_templates import render
from tuning.risks.training import RiskNetwork
from tuning.sft.model_folder import staged_adapter

CARD = Path(__file__).with_name("card.md.jinja")


def save_result(network: RiskNetwork, facts: dict[str, Any]) -> None:
    """Write the result to ``output``, whole or not at all; it replaces a previous one.

    Args:
        network: The trained network.
        facts: What the card says, including ``temperature`` and the measures as ``development``.

    Raises:
        OSError: The disk is full; the previous result stays.
    """
    from safetensors.torch import save_file

    settings = network.settings
    staging = staged_adapter(network.network, settings.output, settings.model)
    layer = {
        n: weight.detach().cpu().contiguous() for n, weight in network.linear.named_parameters()
    }
    save_file(layer, staging / LINEAR_LAYER)
    values = settings.model_dump(mode="json", exclude={"output"})
    write_json(staging / FACTS, {"base": settings.model, "settings": values, **facts})
    card = render(CARD, settings=settings, facts=facts, crisis=Policy.crisis, harm=Policy.harm)
    write_text(staging / "README.md", card)
    put_in_place(staging, settings.output)
    for lang, kinds in facts["development"].items():
        for kind, row in kinds.items():
            print(f"{lang} {kind}: " + ", ".join(f"{name} {count}" for name, count in row.items()))
    print(f"{settings.name}: {facts['seconds']} s. Saved in {settings.output}")
