"""Plain text, CSV and JSONL → Markdown; a file of questions and answers keeps its pairs."""

import csv
import io
import json
from collections.abc import Iterable

from knowledge.errors import DocumentError
from knowledge.readers.document import Document, Limits
from knowledge.readers.table_lines import table_lines

_QUESTION = {"question", "q", "问题", "问"}


_ANSWER = {"answer", "a", "答案", "回答", "答"}


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


def read_text(raw: bytes, _limits: Limits) -> Document:
    """Read plain text or Markdown; see ``reading.read_document``."""
    return Document(decode(raw))


def read_csv(raw: bytes, _limits: Limits) -> Document:
    """Read a table, or questions with their answers where two columns are called so."""
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


def read_jsonl(raw: bytes, _limits: Limits) -> Document:
    """Read one question with its answer a line.

    Raises:
        DocumentError: A line holds neither; the message names it.
    """
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
