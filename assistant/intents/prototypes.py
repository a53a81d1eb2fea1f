"""What nearest examples add to a head: intents it has not learned, and how strange a text is."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from assistant.intents.linear_classifier import Floats, probabilities
from knowledge.models.embedder import Vectors

FILE = "prototypes.safetensors"
# What the out-of-scope score weighs, in this order.
FEATURES = ("max_probability", "energy", "nearest", "reject")


@dataclass(frozen=True, slots=True)
class Prototypes:
    """Prototypes of what a head was trained on, and what closeness to examples is worth.

    Attributes:
        prototypes: Unit vectors of shape (prototypes, dimension), several a class.
        centre: The training texts' mean vector, of shape (dimension,).
        imprint: What a new intent's logit is made of: the weight of the cosine to the mean of its
            examples, that of the cosine to the nearest one, and a constant. Cosines are taken
            around the centre. After weight imprinting (Qi et al. 2018, arXiv 1712.07136).
        strange: The weight of each of ``FEATURES`` in the out-of-scope score, and a constant.
    """

    prototypes: Floats
    centre: Floats
    imprint: Sequence[float]
    strange: Sequence[float]

    def new_intent_logit(self, vector: Vectors, examples: Vectors) -> float:
        """Return the logit of an intent that the head does not know.

        Args:
            vector: The message's, of shape (dimension,).
            examples: The intent's, of shape (examples, dimension).
        """
        mean, nearest, constant = self.imprint
        return float(closeness(vector[None], examples, self.centre)[0] @ (mean, nearest) + constant)

    def out_of_scope(
        self, logits: Floats, vector: Vectors, reject: int | None, examples: Vectors | None
    ) -> float:
        """Return the probability that a text is of none of the classes.

        Args:
            logits: The head's, of shape (classes,).
            vector: The text's, of shape (dimension,).
            reject: The row of the class that stands for none of them, if there is one.
            examples: Vectors of intents that the head does not know.
        """
        known = self.prototypes if examples is None else np.vstack([self.prototypes, examples])
        row = features(logits[None], vector[None], known, reject)[0]
        return float(1 / (1 + np.exp(-(row @ self.strange[:-1] + self.strange[-1]))))

    def save(self, folder: Path) -> None:
        """Write ``prototypes.safetensors``."""
        from safetensors.numpy import save_file

        arrays = {"prototypes": self.prototypes, "centre": self.centre}
        halves = {n: np.ascontiguousarray(a, dtype=np.float16) for n, a in arrays.items()}
        weights = {"imprint": list(self.imprint), "strange": list(self.strange)}
        save_file(halves, folder / FILE, {name: json.dumps(w) for name, w in weights.items()})

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Read what ``save`` wrote; None where there is nothing."""
        from safetensors import safe_open

        if not (folder / FILE).is_file():
            return None
        with safe_open(str(folder / FILE), framework="numpy") as file:
            weights = {name: json.loads(text) for name, text in (file.metadata() or {}).items()}
            arrays = {n: file.get_tensor(n).astype(np.float32) for n in ("prototypes", "centre")}
        return cls(**arrays, imprint=weights["imprint"], strange=weights["strange"])


def closeness(vectors: Vectors, examples: Vectors, centre: Floats) -> Floats:
    """Return cosines around the centre: to the examples' mean, and to the nearest example.

    Args:
        vectors: Of shape (texts, dimension).
        examples: Of shape (examples, dimension).
        centre: Of shape (dimension,).

    Returns:
        Of shape (texts, 2).
    """
    asked, shown = _unit(vectors - centre), _unit(examples - centre)
    mean = _unit(shown.mean(axis=0)[None])[0]
    return np.stack([asked @ mean, (asked @ shown.T).max(axis=1)], axis=1)


def features(logits: Floats, vectors: Vectors, known: Vectors, reject: int | None) -> Floats:
    """Return ``FEATURES`` of texts, of shape (texts, 4).

    The highest probability (Hendrycks and Gimpel 2017, arXiv 1610.02136) and the energy (Liu et al.
    2020, arXiv 2010.03759) of the classes proper, the cosine to the nearest known vector (Sun et
    al. 2022, arXiv 2204.06507), and the logit of the trained reject class against the others.

    Args:
        logits: Of shape (texts, classes).
        vectors: Of shape (texts, dimension).
        known: Of shape (vectors, dimension).
        reject: The row of the reject class; None gives a column of zeros.
    """
    proper = logits if reject is None else np.delete(logits, reject, axis=1)
    peak = proper.max(axis=1)
    energy = peak + np.log(np.exp(proper - peak[:, None]).sum(axis=1))
    refused = np.zeros(len(logits)) if reject is None else logits[:, reject] - energy
    nearest = (vectors @ known.T).max(axis=1)
    columns = [probabilities(proper).max(axis=1), energy, nearest, refused]
    return np.stack(columns, axis=1).astype(np.float32)


def _unit(vectors: Vectors) -> Floats:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-9), dtype=np.float32)
