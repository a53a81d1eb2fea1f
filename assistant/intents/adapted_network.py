"""The embedder's network with an adapter, and linear layers over its vectors.

What several small classifiers of messages share. ``tuning/adapted_network/`` trains the weights.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from assistant.errors import IntentsError
from knowledge.models.bfloat16 import has_bfloat16
from knowledge.models.embedder import Embedder

FACTS, LINEAR_LAYERS = "network.json", "layers.safetensors"

Array = NDArray[np.float64]


class AdaptedNetwork:
    """Gives vectors for a text's tokens, and the probabilities of labels for a vector."""

    def __init__(
        self, network: Any, tokenizer: Any, layers: Mapping[str, Array], facts: Mapping[str, Any]
    ) -> None:
        """Take the parts; ``open`` loads what ships.

        Args:
            network: Gives a vector for each token.
            tokenizer: The network's, a fast one.
            layers: For each layer ``<name>.weight`` of shape (labels, dimension) and
                ``<name>.bias`` of shape (labels,).
            facts: ``labels`` and ``temperatures`` by layer.
        """
        self._network, self.tokenizer = network, tokenizer
        self._layers, self.facts = layers, facts
        self._half = has_bfloat16()

    @classmethod
    def open(cls, embedder: Embedder, folder: Path) -> Self | None:
        """Load the weights; None where there are none, or they were trained for another embedder.

        Args:
            embedder: Holds the network.
            folder: What the training wrote.

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
            tensors = load_file(folder / LINEAR_LAYERS)
            layers = {name: tensor.double().numpy() for name, tensor in tensors.items()}
            expected = {f"{name}.{of}" for name in facts["labels"] for of in ("weight", "bias")}
            if set(layers) != expected or set(facts["temperatures"]) != set(facts["labels"]):
                raise ValueError(f"the layers {sorted(layers)}")
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise IntentsError(
                f"Expected the weights of a classifier in {folder}, found: {error}"
            ) from None
        return cls(*adapted, layers, facts) if adapted else None

    def states(self, text: str, second: str | None = None) -> Array:
        """Return the vectors of the tokens of a text or of a pair, of shape (tokens, dimension)."""
        import torch

        ids = self.tokenizer(text, second, return_tensors="pt")
        half = torch.autocast("cpu", torch.bfloat16, enabled=self._half)
        with torch.inference_mode(), half:
            states = self._network(**ids).last_hidden_state[0]
        return np.asarray(states.double().numpy())

    def likely(self, layer: str, vectors: Array) -> Array:
        """Return the probability of each of a layer's labels.

        Args:
            layer: A layer's name.
            vectors: Of shape (…, dimension).

        Returns:
            Of shape (…, labels).
        """
        logits = vectors @ self._layers[f"{layer}.weight"].T + self._layers[f"{layer}.bias"]
        return np.asarray(softmax(logits / self.facts["temperatures"][layer], axis=-1))

    def named(self, layer: str, vector: Array) -> dict[str, float]:
        """Return the probability of each label by its name, for one vector."""
        labels = self.facts["labels"][layer]
        return dict(zip(labels, map(float, self.likely(layer, vector)), strict=True))


class NetworkReader:
    """What reads messages with an adapted network of its own."""

    weights: ClassVar[Path]
    """The folder of what ships."""

    def __init__(self, network: AdaptedNetwork) -> None:
        """Take a network with the reader's layers; ``open`` loads what ships."""
        self.network = network

    @classmethod
    def open(cls, embedder: Embedder, folder: Path | None = None) -> Self | None:
        """Load the weights; None where there are none, or they were trained for another embedder.

        Args:
            embedder: Holds the network.
            folder: What the training wrote; None for what ships.

        Raises:
            IntentsError: The weights are damaged.
        """
        network = AdaptedNetwork.open(embedder, folder or cls.weights)
        return cls(network) if network else None
