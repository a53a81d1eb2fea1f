"""Splits an article into passages along its headings; pure."""

from collections.abc import Iterator
from itertools import pairwise

from knowledge.documents import Article, Passage
from knowledge.segmenter import Span, length

# The default embedder reads 256 tokens, title included; 140 words stay below that.
MAX_WORDS = 140


def split(article: Article, max_words: int = MAX_WORDS) -> list[Passage]:
    """Return the article's passages in order: one a section, long sections in several.

    Args:
        article: What to split; its text is not changed.
        max_words: The most words (a Chinese character counts as one) that a passage packs
            together; a single longer paragraph stays whole.
    """
    if max_words < 1:
        raise ValueError(f"max_words must be at least 1. Currently, max_words is {max_words}")
    return [
        Passage(
            article=article.id,
            lang=article.lang,
            title=article.title,
            heading=heading,
            text=span.of(article.text),
            start=span.start,
            end=span.end,
        )
        for heading, section in _sections(article.text)
        for span in _pack(article.text, section, max_words)
    ]


def _sections(text: str) -> Iterator[tuple[str, Span]]:
    from markdown_it import MarkdownIt

    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    path: list[tuple[int, str]] = []
    begin = 0
    tokens = MarkdownIt().parse(text)
    for token, inline in pairwise(tokens):
        if token.type != "heading_open" or token.map is None or token.level:
            continue
        yield _label(path), Span(begin, starts[token.map[0]])
        level = int(token.tag[1])
        path = [(n, name) for n, name in path if n < level] + [(level, inline.content)]
        begin = starts[token.map[1]]
    yield _label(path), Span(begin, len(text))


def _label(path: list[tuple[int, str]]) -> str:
    # A first-level heading is the title, which every passage carries anyway.
    return " > ".join(name for level, name in path if level > 1)


def _pack(text: str, section: Span, max_words: int) -> Iterator[Span]:
    begin: int | None = None
    end = section.start
    for block in _paragraphs(text, section):
        if begin is not None and length(text[begin : block.end]) > max_words:
            yield Span(begin, end)
            begin = None
        begin = block.start if begin is None else begin
        end = block.end
    if begin is not None:
        yield Span(begin, end)


def _paragraphs(text: str, section: Span) -> Iterator[Span]:
    start = section.start
    while start < section.end:
        cut = text.find("\n\n", start, section.end)
        stop = section.end if cut < 0 else cut
        piece = text[start:stop]
        if piece.strip():
            lead = len(piece) - len(piece.lstrip())
            yield Span(start + lead, start + len(piece.rstrip()))
        start = stop + 2
