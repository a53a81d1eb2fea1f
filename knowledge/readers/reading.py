"""Reads a document of any kind into Markdown, or gives the reason why it cannot.

Only the text that a person would see is kept. Nothing is fetched: links and pictures in a document
are ignored. Some kinds need a library of the extra ``documents``; if it is missing, the reason
names the command that installs it.
"""

import importlib
import io
import re
import zipfile
from pathlib import Path

from knowledge.errors import DocumentError
from knowledge.readers.document import Document, Limits, Reader
from knowledge.readers.plain import read_csv, read_jsonl, read_text

EXTRA = "python -m pip install -c constraints.txt -e '.[documents]'"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read_document(path: Path, limits: Limits | None = None) -> Document:
    """Read one file.

    Args:
        path: The file; its suffix determines the kind.
        limits: What it may cost to read. ``seconds`` and ``memory_bytes`` are enforced by callers
            that run this in a separate process.

    Raises:
        DocumentError: The file is empty, broken, encrypted, too large, a scan or of a kind that is
            not supported; the message is the reason alone, without the path.
        OSError: The file cannot be opened.
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
    """Return whether the suffix is a document's, even if its kind is refused with a reason."""
    return path.suffix.lower() in READERS or path.suffix.lower() in REFUSED


def _reader(suffix: str, raw: bytes, limits: Limits) -> Reader:
    if suffix in REFUSED:
        raise DocumentError(REFUSED[suffix])
    if suffix not in READERS:
        raise DocumentError(f"the file type {suffix or '(none)'} is not supported")
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
        raise DocumentError(f"it is broken: it contains no {suffix[1:].upper()} document") from None
    if unpacked > limits.unpacked_bytes:
        raise DocumentError(
            f"it unpacks to {unpacked:,} bytes, more than the limit of {limits.unpacked_bytes:,}"
        )


def _lazy(module: str, function: str) -> Reader:
    """Return a reader whose libraries are imported when it reads its first file."""

    def read(raw: bytes, limits: Limits) -> Document:
        try:
            reader: Reader = getattr(importlib.import_module(module), function)
        except ModuleNotFoundError as error:
            raise DocumentError(
                f"reading it needs the package {error.name}; install it with: {EXTRA}"
            ) from None
        return reader(raw, limits)

    return read


_PDF = _lazy("knowledge.readers.pdf", "read_pdf")
_DOCX = _lazy("knowledge.readers.office", "read_docx")
_PPTX = _lazy("knowledge.readers.office", "read_pptx")
_SHEETS = _lazy("knowledge.readers.sheets", "read_sheets")
_HTML = _lazy("knowledge.readers.html", "read_html")

READERS: dict[str, Reader] = {
    ".md": read_text,
    ".markdown": read_text,
    ".txt": read_text,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".jsonl": read_jsonl,
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
    ".doc": "the old Word format is not supported; save it as DOCX",
    ".ppt": "the old PowerPoint format is not supported; save it as PPTX",
    ".rtf": "RTF is not supported; save it as DOCX",
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp", ".webp"), _PICTURE),
    **dict.fromkeys((".zip", ".7z", ".rar", ".gz", ".tar", ".tgz"), _ARCHIVE),
}
