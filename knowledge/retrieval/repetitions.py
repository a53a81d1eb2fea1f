"""Counts how many articles repeat a sentence: what stands on every page answers few questions."""

from collections import Counter
from collections.abc import Sequence

from knowledge.documents import Passage
from knowledge.segmenter import sentences


def repetitions(passages: Sequence[Passage]) -> list[tuple[int, ...]]:
    """Return, for each passage's sentences, the number of articles in its language that hold it.

    Spaces and capitals make no difference.
    """
    texts = [
        [" ".join(span.of(p.text).split()).lower() for span in sentences(p.text, p.lang)]
        for p in passages
    ]
    held = {
        (passage.lang, text, passage.article)
        for passage, of_passage in zip(passages, texts, strict=True)
        for text in of_passage
    }
    counts = Counter((lang, text) for lang, text, _ in held)
    return [
        tuple(counts[passage.lang, text] for text in of_passage)
        for passage, of_passage in zip(passages, texts, strict=True)
    ]
