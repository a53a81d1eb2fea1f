"""Saves weights for later messages: adapter, facts, model card."""

from pathlib import Path
from typing import Any

from tuning.atomic_files import put_in_place, write_json, write_text
from tuning.later_questions.later_network import LaterNetwork
from tuning.later_questions.measures import READINGS
from tuning.page_templates import render
from tuning.sft.model_folder import staged_adapter

FACTS = "later_questions.json"
CARD = Path(__file__).with_name("card.md.jinja")


def save_result(network: LaterNetwork, facts: dict[str, Any]) -> None:
    """Write the result to ``output``, whole or not at all; it replaces a previous one.

    Args:
        network: The trained network.
        facts: What the card says of the training, including the measures under ``development``.

    Raises:
        OSError: The disk is full; the previous result stays.
    """
    settings = network.settings
    # The adapter fits these weights alone, not the encoder below them.
    staging = staged_adapter(network.network, settings.output, network.embedder.name)
    values = settings.model_dump(mode="json", exclude={"output", "cases"})
    known = {"base": network.base, "base_weights": network.embedder.name}
    write_json(staging / FACTS, {**values, **known, "training": facts})
    card = render(CARD, settings=settings, base=network.base, facts=facts, readings=READINGS)
    write_text(staging / "README.md", card)
    put_in_place(staging, settings.output)
    _tell(facts["development"])
    print(f"{settings.name}: {facts['seconds']} s. Saved in {settings.output}")


def _tell(development: dict[str, Any]) -> None:
    for lang, measures in development.items():
        print(f"{lang}: {measures['turns']} answered turns")
        for name, said in READINGS.items():
            worth = ", ".join(f"{key} {value:.3f}" for key, value in measures[name].items())
            print(f"  {said}: {worth}")
