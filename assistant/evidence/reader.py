"""Reads the hits for a question: with one model, or with two that are better together."""

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

# Passages that the generator's network reads as well: it is larger, and takes 0.1 s for each.
READ_AGAIN = 3
# What the logarithm of a hit's score counts beside its sentences' logits; like the number above
# chosen on the development companies.
PRIOR = 0.2


def open_reading_embedder(model: str | None, state: Path) -> "Embedder | None":
    """Load the default embedder beside another one, since what reads was trained for it.

    Args:
        model: The embedder that the settings name; nothing is loaded beside the default one.
        state: The state folder.

    Returns:
        None where no other embedder is named, or the default one is nowhere to be found.
    """
    if not model:
        return None
    try:
        return open_frozen_embedder(state)
    except ModelNotFoundError as error:
        logger.warning("Passages are compared by nearness alone: %s", error)
        return None


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in the hits.

    ``logits`` has an entry for each hit, of shape (sentences,), which compares its sentences with
    all others; None for a hit that fell behind. ``logit`` is of "one of them answers", and
    ``answerable`` the same as a probability in [0, 1].
    """

    logits: list[Logits | None]
    logit: float
    answerable: float


class EvidenceReader:
    """The embedder's network reads all hits, the generator's the likeliest of them once more."""

    def __init__(self, first: EvidenceModel, second: EvidenceModel | None = None) -> None:
        """Take the models; ``open`` finds those that ship."""
        self._first, self._second = first, second

    @classmethod
    def open(cls, embedder: "Embedder", generator: "Generator | None" = None) -> Self | None:
        """Load what was trained for these; None where nothing was trained for the embedder."""
        first = EvidenceModel.load(embedder, OF_EMBEDDER)
        if first is None:
            return None
        return cls(first, EvidenceModel.load(generator, OF_GENERATOR) if generator else None)

    def read(self, question: str, hits: Sequence[Hit], spans: Sequence[Sequence[Span]]) -> Reading:
        """Return what the hits' sentences are worth as answers.

        Args:
            question: The customer's question, self-contained.
            hits: At least one.
            spans: The sentences of each.
        """
        lang = language_of(question)
        logits = self._first.score(question, [hit.passage for hit in hits], spans)
        priors = [PRIOR * np.log(hit.score + 1e-4) for hit in hits]
        whole = float(np.logaddexp.reduce(np.concatenate(logits)))
        kept: list[Logits | None] = [own + p for own, p in zip(logits, priors, strict=True)]
        second = self._second
        if second is None or lang not in second.languages:
            return Reading(kept, whole, self._first.answerable(whole, lang))
        likeliest = sorted(range(len(hits)), key=lambda n: -_any(kept[n]))[:READ_AGAIN]
        passages, cut = [hits[n].passage for n in likeliest], [spans[n] for n in likeliest]
        again = dict(zip(likeliest, second.score(question, passages, cut), strict=True))
        both = [
            (logits[n] + again[n]) / 2 + priors[n] if n in again else None for n in range(len(hits))
        ]
        whole = (whole + float(np.logaddexp.reduce(np.concatenate(list(again.values()))))) / 2
        return Reading(both, whole, second.answerable(whole, lang))


def _any(logits: Logits | None) -> float:
    return -np.inf if logits is None or not len(logits) else float(np.logaddexp.reduce(logits))
