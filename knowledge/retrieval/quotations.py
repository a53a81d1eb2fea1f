"""Finds the sentences of passages that a text quotes."""

from collections.abc import Sequence

from knowledge.documents import Passage
from knowledge.markdown_tables import header_of, is_row, read_row
from knowledge.segmenter import Span, sentences


class Quotations:
    """The sentences of all passages by their words."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        """Index the sentences, and the rows of tables as a person would read them aloud."""
        self._places: dict[str, tuple[Passage, Span]] = {}
        for passage in passages:
            for span in sentences(passage.text, passage.lang):
                for words in _wordings(passage, span):
                    self._places.setdefault(_bared(words), (passage, span))

    def in_text(self, text: str, lang: str) -> list[tuple[Passage, Span]]:
        """Return the quoted sentences in the order of the text, each with its passage.

        Args:
            text: Any text, such as an earlier reply.
            lang: Its language, "en" or "zh".
        """
        said: list[str] = []
        for line in text.splitlines():
            said += [span.of(line) for span in sentences(line, lang)]
            # A reply puts each row, and each step of a list, on a line of its own.
            said += [line, line.partition(". ")[2]]
        found = [self._places.get(words) for words in map(_bared, said) if words]
        return list({id(place): place for place in found if place}.values())


def _wordings(passage: Passage, span: Span) -> list[str]:
    written = span.of(passage.text)
    if not is_row(written):
        return [written]
    header = header_of(passage.text, span.start)
    return [written, read_row(written, header or passage.heading.split(" > ")[-1].split(" | "))]


def _bared(text: str) -> str:
    return "".join(text.split()).lower()
