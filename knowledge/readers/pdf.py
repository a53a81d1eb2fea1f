"""Converts PDF to Markdown: text in reading order, ruled tables with their headers.

PDFium reads awkward files better than pdfminer: it separates columns, keeps table rows on one line
and reads rotated pages, where pdfminer splits tables into columns and rotated words into letters.
"""

import io
import re
from collections.abc import Iterator

import pypdfium2 as pdfium
from pypdfium2 import raw as pdfium_raw

from knowledge.errors import DocumentError
from knowledge.readers.document import Document, Limits
from knowledge.readers.table_lines import table_lines

# The rendering mode of text that is not drawn: the text layer of a scan, or hidden instructions.
INVISIBLE = 3
# A ruled box is a table if it has at least this many rows, columns and this share of filled cells.
MIN_ROWS, MIN_COLUMNS, MIN_FILLED = 2, 2, 0.6
# A line shorter than this share of the longest one ends its paragraph.
FULL_LINE = 0.65


def read_pdf(raw: bytes, limits: Limits) -> Document:
    """Return the visible text of a PDF.

    Raises:
        DocumentError: The file is encrypted, broken, too long, or has no visible text.
    """
    try:
        pdf = pdfium.PdfDocument(raw)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise DocumentError("it is encrypted with a password; save it without one") from None
        raise DocumentError("it is broken: PDFium cannot open it") from None
    try:
        if len(pdf) > limits.pages:
            raise DocumentError(f"{len(pdf):,} pages are more than the limit of {limits.pages:,}")
        pages = [_read_page(page, raw, number) for number, page in enumerate(pdf)]
        title = (pdf.get_metadata_dict().get("Title") or "").strip() or None
    finally:
        pdf.close()
    text = "\n\n".join(page for page in pages if page)
    if not text:
        raise DocumentError("it has no text layer that can be seen: a scan needs OCR first")
    return Document(
        text, title if title and not title.lower().endswith((".doc", ".docx")) else None
    )


def _read_page(page: pdfium.PdfPage, raw: bytes, number: int) -> str:
    _drop_invisible(page)
    parts: list[str] = []
    top = page.get_height()
    for box, rows in _tables(page, raw, number):
        parts += [_text_between(page, box[3], top), "\n".join(table_lines(rows))]
        top = box[1]
    parts.append(_text_between(page, 0.0, top))
    return "\n\n".join(part for part in parts if part.strip())


def _drop_invisible(page: pdfium.PdfPage) -> None:
    texts = list(page.get_objects(filter=[pdfium_raw.FPDF_PAGEOBJ_TEXT]))
    hidden = [t for t in texts if pdfium_raw.FPDFTextObj_GetTextRenderMode(t) == INVISIBLE]
    for text in hidden:
        page.remove_obj(text)
    if hidden:
        page.gen_content()


def _text_between(page: pdfium.PdfPage, bottom: float, top: float) -> str:
    whole = bottom <= 0 and top >= page.get_height()
    layer = page.get_textpage()
    text = layer.get_text_range() if whole else layer.get_text_bounded(bottom=bottom, top=top)
    # U+FFFE marks a hyphen at the end of a line, where a word continues.
    return _unwrap(text.replace("\r\n", "\n").replace("\ufffe\n", "").replace("\ufffe", ""))


def _unwrap(text: str) -> str:
    """Join the lines of each paragraph to make sentences whole; rows of figures stay lines."""
    lines = [re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n")]
    longest = max((len(line) for line in lines), default=0)
    joined: list[str] = []
    for previous, line in zip(["", *lines], lines, strict=False):
        ended = re.search(r"[.:;!?。：；！？]$", previous)
        is_full = len(previous) >= FULL_LINE * longest and not ended
        starts_lower = bool(previous) and bool(re.match(r"[a-z(,;]", line))
        rows = _is_row(previous) or _is_row(line)
        if joined and line and not rows and (is_full or starts_lower):
            joined[-1] += _gap(previous, line) + line
        elif line:
            joined.append(line)
    return "\n".join(joined)


def _gap(previous: str, line: str) -> str:
    chinese = re.search(r"[\u3000-\u9fff]$", previous) and re.match(r"[\u3000-\u9fff]", line)
    return "" if chinese else " "


def _is_row(line: str) -> bool:
    cells = line.split()
    figures = sum(bool(re.search(r"\d", cell)) for cell in cells)
    return len(cells) > 1 and figures > len(cells) / 2


def _tables(
    page: pdfium.PdfPage, raw: bytes, number: int
) -> Iterator[tuple[tuple[float, float, float, float], list[list[str]]]]:
    """Yield the page's ruled tables, top first, each with its box (left, bottom, right, top)."""
    lines = list(page.get_objects(filter=[pdfium_raw.FPDF_PAGEOBJ_PATH]))
    if len(lines) < MIN_ROWS + MIN_COLUMNS or page.get_rotation():
        return
    import pdfplumber

    with pdfplumber.open(io.BytesIO(raw), pages=[number + 1]) as pdf:
        layout = pdf.pages[0]
        height = float(layout.height)
        previous_bottom = 0.0
        for table in sorted(layout.find_tables(), key=lambda table: table.bbox[1]):
            left, top, right, bottom = table.bbox  # pdfplumber measures from the top of the page
            rows = [[cell or "" for cell in row] for row in table.extract()]
            if top < previous_bottom or not _is_table(rows):
                continue
            previous_bottom = bottom
            yield (left, height - bottom, right, height - top), _with_one_header(rows)


def _is_table(rows: list[list[str]]) -> bool:
    cells = [cell for row in rows for cell in row]
    enough = len(rows) >= MIN_ROWS and len(rows[0]) >= MIN_COLUMNS
    return enough and sum(bool(cell.strip()) for cell in cells) >= MIN_FILLED * len(cells)


def _with_one_header(rows: list[list[str]]) -> list[list[str]]:
    """Merge a header of two rows into one, so that each column has one name."""
    first, second = rows[0], rows[1]
    if all(first) or any(re.search(r"\d", cell) for cell in second if cell):
        return rows
    names = [f"{a} {b}".strip() for a, b in zip(_filled(first), second, strict=True)]
    return [names, *rows[2:]]


def _filled(row: list[str]) -> list[str]:
    """Fill each empty cell with the one to its left, as a name that spans columns names each."""
    filled: list[str] = []
    for cell in row:
        filled.append(cell or (filled[-1] if filled else ""))
    return filled
