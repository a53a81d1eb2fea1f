"""Reads the hits for a question with one network, or with two whose mean is better."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from assistant.evidence.evidence_model import OF_EMBEDDER, OF_GENERATOR, EvidenceModel, Logits
from knowledge.documents import Hit
from knowledge.errors import ModelNotFoundError
from knowledge.models.model_files import open_frozen_embedder
from knowledge.segmenter import Span, language_of

if TYPE_CHECKING:
    from assistant.generators.generator import Generator
    from knowledge.models.embedder import Embedder

logger = logging.getLogger(__name__)

# Passages that the generator's network reads too: it is larger and takes 0.1 s for each.
READ_AGAIN = 3
# Weight of the logarithm of a hit's score in its sentences' logits. Both numbers were chosen on the
# development companies.
HIT_WEIGHT = 0.2


def open_reading_embedder(model: str | None, state: Path) -> "Embedder | None":
    """Load the default embedder next to another one: the network that reads was trained for it.

    Args:
        model: The embedder that the settings name; nothing is loaded next to the default one.
        state: The state folder.

    Returns:
        None where no other embedder is named, or the default one cannot be found.
    """
    if not model:
        return None
    try:
        return open_frozen_embedder(state)
    except ModelNotFoundError as error:
        logger.warning("Sentences are compared by their cosines alone: %s", error)
        return None


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading the hits gave.

    Attributes:
        logits: For each hit an array of shape (sentences,), comparable across hits; None for a hit
            that the second network did not read.
        logit: Of "at least one sentence answers".
        answerable: The same as a calibrated probability in [0, 1].
    """

    logits: Sequence[Logits | None]
    logit: float
    answerable: float


class EvidenceReader:
    """Reads all hits with the embedder's network and the best of them with the generator's."""

    def __init__(self, first: EvidenceModel, second: EvidenceModel | None = None) -> None:
        """Take the models; ``open`` loads those that ship."""
        self._first, self._second = first, second

    @classmethod
    def open(cls, embedder: "Embedder", generator: "Generator | None" = None) -> Self | None:
        """Load what was trained for these models; None where nothing was for the embedder."""
        first = EvidenceModel.load(embedder, OF_EMBEDDER)
        if first is None:
            return None
        return cls(first, EvidenceModel.load(generator, OF_GENERATOR) if generator else None)

    def read(self, question: str, hits: Sequence[Hit], spans: Sequence[Sequence[Span]]) -> Reading:
        """Return how likely each sentence of the hits answers.

        Args:
            question: The customer's question, self-contained.
            hits: At least one.
            spans: The sentences of each.
        """
        lang = language_of(question)
        logits = self._first.score(question, [hit.passage for hit in hits], spans)
        hit_logits = [HIT_WEIGHT * np.log(hit.score + 1e-4) for hit in hits]
        any_logit = _any(np.concatenate(logits))
        summed = [own + hit for own, hit in zip(logits, hit_logits, strict=True)]
        second = self._second
        if second is None or lang not in second.languages:
            return Reading(summed, any_logit, self._first.answerable(any_logit, lang))
        best = sorted(range(len(hits)), key=lambda n: -_any(summed[n]))[:READ_AGAIN]
        passages = [hits[n].passage for n in best]
        again = second.score(question, passages, [spans[n] for n in best])
        by_hit = dict(zip(best, again, strict=True))
        both = [
            (logits[n] + by_hit[n]) / 2 + hit_logits[n] if n in by_hit else None
            for n in range(len(hits))
        ]
        any_logit = (any_logit + _any(np.concatenate(again))) / 2
        return Reading(both, any_logit, second.answerable(any_logit, lang))


def _any(logits: Logits) -> float:
    return float(np.logaddexp.reduce(logits)) if len(logits) else -np.inf
