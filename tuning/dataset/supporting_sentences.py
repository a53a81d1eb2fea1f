"""Finds the sentences of a passage that hold a given answer."""

from assistant.grounding.grounder import figures
from knowledge.segmenter import sentences, words

# A further sentence must cover this share of the whole answer.
LEAST_GAIN = 0.25


def supporting_sentences(answer: str, text: str, lang: str) -> list[int]:
    """Return the numbers of the sentences that cover an answer: as few as a greedy search needs.

    Args:
        answer: Written by a person.
        text: The passage that the answer was written from.
        lang: The language of both.
    """
    contents = [_content(span.of(text)) for span in sentences(text, lang)]
    missing = needed = _content(answer)
    chosen: list[int] = []
    while contents and missing:
        best = max(range(len(contents)), key=lambda n: _weight(contents[n] & missing))
        gain = _weight(contents[best] & missing)
        if not gain or (chosen and gain < max(2, LEAST_GAIN * _weight(needed))):
            break
        chosen.append(best)
        missing = missing - contents[best]
    return sorted(chosen)


def _content(text: str) -> set[str]:
    return set(words(text)) | {f"#{figure}" for figure in figures(text)}


def _weight(content: set[str]) -> int:
    # A figure decides more than a word.
    return sum(3 if part.startswith("#") else 1 for part in content)
