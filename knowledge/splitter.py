"""Splits an article into passages along its headings; pure."""

from collections.abc import Iterator
from itertools import pairwise

from knowledge.documents import Article, Passage
from knowledge.markdown_tables import header_of
from knowledge.segmenter import Span, length, sentences

# The default embedder encodes 256 tokens, title included; 140 words stay below that.
MAX_WORDS = 140


def split(article: Article, max_words: int = MAX_WORDS) -> list[Passage]:
    """Return the article's passages in order: one per section, several for long sections.

    Args:
        article: The article to split.
        max_words: The largest number of words of a passage, at least 1; each Chinese character
            counts as one. Sections are cut between paragraphs, longer paragraphs between lines,
            longer lines between sentences. A longer sentence stays whole.

    Raises:
        ValueError: ``max_words`` is less than 1.
    """
    if max_words < 1:
        raise ValueError(f"max_words must be at least 1. Currently, max_words is {max_words}")
    return [
        Passage(
            article=article.id,
            lang=article.lang,
            title=article.title,
            heading=_with_columns(heading, article.text, span),
            text=span.of(article.text),
            start=span.start,
            end=span.end,
        )
        for heading, section in _sections(article.text)
        for span in _pack(article, section, max_words)
    ]


def _with_columns(heading: str, text: str, span: Span) -> str:
    """Append a table's header to the heading of a passage that starts within the table."""
    columns = " | ".join(header_of(text, span.start))
    return " > ".join(part for part in (heading, columns) if part)


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
    # A first-level heading is the title, which every passage has anyway.
    return " > ".join(name for level, name in path if level > 1)


def _pack(article: Article, section: Span, max_words: int) -> Iterator[Span]:
    text = article.text
    begin: int | None = None
    end = section.start
    for block in _blocks(article, section, max_words):
        if begin is not None and length(text[begin : block.end]) > max_words:
            yield Span(begin, end)
            begin = None
        begin = block.start if begin is None else begin
        end = block.end
    if begin is not None:
        yield Span(begin, end)


def _blocks(article: Article, section: Span, max_words: int) -> Iterator[Span]:
    """Yield the units that stay whole: paragraphs, or the lines or sentences of longer ones."""
    for paragraph in _pieces(article.text, section, "\n\n"):
        if length(paragraph.of(article.text)) <= max_words:
            yield paragraph
            continue
        for line in _pieces(article.text, paragraph, "\n"):
            content = line.of(article.text)
            spans = sentences(content, article.lang) if length(content) > max_words else []
            yield from [Span(line.start + s.start, line.start + s.end) for s in spans] or [line]


def _pieces(text: str, span: Span, separator: str) -> Iterator[Span]:
    start = span.start
    while start < span.end:
        cut = text.find(separator, start, span.end)
        stop = span.end if cut < 0 else cut
        piece = text[start:stop]
        if piece.strip():
            lead = len(piece) - len(piece.lstrip())
            yield Span(start + lead, start + len(piece.rstrip()))
        start = stop + len(separator)
