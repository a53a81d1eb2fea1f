"""What a reader takes and returns: limits, and a document's text as Markdown."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost to read; documents above a limit are skipped.

    Attributes:
        file_bytes: The largest file, in bytes.
        unpacked_bytes: The largest unpacked size of a zipped document (DOCX, PPTX, XLSX, ODS).
        pages: The largest number of pages or slides.
        characters: The longest text, in characters.
        seconds: The longest time that reading may take.
        memory_bytes: The most memory that reading may take.
    """

    file_bytes: int = 50_000_000
    unpacked_bytes: int = 300_000_000
    pages: int = 500
    characters: int = 2_000_000
    seconds: float = 60.0
    memory_bytes: int = 4_000_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """The text of a file as Markdown, and its title if the file has one."""

    text: str
    title: str | None = None


Reader = Callable[[bytes, Limits], Document]
