"""Reads labelled texts from CSV, JSONL, Rasa YAML or the hub, and checks them."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.classifier.config import Source


class DataError(ValueError):
    """Labelled texts cannot be used; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text with its label ("" if it has none), its weight, and where it comes from."""

    text: str
    label: str
    weight: float
    file: str
    line: int

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}, line {self.line}"

    @property
    def key(self) -> tuple[str, ...]:
        """The words in lower case, without punctuation; the text itself if it has no words."""
        return tuple(re.findall(r"\w+", self.text.lower())) or (self.text,)


def read_all(sources: Iterable[Source]) -> list[Labelled]:
    """Return the rows of several sources.

    Raises:
        DataError: A file cannot be read, or a row lacks a column.
    """
    return [row for source in sources for row in read_source(source)]


def read_source(source: Source) -> list[Labelled]:
    """Return the rows that a source selects.

    Raises:
        DataError: As for ``read_all``.
    """
    selected = [
        _labelled(values, source, file, line)
        for values, file, line in _rows(source)
        if _is_selected(values, source)
    ]
    kept = [row for row in selected if row.label not in source.without and row.text.strip()]
    if not kept:
        raise DataError(
            f"{source.path or source.hub}: expected labelled texts, found none. Check `where`, "
            f"`at_least` and `without`."
        )
    if source.conflicts == "drop":
        kept = _without_conflicts(kept)
    return kept[source.offset :: source.every]


def check(train: Sequence[Labelled], held_out: Sequence[Labelled]) -> None:
    """Check that training and held-out rows fit together.

    Raises:
        DataError: There is only one class, a text has two labels, or a held-out label is unknown.
    """
    first: dict[tuple[str, ...], Labelled] = {}
    for row in train:
        other = first.setdefault(row.key, row)
        if other.label != row.label:
            raise DataError(
                f"{row.place}: expected each text under one label, found {row.text!r} under "
                f"{row.label} and, in {other.place}, under {other.label}. Remove one."
            )
    labels = {row.label for row in train}
    if len(labels) < 2:  # noqa: PLR2004
        raise DataError(
            f"{train[0].place}: expected at least two classes in the training data, found only "
            f"{train[0].label!r}."
        )
    for row in held_out:
        if row.label not in labels:
            raise DataError(
                f"{row.place}: expected a label of the training data, found {row.label!r} "
                f"({row.text!r}). Add training examples of it, or leave it out with `without`."
            )


def without_held_out(train: Sequence[Labelled], held_out: Sequence[Labelled]) -> list[Labelled]:
    """Return the training rows whose words occur in no held-out row."""
    keys = {row.key for row in held_out}
    return [row for row in train if row.key not in keys]


def _without_conflicts(rows: Sequence[Labelled]) -> list[Labelled]:
    labels: dict[tuple[str, ...], set[str]] = {}
    for row in rows:
        labels.setdefault(row.key, set()).add(row.label)
    return [row for row in rows if len(labels[row.key]) == 1]


def _rows(source: Source) -> Iterator[tuple[dict[str, Any], str, int]]:
    """Yield the columns of each row with its file and line."""
    if source.hub:
        yield from _hub_rows(source)
        return
    if not source.path:
        raise DataError("Expected `path` or `hub` in each source, found neither.")
    file = Path(source.path)
    if "$" in source.path:
        raise DataError(
            f"{file}: expected its environment variable to be set. For example: "
            f"FRONTDESK_DATA=~/data python -m tuning.classifier …"
        )
    readers = {".csv": _csv, ".jsonl": _jsonl, ".yml": _rasa, ".yaml": _rasa}
    if file.suffix not in readers:
        raise DataError(f"{file}: expected one of {', '.join(readers)}, found {file.suffix!r}.")
    try:
        yield from readers[file.suffix](file, source)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: expected a file of labelled texts, found {error}") from None


def _csv(file: Path, _source: Source) -> Iterator[tuple[dict[str, Any], str, int]]:
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        for values in reader:
            yield values, str(file), reader.line_num


def _jsonl(file: Path, _source: Source) -> Iterator[tuple[dict[str, Any], str, int]]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                values = json.loads(line)
            except ValueError as error:
                raise DataError(f"{file}, line {number}: expected JSON, found {error}") from None
            yield values, str(file), number


def _rasa(file: Path, source: Source) -> Iterator[tuple[dict[str, Any], str, int]]:
    from assistant.errors import IntentsError
    from assistant.intents.intent_files import read_intents

    try:
        for intent in read_intents(file):
            for example in intent.located_examples:
                label = source.label or "label"
                yield {source.text: example.text, label: intent.name}, str(file), example.line
    except IntentsError as error:
        raise DataError(str(error)) from None


def _hub_rows(source: Source) -> Iterator[tuple[dict[str, Any], str, int]]:
    try:
        from datasets import ClassLabel, load_dataset
    except ImportError:
        raise DataError(
            "Expected the package `datasets` for a data set on the hub, found none. Install it: "
            "python -m pip install -c constraints.txt -e '.[train]'"
        ) from None
    data = load_dataset(source.hub, split=source.split)
    feature = data.features.get(source.label) if source.label else None
    for number, row in enumerate(data, 1):
        values = dict(row)
        if isinstance(feature, ClassLabel):
            values[source.label] = feature.int2str(row[source.label])
        yield values, f"{source.hub}[{source.split}]", number


def _is_selected(values: dict[str, Any], source: Source) -> bool:
    same = all(str(values.get(name)) == value for name, value in source.where.items())
    return same and all(
        float(values.get(name) or 0) >= least for name, least in source.at_least.items()
    )


def _labelled(values: dict[str, Any], source: Source, file: str, line: int) -> Labelled:
    for column in filter(None, (source.text, source.label)):
        if not values.get(column):
            filled = ", ".join(name for name, value in values.items() if value)
            raise DataError(
                f"{file}, line {line}: expected a value in the column {column!r}, found "
                f"only {filled or 'nothing'}."
            )
    label = str(values[source.label]) if source.label else ""
    if source.plain_labels:
        label = label.lower().replace("?", "")
    label = source.labels.get(label, label)
    return Labelled(str(values[source.text]), label, source.weight, file, line)
