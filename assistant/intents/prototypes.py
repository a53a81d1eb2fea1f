"""Scores new intents and out-of-scope texts by their similarity to known examples."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from scipy.special import expit, logsumexp

from assistant.intents.linear_classifier import Floats, probabilities
from knowledge.models.embedder import Vectors

FILE = "prototypes.safetensors"
# The inputs of the out-of-scope score, in this order.
FEATURES = ("max_probability", "energy", "nearest", "reject")


@dataclass(frozen=True, slots=True)
class Prototypes:
    """Prototypes of the classes of a classifier, with the fitted weights of both scores.

    Attributes:
        prototypes: Unit vectors of shape (prototypes, dimension), several for each class.
        centre: The mean vector of the training texts, of shape (dimension,).
        imprint: The parameters of a new intent's logit: the weight of the cosine to the mean of
            its examples, the weight of the cosine to the nearest one, and a constant. Cosines are
            of vectors minus the centre. After weight imprinting (Qi et al. 2018, arXiv
            1712.07136).
        strange: The weight of each of ``FEATURES`` in the out-of-scope score, and a constant.
    """

    prototypes: Floats
    centre: Floats
    imprint: Sequence[float]
    strange: Sequence[float]

    def new_intent_logit(self, vector: Vectors, examples: Vectors) -> float:
        """Return the logit of an intent that the classifier was not trained on.

        Args:
            vector: The message's vector, of shape (dimension,).
            examples: The intent's example vectors, of shape (examples, dimension).
        """
        mean, nearest, constant = self.imprint
        return float(closeness(vector[None], examples, self.centre)[0] @ (mean, nearest) + constant)

    def out_of_scope(
        self, logits: Floats, vector: Vectors, reject: int | None, examples: Vectors | None
    ) -> float:
        """Return the probability that a text belongs to no class.

        Args:
            logits: The classifier's logits, of shape (classes,).
            vector: The text's vector, of shape (dimension,).
            reject: The row of the class for out-of-scope texts; None if there is none.
            examples: The example vectors of new intents; None if there are none.
        """
        known = self.prototypes if examples is None else np.vstack([self.prototypes, examples])
        row = features(logits[None], vector[None], known, reject)[0]
        *weights, constant = self.strange
        return float(expit(row @ weights + constant))

    def save(self, folder: Path) -> None:
        """Write ``prototypes.safetensors``, with vectors in half precision."""
        from safetensors.numpy import save_file

        arrays = {"prototypes": self.prototypes, "centre": self.centre}
        halves = {n: np.ascontiguousarray(a, dtype=np.float16) for n, a in arrays.items()}
        weights = {"imprint": list(self.imprint), "strange": list(self.strange)}
        save_file(halves, folder / FILE, {name: json.dumps(w) for name, w in weights.items()})

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Read the file that ``save`` writes; return None if there is none."""
        from safetensors import safe_open

        if not (folder / FILE).is_file():
            return None
        with safe_open(str(folder / FILE), framework="numpy") as file:
            weights = {name: json.loads(text) for name, text in (file.metadata() or {}).items()}
            arrays = {n: file.get_tensor(n).astype(np.float32) for n in ("prototypes", "centre")}
        return cls(**arrays, imprint=weights["imprint"], strange=weights["strange"])


def closeness(vectors: Vectors, examples: Vectors, centre: Floats) -> Floats:
    """Return the cosines to the mean of the examples and to the nearest example.

    Args:
        vectors: Of shape (texts, dimension).
        examples: Of shape (examples, dimension).
        centre: Subtracted from all vectors first, of shape (dimension,).

    Returns:
        Of shape (texts, 2).
    """
    vectors, examples = _unit(vectors - centre), _unit(examples - centre)
    mean = _unit(examples.mean(axis=0)[None])[0]
    return np.stack([vectors @ mean, (vectors @ examples.T).max(axis=1)], axis=1)


def features(logits: Floats, vectors: Vectors, known: Vectors, reject: int | None) -> Floats:
    """Return the ``FEATURES`` of texts, of shape (texts, 4).

    The highest probability (Hendrycks and Gimpel 2017, arXiv 1610.02136) and the energy (Liu et al.
    2020, arXiv 2010.03759) of the in-scope classes, the cosine to the nearest known vector (Sun et
    al. 2022, arXiv 2204.06507), and the logit of the reject class minus the energy.

    Args:
        logits: Of shape (texts, classes).
        vectors: Of shape (texts, dimension).
        known: The prototypes and examples, of shape (known, dimension).
        reject: The row of the reject class; None gives a column of zeros.
    """
    in_scope = logits if reject is None else np.delete(logits, reject, axis=1)
    energy = logsumexp(in_scope, axis=1)
    margin = np.zeros(len(logits)) if reject is None else logits[:, reject] - energy
    nearest = (vectors @ known.T).max(axis=1)
    columns = [probabilities(in_scope).max(axis=1), energy, nearest, margin]
    return np.stack(columns, axis=1).astype(np.float32)


def _unit(vectors: Vectors) -> Floats:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-9), dtype=np.float32)
