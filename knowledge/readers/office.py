"""Converts Word and PowerPoint documents to Markdown."""

import io
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from knowledge.errors import DocumentError
from knowledge.readers.document import Document, Limits
from knowledge.readers.table_lines import table_lines

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


def read_docx(raw: bytes, _limits: Limits) -> Document:
    """Return a Word document's paragraphs, headings, lists, tables and text boxes, in order.

    Raises:
        DocumentError: The file is broken.
    """
    import docx

    try:
        document = docx.Document(io.BytesIO(raw))
    except Exception as error:  # whatever the XML and zip libraries raise on damage
        raise DocumentError(f"it is broken: {type(error).__name__}") from None
    styles = {style.style_id: style.name or "" for style in document.styles}
    blocks = list(_blocks(document.element.body, styles))
    title = (document.core_properties.title or "").strip()
    return Document(_joined(blocks), title or None)


def _joined(blocks: Sequence[str]) -> str:
    """Join blocks by blank lines, except list items that follow each other."""
    text = blocks[0] if blocks else ""
    for previous, block in pairwise(blocks):
        same_list = previous.startswith("- ") and block.startswith("- ")
        text += ("\n" if same_list else "\n\n") + block
    return text


def _blocks(body: Any, styles: dict[str, str]) -> Iterator[str]:
    for element in body:
        if element.tag == f"{_W}p":
            yield from _paragraph(element, styles)
        elif element.tag == f"{_W}tbl":
            yield from table_lines(_rows(element))
        elif element.tag == f"{_W}sdt":
            for content in element.iter(f"{_W}sdtContent"):
                yield from _blocks(content, styles)
                break


def _paragraph(paragraph: Any, styles: dict[str, str]) -> Iterator[str]:
    text = _text(paragraph)
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    name = styles.get(style.get(f"{_W}val"), "") if style is not None else ""
    heading = re.match(r"(?i)heading (\d)|title", name)
    if text and heading:
        yield "#" * min(6, int(heading.group(1) or 1)) + " " + text
    elif text and paragraph.find(f"{_W}pPr/{_W}numPr") is not None:
        yield f"- {text}"
    elif text:
        yield text
    # Text boxes belong to a paragraph; newer files repeat each one for older programs.
    for box in paragraph.iter(f"{_W}txbxContent"):
        if not any(parent.tag == _FALLBACK for parent in box.iterancestors()):
            yield from _blocks(box, styles)


def _text(element: Any) -> str:
    pieces = []
    for node in element.iter(f"{_W}t", f"{_W}tab", f"{_W}br"):
        inside = {parent.tag for parent in node.iterancestors()}
        if f"{_W}txbxContent" in inside and element.tag == f"{_W}p":
            continue
        pieces.append(node.text or "" if node.tag == f"{_W}t" else " ")
    return re.sub(r"\s+", " ", "".join(pieces)).strip()


def _rows(table: Any) -> list[list[str]]:
    rows: list[list[str]] = []
    for row in table.iterchildren(f"{_W}tr"):
        cells: list[str] = []
        for cell in row.iterchildren(f"{_W}tc"):
            cells += [_cell(cell, rows, len(cells))] + [""] * (_span(cell) - 1)
        rows.append(cells)
    return rows


def _cell(cell: Any, above: list[list[str]], column: int) -> str:
    """Return a cell's text; a first cell that is merged with the one above repeats its text."""
    merged = cell.find(f"{_W}tcPr/{_W}vMerge")
    if merged is not None and merged.get(f"{_W}val") != "restart" and above:
        return above[-1][0] if column == 0 else ""
    paragraphs = [_text(p) for p in cell.iterchildren(f"{_W}p")]
    nested = [
        line.removeprefix("- ")
        for table in cell.iterchildren(f"{_W}tbl")
        for line in table_lines(_rows(table))
    ]
    return " ".join(part for part in [*paragraphs, *nested] if part)


def _span(cell: Any) -> int:
    span = cell.find(f"{_W}tcPr/{_W}gridSpan")
    return int(span.get(f"{_W}val")) if span is not None else 1


def read_pptx(raw: bytes, limits: Limits) -> Document:
    """Return a presentation's slides, each under its title, with tables and notes.

    Raises:
        DocumentError: The file is broken or has too many slides.
    """
    import pptx

    try:
        slides = list(pptx.Presentation(io.BytesIO(raw)).slides)
    except Exception as error:  # whatever the XML and zip libraries raise on damage
        raise DocumentError(f"it is broken: {type(error).__name__}") from None
    if len(slides) > limits.pages:
        raise DocumentError(f"{len(slides):,} slides are more than the limit of {limits.pages:,}")
    return Document("\n\n".join(block for slide in slides for block in _slide(slide) if block))


def _slide(slide: Any) -> Iterator[str]:
    title = slide.shapes.title
    if title is not None and title.text_frame.text.strip():
        yield "## " + " ".join(title.text_frame.text.split())
    for shape in _shapes(slide.shapes):
        if shape.has_text_frame and (title is None or shape.shape_id != title.shape_id):
            yield "\n".join(p.text.strip() for p in shape.text_frame.paragraphs if p.text.strip())
        elif getattr(shape, "has_table", False):
            yield "\n".join(table_lines([c.text for c in row.cells] for row in shape.table.rows))
    if slide.has_notes_slide:
        yield slide.notes_slide.notes_text_frame.text.strip()


def _shapes(shapes: Any) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)
        else:
            yield shape
