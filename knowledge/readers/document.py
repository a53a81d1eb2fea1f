"""What a reader takes and gives: the limits of a document, and its text as Markdown."""

from collections.abc import Callable
from dataclasses import dataclass


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
