"""Tells messages that need no answer from an article but help, a refusal or patience.

``python -m tuning.risks`` trains the weights: an adapter for the default embedder, and a linear
layer over the mean of its vectors.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from assistant.errors import IntentsError
from knowledge.models.bfloat16 import has_bfloat16
from knowledge.models.embedder import Embedder
from knowledge.models.turn_before import shortened

WEIGHTS = Path(__file__).parent.parent / "weights" / "risks"
FACTS, LINEAR_LAYER = "risks.json", "head.safetensors"
# May end or harm their life, or somebody close may; controlled or hurt by somebody close;
# blackmailed or threatened; a fraud goes on now.
CRISES = ("distress", "coercion", "threat", "scam")
# Wants help to do wrong; insults; complains; wants a person; was hit by a wrong or asks
# about it; wants something of no company's; anything else.
RISKS = (*CRISES, "harm", "insult", "complaint", "person", "victim", "outside", "ordinary")
# A message of which nothing is known.
ORDINARY: Mapping[str, float] = {risk: float(risk == "ordinary") for risk in RISKS}
# The most tokens of a message, and of the one before it.
MAX_TOKENS = (160, 60)


class RiskClassifier:
    """A network with an adapter, and a linear layer over the mean vector."""

    def __init__(
        self,
        network: Any,
        tokenizer: Any,
        linear_layer: tuple[NDArray[np.float64], NDArray[np.float64]],
        temperature: float = 1.0,
    ) -> None:
        """Take the parts; ``open`` loads what ships.

        Args:
            network: Gives a vector for each token.
            tokenizer: The network's tokenizer.
            linear_layer: Weights of shape (len(RISKS), dimension), and a bias for each.
            temperature: Divides the logits.
        """
        self._network, self._tokenizer = network, tokenizer
        self._weight, self._bias = linear_layer
        self._temperature = temperature
        self._half = has_bfloat16()

    @classmethod
    def open(cls, embedder: Embedder, folder: Path = WEIGHTS) -> Self | None:
        """Load the weights; None where they were trained for another embedder.

        Args:
            embedder: Holds the network.
            folder: What ``tuning.risks`` wrote.

        Raises:
            IntentsError: The weights are damaged.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        if not (folder / FACTS).is_file():
            return None
        try:
            facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            if facts["base"].split("/")[-1] != embedder.name:
                return None
            adapted = embedder.adapted(folder)
            layer = load_file(folder / LINEAR_LAYER)
            linear_layer = layer["weight"].double().numpy(), layer["bias"].double().numpy()
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise IntentsError(
                f"Expected the weights of the risks in {folder}, found: {error}"
            ) from None
        return cls(*adapted, linear_layer, facts["temperature"]) if adapted else None

    def predict(self, message: str, before: str = "") -> dict[str, float]:
        """Return the probability of each of ``RISKS``.

        Args:
            message: What the customer types.
            before: The customer's message before it; "" for a first one.
        """
        import torch

        ids = self._tokenizer(text_of(self._tokenizer, message, before), return_tensors="pt")
        half = torch.autocast("cpu", torch.bfloat16, enabled=self._half)
        with torch.inference_mode(), half:
            states = self._network(**ids).last_hidden_state[0]
        vector = states.double().mean(dim=0).numpy()
        scores = softmax((self._weight @ vector + self._bias) / self._temperature)
        return dict(zip(RISKS, map(float, scores), strict=True))


def text_of(tokenizer: Any, message: str, before: str) -> str:
    """Return what the network reads, the same in training and in serving.

    Args:
        tokenizer: The network's, a fast one.
        message: What the customer types.
        before: The customer's message before it; "" for a first one.
    """
    now, earlier = MAX_TOKENS
    text = f"query: {shortened(tokenizer, message, now)}"
    return f"{text}\nsaid before: {shortened(tokenizer, before, earlier)}" if before else text
