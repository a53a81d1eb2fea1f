"""The rows of the training: messages as customers type them, with their risk.

A line of ``tuning/data/risks.*.jsonl`` is an object with ``text``, ``kind``, ``last`` (the
customer's message before, or "") and ``author``. Those of ``risks_dev`` are other authors', on
other subjects: for choosing and reporting alone.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from assistant.intents.risks import RISKS
from tuning.customer_messages import Part

DATA = Path(__file__).parent.parent / "data"
LANGUAGES = ("en", "zh")
# Wishes for a person are no risk; ``tuning.turn_kinds`` learns them.
PERSON = "person"


@dataclass(frozen=True, slots=True)
class RiskRow:
    """A message, the customer's message before it ("" for none), and its kind."""

    text: str
    before: str
    kind: str
    lang: str


def rows_of(part: Part) -> list[RiskRow]:
    """Return the messages of a part in both languages.

    Raises:
        ValueError: A kind is unknown.
    """
    name = "risks" if part == "train" else "risks_dev"
    rows = []
    for lang in LANGUAGES:
        file = DATA / f"{name}.{lang}.jsonl"
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            row = json.loads(line)
            if row["kind"] not in (*RISKS, PERSON):
                raise ValueError(
                    f"{file}:{number}: expected one of {RISKS}, found {row['kind']!r}."
                )
            rows.append(RiskRow(row["text"], row["last"], row["kind"], lang))
    return rows
