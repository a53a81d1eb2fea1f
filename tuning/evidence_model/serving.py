"""Scores cases with trained weights as the assistant reads its hits."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.evidence.evidence_model import OF_EMBEDDER, EvidenceModel
from assistant.evidence.ranker import READ
from assistant.evidence.reader import EvidenceReader
from knowledge.documents import Hit, Passage
from tuning.evidence_model.measures import ScoredCase

if TYPE_CHECKING:
    from tuning.evidence_model.cases import EvidenceCase


def open_reader(folder: Path, state: Path) -> EvidenceReader:
    """Return the assistant's reader with these weights instead of the shipped ones.

    Where they belong to a span embedder's network, the embedder's keeps its shipped weights.

    Args:
        folder: The weights.
        state: The state folder.

    Raises:
        ValueError: The weights belong to other models than the shipped ones.
    """
    from knowledge.models.model_files import open_embedder, open_span_embedders

    embedder = open_embedder(None, state)
    if first := EvidenceModel.load(embedder, folder):
        return EvidenceReader(first)
    spans = open_span_embedders(embedder, state, small=False)
    second = next((model for one in spans if (model := EvidenceModel.load(one, folder))), None)
    first = EvidenceModel.load(embedder, OF_EMBEDDER)
    if first is None or second is None:
        raise ValueError(f"Expected weights for the shipped models in {folder}, found others.")
    return EvidenceReader(first, second)


def score_as_served(reader: EvidenceReader, cases: "Sequence[EvidenceCase]") -> list[ScoredCase]:
    """Return cases with the logits that the assistant gives their sentences."""
    from tqdm import tqdm

    return [_scored(reader, case) for case in tqdm(cases, unit="question")]


def _scored(reader: EvidenceReader, case: "EvidenceCase") -> ScoredCase:
    passages = case.passages[:READ]
    hits = [
        Hit(Passage(p.article, case.lang, p.name, "", p.text, 0, len(p.text)), p.score)
        for p in passages
    ]
    reading = reader.read(case.question, hits, [p.sentences for p in passages])
    # Passages that the assistant drops cannot answer.
    logits = [
        np.full(len(passage.gold), -np.inf) if scores is None else scores
        for scores, passage in zip(reading.logits, passages, strict=True)
    ]
    gold = np.array([right for passage in passages for right in passage.gold])
    return ScoredCase(np.concatenate(logits), gold, reading.features[0])
