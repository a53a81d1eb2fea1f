"""Rows of XQuAD (Artetxe et al. 2020, CC BY-SA 4.0): encyclopedia passages, questions of experts.

Few beside the help centres: they ask in the passage's own words, which customers never do.
"""

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from knowledge.documents import Hit, Passage
from knowledge.segmenter import language_of, sentences
from tuning.dataset.answer_rows import Row

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder

# Sentences of other passages that are read beside the one that answers.
DISTRACTORS = 2


def xquad_rows(lang: str, embedder: "Embedder", count: int, seed: int) -> Iterator[Row]:
    """Yield rows whose completion is the sentence that holds the answer's span.

    Args:
        lang: ``en`` or ``zh``.
        embedder: Finds sentences of other passages that lie near.
        count: How many rows at most.
        seed: Which ones.

    Raises:
        FileNotFoundError: FRONTDESK_DATA names no folder.
    """
    from tuning.public_data import xquad_answers

    passages, asked = xquad_answers(lang)
    parts = [(at, s.of(text)) for at, text in passages.items() for s in sentences(text, lang)]
    vectors = embedder.encode_passages([text for _, text in parts])
    draw = random.Random(seed)
    some = draw.sample(asked, min(count, len(asked)))
    queries = embedder.encode_queries([question for question, _, _ in some])
    for (question, at, answer), query in zip(some, queries, strict=True):
        holding = [text for place, text in parts if place == at and answer in text]
        if not holding:
            continue
        near = [parts[n][1] for n in (-(vectors @ query)).argsort() if parts[n][0] != at]
        read = [holding[0], *near[:DISTRACTORS]]
        draw.shuffle(read)
        yield Row("xquad", lang, "xquad", question, tuple(map(_hit, read)), holding[0])


def _hit(text: str) -> Hit:
    # An encyclopedia's sentences have no title; the first words stand for one.
    lang: Any = language_of(text)
    return Hit(Passage("xquad", lang, _title(text), "", text, 0, len(text)), 1.0)


def _title(text: str) -> str:
    return " ".join(text.split()[:3])[:20].strip(",;:，；： ")
