"""Reads documents of every kind into Markdown text; a file that cannot be read says why.

Only the text that a person would see is kept. Nothing is fetched: links and pictures that a
document names stay unread. Kinds that need a library of the extra ``documents`` say so where it is
missing.
"""

import csv
import importlib
import io
import itertools
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from knowledge.errors import DocumentError

EXTRA = "python -m pip install -c constraints.txt -e '.[documents]'"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_QUESTION = {"question", "q", "问题", "问"}
_ANSWER = {"answer", "a", "答案", "回答", "答"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may cost; whatever is larger is skipped with the reason.

    Attributes:
        file_bytes: The largest file.
        unpacked_bytes: The most that a zipped document (DOCX, PPTX, XLSX) may unpack to.
        pages: The most pages or slides of one document.
        characters: The longest text of one document.
        seconds: The longest time that one document may take.
        memory_bytes: The most memory that reading one document may take.
    """

    file_bytes: int = 50_000_000
    unpacked_bytes: int = 300_000_000
    pages: int = 500
    characters: int = 2_000_000
    seconds: float = 60.0
    memory_bytes: int = 4_000_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """The text of a file as Markdown, and its title where the file names one."""

    text: str
    title: str | None = None


Reader = Callable[[bytes, Limits], Document]


def read_document(path: Path, limits: Limits | None = None) -> Document:
    """Read one file.

    Args:
        path: The file; its suffix tells the kind.
        limits: What it may cost; ``seconds`` is kept by a caller who runs this as a process.

    Raises:
        DocumentError: The file is empty, broken, encrypted, too large, a scan or of a kind that
            is not read; the message is the reason alone, without the path.
    """
    limits = limits or Limits()
    size = path.stat().st_size
    if size == 0:
        raise DocumentError("the file is empty")
    if size > limits.file_bytes:
        raise DocumentError(f"{size:,} bytes are more than the limit of {limits.file_bytes:,}")
    raw = path.read_bytes()
    reader = _reader(path.suffix.lower(), raw, limits)
    document = reader(raw, limits)
    if not re.search(r"\w", document.text):
        raise DocumentError("there is no text in it")
    if len(document.text) > limits.characters:
        raise DocumentError(
            f"{len(document.text):,} characters are more than the limit of {limits.characters:,}"
        )
    return document


def is_readable(path: Path) -> bool:
    """Tell whether the suffix is one of a document, readable or to be refused with a reason."""
    return path.suffix.lower() in READERS or path.suffix.lower() in REFUSED


def _reader(suffix: str, raw: bytes, limits: Limits) -> Reader:
    if suffix in REFUSED:
        raise DocumentError(REFUSED[suffix])
    if suffix not in READERS:
        raise DocumentError(f"files of the kind {suffix or '(none)'} are not read")
    if suffix in ZIPPED:
        _check_zip(suffix, raw, limits)
    return READERS[suffix]


def _check_zip(suffix: str, raw: bytes, limits: Limits) -> None:
    if raw.startswith(_OLE):
        raise DocumentError("it is encrypted with a password; save it without one")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile:
        raise DocumentError(f"it is broken: not a {suffix[1:].upper()} file inside") from None
    if unpacked > limits.unpacked_bytes:
        raise DocumentError(
            f"it unpacks to {unpacked:,} bytes, more than the limit of {limits.unpacked_bytes:,}"
        )


def decode(raw: bytes) -> str:
    """Return the text of bytes in whatever encoding they are, with line feeds as line ends.

    Raises:
        DocumentError: They are no text.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(raw, cp_exclusion=["utf_7"]).best()
        if best is None:
            raise DocumentError("it is no text, or in an unknown encoding") from None
        text = str(best)
    if "\0" in text:
        raise DocumentError("it is no text: it holds zero bytes")
    return text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")


def table_lines(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table as one list item a row, in which each cell keeps its header.

    So a row means the same wherever the text is cut: ``- Service: Spare card; Fee: £5``. A table
    whose first row holds figures has no header, and its cells stand alone.
    """
    cleaned = [[re.sub(r"\s+", " ", cell).strip() for cell in row] for row in rows]
    filled = [row for row in cleaned if any(row)]
    # What stands alone above the header, or over the whole width, is a caption.
    caption = list(itertools.takewhile(lambda row: len(set(filter(None, row))) == 1, filled))
    if len(caption) == len(filled):
        return [cell for row in filled for cell in dict.fromkeys(filter(None, row))]
    header, *body = filled[len(caption) :]
    titles = [next(filter(None, row)) for row in caption]
    if body and _is_header(header):
        return titles + [_line(header, row) for row in body]
    return titles + [_line([], row) for row in [header, *body]]


def _is_header(header: Sequence[str]) -> bool:
    # A header may leave a cell empty, but it names most columns and holds no figure.
    names = [cell for cell in header if cell]
    return len(names) > len(header) / 2 and not any(_is_figure(cell) for cell in names)


def _is_figure(cell: str) -> bool:
    # Years and quarters name columns.
    year = re.fullmatch(r"(19|20)\d\d([-/]\d{2,4})?", cell)
    return bool(re.search(r"\d", cell)) and not year and not re.search(r"[^\W\d_]", cell)


def _line(header: Sequence[str], row: Sequence[str]) -> str:
    names = [*header, *[""] * len(row)]
    named = zip(names, row, strict=False)
    return "- " + "; ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)


def _read_text(raw: bytes, _limits: Limits) -> Document:
    return Document(decode(raw))


def _read_csv(raw: bytes, _limits: Limits) -> Document:
    text = decode(raw)
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:4096], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = list(csv.reader(io.StringIO(text), dialect))
    columns = [cell.strip().lower() for cell in rows[0]] if rows else []
    asked = [n for n, name in enumerate(columns) if name in _QUESTION]
    answered = [n for n, name in enumerate(columns) if name in _ANSWER]
    if asked and answered:
        pairs = [(row[asked[0]], row[answered[0]]) for row in rows[1:] if len(row) == len(columns)]
        return _faq(pairs)
    return Document("\n".join(table_lines(rows)))


def _read_jsonl(raw: bytes, _limits: Limits) -> Document:
    pairs = []
    for number, line in enumerate(decode(raw).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = {key.lower(): value for key, value in json.loads(line).items()}
            pair = [str(row[next(key for key in row if key in names)]) for names in _FAQ_NAMES]
        except (ValueError, AttributeError, StopIteration):
            raise DocumentError(
                f'line {number}: expected {{"question": "…", "answer": "…"}}'
            ) from None
        pairs.append((pair[0], pair[1]))
    return _faq(pairs)


_FAQ_NAMES = (_QUESTION, _ANSWER)


def _faq(pairs: Iterable[tuple[str, str]]) -> Document:
    """Each question becomes a heading, so that it is the path of its answer's passage."""
    sections = [
        f"## {' '.join(question.split())}\n\n{answer.strip()}"
        for question, answer in pairs
        if question.strip() and answer.strip()
    ]
    return Document("\n\n".join(sections))


def _lazy(module: str, function: str) -> Reader:
    """Return a reader whose libraries are imported when the first such file is read."""

    def read(raw: bytes, limits: Limits) -> Document:
        try:
            reader: Reader = getattr(importlib.import_module(module), function)
        except ModuleNotFoundError as error:
            raise DocumentError(f"reading it needs the package {error.name}: {EXTRA}") from None
        return reader(raw, limits)

    return read


_PDF = _lazy("knowledge.pdf_reader", "read_pdf")
_DOCX = _lazy("knowledge.office_readers", "read_docx")
_PPTX = _lazy("knowledge.office_readers", "read_pptx")
_SHEETS = _lazy("knowledge.sheet_reader", "read_sheets")
_HTML = _lazy("knowledge.html_reader", "read_html")

READERS: dict[str, Reader] = {
    ".md": _read_text,
    ".markdown": _read_text,
    ".txt": _read_text,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".jsonl": _read_jsonl,
    ".html": _HTML,
    ".htm": _HTML,
    ".xhtml": _HTML,
    ".xml": _HTML,
    ".pdf": _PDF,
    ".docx": _DOCX,
    ".pptx": _PPTX,
    ".xlsx": _SHEETS,
    ".xls": _SHEETS,
    ".ods": _SHEETS,
}
ZIPPED = frozenset({".docx", ".pptx", ".xlsx", ".ods"})
_PICTURE = "it is a picture, and text in pictures is not read; add the text as a document"
_ARCHIVE = "archives are not unpacked; put the documents themselves into the folder"
REFUSED = {
    ".doc": "the old Word format is not read; save it as DOCX",
    ".ppt": "the old PowerPoint format is not read; save it as PPTX",
    ".rtf": "RTF is not read; save it as DOCX",
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp", ".webp"), _PICTURE),
    **dict.fromkeys((".zip", ".7z", ".rar", ".gz", ".tar", ".tgz"), _ARCHIVE),
}


def main() -> int:
    """Read one file for a caller that may end this process: text or error as JSON."""
    path, limits = Path(sys.argv[1]), Limits(**json.loads(sys.argv[2]))
    _bound_memory(limits.memory_bytes)
    try:
        answer = asdict(read_document(path, limits))
    except DocumentError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": f"reading it takes more than {limits.memory_bytes:,} bytes of memory"}
    sys.stdout.buffer.write(json.dumps(answer).encode())
    return 0


def _bound_memory(most: int) -> None:
    try:
        import resource
    except ModuleNotFoundError:  # Windows has no such limit
        return
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    sys.exit(main())
