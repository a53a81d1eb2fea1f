"""Converts plain text, CSV and JSONL to Markdown; files of questions and answers keep pairs."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from knowledge.errors import DocumentError
from knowledge.readers.document import Document, Limits
from knowledge.readers.table_lines import table_lines

_QUESTION = {"question", "q", "问题", "问"}
_ANSWER = {"answer", "a", "答案", "回答", "答"}


def decode(raw: bytes) -> str:
    """Return bytes as text with Unix line ends; the encoding is detected unless it is UTF-8.

    Raises:
        DocumentError: The bytes are not text, or their encoding is unknown.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(raw, cp_exclusion=["utf_7"]).best()
        if best is None:
            raise DocumentError("it is not text, or its encoding is unknown") from None
        text = str(best)
    if "\0" in text:
        raise DocumentError("it is not text: it has zero bytes")
    return text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")


def read_text(raw: bytes, _limits: Limits) -> Document:
    """Read plain text or Markdown."""
    return Document(decode(raw))


def read_csv(raw: bytes, _limits: Limits) -> Document:
    """Read a table; two columns named like questions and answers are read as pairs."""
    text = decode(raw)
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:4096], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = list(csv.reader(io.StringIO(text), dialect))
    columns = [cell.strip().lower() for cell in rows[0]] if rows else []
    question = next((n for n, name in enumerate(columns) if name in _QUESTION), None)
    answer = next((n for n, name in enumerate(columns) if name in _ANSWER), None)
    if question is not None and answer is not None:
        return _faq((row[question], row[answer]) for row in rows[1:] if len(row) == len(columns))
    return Document("\n".join(table_lines(rows)))


def read_jsonl(raw: bytes, _limits: Limits) -> Document:
    """Read one question with its answer per line.

    Raises:
        DocumentError: A line is not an object with both; the message has the line's number.
    """
    pairs = []
    for number, line in enumerate(decode(raw).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = {key.lower(): value for key, value in json.loads(line).items()}
            pairs.append((_value(row, _QUESTION), _value(row, _ANSWER)))
        except (ValueError, AttributeError, StopIteration):
            raise DocumentError(
                f'line {number}: expected {{"question": "…", "answer": "…"}}'
            ) from None
    return _faq(pairs)


def _value(row: dict[str, Any], names: set[str]) -> str:
    return next(str(value) for name, value in row.items() if name in names)


def _faq(pairs: Iterable[tuple[str, str]]) -> Document:
    """Return each answer below its question as a heading, which its passages then carry."""
    sections = [
        f"## {' '.join(question.split())}\n\n{answer.strip()}"
        for question, answer in pairs
        if question.strip() and answer.strip()
    ]
    return Document("\n\n".join(sections))
