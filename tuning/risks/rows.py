"""The rows of the training: messages as customers type them, with their risk.

A line of ``tuning/data/risks.*.jsonl`` is an object with ``text``, ``kind``, ``last`` (the
customer's message before, or "") and ``author``. Those of ``risks_dev`` are other authors', on
other subjects: for choosing and reporting alone.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

from assistant.intents.risks import RISKS
from tuning.customer_messages import Part, help_centres
from tuning.customer_talks import talks_of

DATA = Path(__file__).parent.parent / "data"
LANGUAGES = ("en", "zh")
# Later turns of this project's conversations that are trained on as ordinary, in each language.
EVERYDAY = 600
# The expectations of such turns.
ASKING = ("answer", "decline")


@dataclass(frozen=True, slots=True)
class RiskRow:
    """A message, the customer's message before it ("" for none), and its kind."""

    text: str
    before: str
    kind: str
    lang: str


def everyday_rows() -> list[RiskRow]:
    """Return customers' first messages and later turns as ordinary ones, and wishes for a person.

    Most messages are ordinary, and those that were written for it look dangerous or sad. With
    FRONTDESK_DATA, other people's first messages are among them.
    """
    chance = random.Random(0)
    rows = []
    for lang in LANGUAGES:
        rows += [
            RiskRow(message.question, "", "ordinary", lang)
            for centre in help_centres("train", lang)
            for message in centre.messages
            if not message.is_later
        ]
        own = [talks for talks in talks_of("train", lang) if talks.own]
        turns = [turn for talks in own for talk in talks.talks for turn in talk]
        asking = [
            RiskRow(turn.text, turn.last.question, "ordinary", lang)
            for turn in turns
            if turn.last and turn.expect in ASKING
        ]
        rows += chance.sample(asking, min(EVERYDAY, len(asking)))
        lines = (DATA / f"turn_kinds.{lang}.jsonl").read_text(encoding="utf-8").splitlines()
        written = map(json.loads, lines)
        rows += [
            RiskRow(row["text"], row["last"], "person", lang)
            for row in written
            if row["kind"] == "person"
        ]
    return rows


def rows_of(part: Part) -> list[RiskRow]:
    """Return the messages of a part that were written for it, in both languages.

    Raises:
        ValueError: A kind is unknown.
    """
    name = "risks" if part == "train" else "risks_dev"
    rows = []
    for lang in LANGUAGES:
        file = DATA / f"{name}.{lang}.jsonl"
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            row = json.loads(line)
            if row["kind"] not in RISKS:
                raise ValueError(
                    f"{file}:{number}: expected one of {RISKS}, found {row['kind']!r}."
                )
            rows.append(RiskRow(row["text"], row["last"], row["kind"], lang))
    return rows
