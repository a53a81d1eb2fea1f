"""PDF → Markdown: PDFium's text in reading order, ruled tables with their headers.

PDFium was better than pdfminer on awkward files: it keeps columns apart, table rows on one line and
rotated pages readable, where pdfminer cut tables into columns and rotated words into letters.
"""

import io
import re
from collections.abc import Iterator

import pypdfium2 as pdfium
from pypdfium2 import raw as pdfium_raw

from knowledge.errors import DocumentError
from knowledge.readers.document import Document, Limits
from knowledge.readers.table_lines import table_lines

# Text drawn in this mode leaves no mark on the page: the text under a scan, or hidden orders.
INVISIBLE = 3
# A ruled box is a table from this many rows and columns on, and if so much of it is filled.
MIN_ROWS, MIN_COLUMNS, MIN_FILLED = 2, 2, 0.6
# A line shorter than this share of the longest one ends its paragraph.
FULL_LINE = 0.65


def read_pdf(raw: bytes, limits: Limits) -> Document:
    """Return the visible text of a PDF.

    Raises:
        DocumentError: It is encrypted, broken, too long, or has no visible text.
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
    reader = page.get_textpage()
    text = reader.get_text_range() if whole else reader.get_text_bounded(bottom=bottom, top=top)
    # U+FFFE marks a hyphen at a line's end: the word goes on.
    return _unwrap(text.replace("\r\n", "\n").replace("\ufffe\n", "").replace("\ufffe", ""))


def _unwrap(text: str) -> str:
    """Join the lines of a paragraph, so that sentences are whole; rows of figures stay lines."""
    lines = [re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n")]
    longest = max((len(line) for line in lines), default=0)
    joined: list[str] = []
    for before, line in zip(["", *lines], lines, strict=False):
        goes_on = len(before) >= FULL_LINE * longest and not re.search(
            r"[.:;!?。：；！？]$", before
        )
        lower = bool(re.match(r"[a-z(,;]", line)) and bool(before)
        if joined and line and not _is_row(before) and not _is_row(line) and (goes_on or lower):
            joined[-1] += _gap(before, line) + line
        elif line:
            joined.append(line)
    return "\n".join(joined)


def _gap(before: str, line: str) -> str:
    return (
        "" if re.search(r"[\u3000-\u9fff]$", before) and re.match(r"[\u3000-\u9fff]", line) else " "
    )


def _is_row(line: str) -> bool:
    cells = line.split()
    figures = sum(bool(re.search(r"\d", cell)) for cell in cells)
    return len(cells) > 1 and figures > len(cells) / 2


def _tables(
    page: pdfium.PdfPage, raw: bytes, number: int
) -> Iterator[tuple[tuple[float, float, float, float], list[list[str]]]]:
    """Yield the page's ruled tables from the top, each with its box (left, bottom, right, top)."""
    lines = list(page.get_objects(filter=[pdfium_raw.FPDF_PAGEOBJ_PATH]))
    if len(lines) < MIN_ROWS + MIN_COLUMNS or page.get_rotation():
        return
    import pdfplumber

    with pdfplumber.open(io.BytesIO(raw), pages=[number + 1]) as pdf:
        layout = pdf.pages[0]
        found = sorted(layout.find_tables(), key=lambda table: table.bbox[1])
        last = 0.0
        for table in found:
            rows = [[cell or "" for cell in row] for row in table.extract()]
            if table.bbox[1] < last or not _is_table(rows):
                continue
            last = table.bbox[3]
            left, top, right, bottom = table.bbox
            height = float(layout.height)
            yield (left, height - bottom, right, height - top), _filled(rows)


def _is_table(rows: list[list[str]]) -> bool:
    cells = [cell for row in rows for cell in row]
    enough = len(rows) >= MIN_ROWS and len(rows[0]) >= MIN_COLUMNS
    return enough and sum(bool(cell.strip()) for cell in cells) >= MIN_FILLED * len(cells)


def _filled(rows: list[list[str]]) -> list[list[str]]:
    """Give each column one name where a header spans two rows."""
    first, second = rows[0], rows[1]
    if all(first) or any(re.search(r"\d", cell) for cell in second if cell):
        return rows
    names = [f"{a} {b}".strip() for a, b in zip(_spread(first), second, strict=True)]
    return [names, *rows[2:]]


def _spread(row: list[str]) -> list[str]:
    spread: list[str] = []
    for cell in row:
        spread.append(cell or (spread[-1] if spread else ""))
    return spread
