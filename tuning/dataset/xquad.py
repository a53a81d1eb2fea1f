"""Rows of XQuAD (Artetxe et al. 2020, CC BY-SA 4.0): encyclopedia passages with experts' questions.

They are few compared with the help centres' rows: experts ask in the passage's own words, customers
never do.
"""

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from knowledge.documents import Hit, Passage
from knowledge.segmenter import language_of, sentences
from tuning.dataset.answer_rows import Row

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder

# Sentences of other passages next to the one that answers.
DISTRACTORS = 2
ROWS_PER_LANGUAGE = 300


def xquad_rows(
    lang: str, embedder: "Embedder", seed: int, count: int = ROWS_PER_LANGUAGE
) -> Iterator[Row]:
    """Yield rows whose completion is the sentence that holds the answer.

    Args:
        lang: ``en`` or ``zh``.
        embedder: Finds distractors near the question.
        seed: Determines which questions are drawn.
        count: How many questions to draw; one whose answer crosses sentences gives no row.

    Raises:
        FileNotFoundError: FRONTDESK_DATA names no folder.
    """
    from tuning.public_data import xquad_answers

    passages, questions = xquad_answers(lang)
    parts = [(at, s.of(text)) for at, text in passages.items() for s in sentences(text, lang)]
    vectors = embedder.encode_passages([text for _, text in parts])
    generator = random.Random(seed)
    sample = generator.sample(questions, min(count, len(questions)))
    queries = embedder.encode_queries([question for question, _, _ in sample])
    for (question, at, answer), query in zip(sample, queries, strict=True):
        answering = [text for place, text in parts if place == at and answer in text]
        if not answering:
            continue
        near = [parts[n][1] for n in (-(vectors @ query)).argsort() if parts[n][0] != at]
        texts = [answering[0], *near[:DISTRACTORS]]
        generator.shuffle(texts)
        yield Row("xquad", lang, "xquad", question, tuple(map(_hit, texts)), answering[0])


def _hit(text: str) -> Hit:
    # An encyclopedia's sentences have no title; their first words replace it.
    lang: Any = language_of(text)
    return Hit(Passage("xquad", lang, _title(text), "", text, 0, len(text)), 1.0)


def _title(text: str) -> str:
    return " ".join(text.split()[:3])[:20].strip(",;:，；： ")
