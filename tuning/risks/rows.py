"""The rows of the training: messages as customers type them, with their risk.

A line of ``tuning/data/risks.*.jsonl`` is an object with ``text``, ``kind``, ``last`` (the
customer's message before, or "") and ``author``. Those of ``risks_dev`` are other authors', on
other subjects: for choosing and reporting alone.
"""

import random
from dataclasses import dataclass
from pathlib import Path

from assistant.intents.intent_files import GENERAL, read_intents
from assistant.intents.question_reader import STATEMENTS
from assistant.intents.risks import RISKS
from tuning.companies import load_companies
from tuning.customer_messages import Part, help_centres, shared_folder
from tuning.customer_talks import talks_of
from tuning.json_lines import read_json_lines, read_labelled_lines
from tuning.public_data import banking77, out_of_scope
from tuning.questions.rows import question_rows
from tuning.verdicts.rows import verdict_rows

DATA = Path(__file__).parent.parent / "data"
LANGUAGES = ("en", "zh")
# Messages of each kind and language that are drawn from conversations and from each public set.
DRAWN = 600
# What the expectations of turns are called here; others are left out.
TURNS = {"answer": "ordinary", "decline": "ordinary", "small_talk": "ordinary", "handoff": "person"}
# What the intents of every company are called here.
INTENTS = {
    "greeting": "ordinary",
    "thanks": "ordinary",
    "goodbye": "ordinary",
    "who_are_you": "ordinary",
    "what_can_you_do": "ordinary",
    "talk_to_a_person": "person",
    "abuse": "insult",
    "out_of_scope": "outside",
}


@dataclass(frozen=True, slots=True)
class RiskRow:
    """A message, the customer's message before it ("" for none), and its kind."""

    text: str
    before: str
    kind: str
    lang: str


def everyday_rows() -> list[RiskRow]:
    """Return messages that were not written for it: nearly all of them are ordinary.

    Those that were written for it look dangerous or sad. With FRONTDESK_DATA, other people's
    messages are among them, and BANKING77, CLINC150 and CrossWOZ.
    """
    chance = random.Random(0)
    rows = _asked(chance)
    for lang in LANGUAGES:
        rows += [
            RiskRow(message.question, "", "ordinary", lang)
            for centre in help_centres("train", lang)
            for message in centre.messages
            if not message.is_later
        ]
        turns = [t for talks in talks_of("train", lang) for talk in talks.talks for t in talk]
        said = [
            RiskRow(turn.text, turn.last.question, TURNS[turn.expect], lang)
            for turn in turns
            if turn.last and turn.expect in TURNS
        ]
        rows += _drawn(said, chance)
        rows += [
            RiskRow(
                row["text"], row["last"], "person" if row["kind"] == "person" else "ordinary", lang
            )
            for row in read_json_lines(DATA / f"turn_kinds.{lang}.jsonl")
        ]
        rows += [
            RiskRow(text, "", INTENTS[intent.name], lang)
            for intent in read_intents(GENERAL / f"{lang}.yml")
            if intent.name in INTENTS
            for text in intent.examples
        ]
    return rows + (_public_rows(chance) if shared_folder() else [])


def _asked(chance: random.Random) -> list[RiskRow]:
    """Return questions to all kinds of companies, however they are put.

    Without them, "how do I get rid of …" would look like harm for its form alone.
    """
    asked = [(row.text, row.lang) for row in question_rows("train") if row.shape not in STATEMENTS]
    for lang in LANGUAGES:
        read = [
            row.question for row in verdict_rows() if row.lang == lang and row.verdict != "open"
        ]
        named = [
            pair.question
            for company in load_companies("train")
            if company.lang == lang
            for pair in company.pairs
        ]
        for texts, most in ((read, 2 * DRAWN), (named, DRAWN)):
            asked += [(text, lang) for text in chance.sample(texts, min(most, len(texts)))]
    return [RiskRow(text, "", "ordinary", lang) for text, lang in asked]


def _public_rows(chance: random.Random) -> list[RiskRow]:
    rows = [RiskRow(text, "", "ordinary", "en") for text, _ in banking77("train")]
    rows = _drawn(rows, chance)
    for lang in LANGUAGES:
        outside = [RiskRow(text, "", "outside", lang) for text in out_of_scope(lang, "train")]
        rows += _drawn(outside, chance)
    return rows


def _drawn(rows: list[RiskRow], chance: random.Random) -> list[RiskRow]:
    return chance.sample(rows, min(DRAWN, len(rows)))


def rows_of(part: Part) -> list[RiskRow]:
    """Return the messages of a part that were written for it, in both languages.

    Raises:
        ValueError: A kind is unknown.
    """
    name = "risks" if part == "train" else "risks_dev"
    rows = []
    for lang in LANGUAGES:
        read = read_labelled_lines(DATA / f"{name}.{lang}.jsonl", "kind", RISKS)
        rows += [RiskRow(row["text"], row["last"], row["kind"], lang) for row in read]
    return rows
