"""Conversations as customers type them: each turn with the sentences that answer it.

A line of a file is a list of messages as ``tuning.customer_messages`` describes them, in order,
with ``kind`` beside (``first``, ``follow_up``, ``change``, ``return``, ``correction``, ``confirm``,
``pushback``, ``pick``, ``unanswerable``, ``small_talk``, ``person``) and, in the first, ``company``
where the file has several.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.models.turn_before import TurnBefore
from tuning.companies import load_companies
from tuning.customer_messages import (
    DEV_CENTRES,
    FOLDER,
    OWN_CENTRES,
    TRAINING_CENTRES,
    CustomerMessage,
    HelpCentre,
    Part,
    bank_centre,
    centre_of,
    message_of,
    shared_folder,
)
from tuning.json_lines import read_json_lines

# The parts of four lines in a row, in files of other people's messages to the bank.
LINES = ("train", "train", "train", "dev")


@dataclass(frozen=True, slots=True)
class Turn:
    """A message in its conversation.

    Attributes:
        text: What the customer typed.
        kind: See above.
        expect: ``answer``, ``decline``, ``small_talk`` or ``handoff``.
        message: What answers; its ``question`` needs no conversation.
        last: The turn before, as it should have been answered; None for the first.
        cited: The articles that answered before, the latest first.
    """

    text: str
    kind: str
    expect: str
    message: CustomerMessage
    last: TurnBefore | None
    cited: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Talks:
    """Conversations with one help centre; ``own`` are this project's."""

    centre: HelpCentre
    talks: Sequence[Sequence[Turn]]
    own: bool = True


def talks_of(part: Part, lang: str) -> list[Talks]:
    """Return the conversations of a part by help centre.

    This project's own are with companies of ``tuning/data/companies``, its own help centres and,
    for development, the bank. FRONTDESK_DATA adds others with the bank and further help centres.

    Args:
        part: ``train`` or ``dev``; no conversation is in both.
        lang: "en" or "zh".
    """
    name = "talks" if part == "train" else "talks_dev"
    by_centre: dict[str, list[Sequence[Turn]]] = {}
    for row in read_json_lines(FOLDER / f"{name}.{lang}.jsonl"):
        by_centre.setdefault(row[0]["company"], []).append(turns_of(row))
    known = _centres(part, lang)
    found = [Talks(known[name], talks) for name, talks in by_centre.items()]
    return found + list(_shared_talks(part, lang))


def _centres(part: Part, lang: str) -> dict[str, HelpCentre]:
    centres = [HelpCentre(c.id, c.lang, c.articles, ()) for c in load_companies(part)]
    if part == "train":
        centres += [centre_of(FOLDER / name, []) for name in OWN_CENTRES]
    known = {centre.name: centre for centre in centres}
    return known | {"bank": bank_centre(part, lang, None)}


def _shared_talks(part: Part, lang: str) -> Iterator[Talks]:
    if not (shared := shared_folder()):
        return
    rows = enumerate(read_json_lines(shared / f"bank_talks_{lang}.jsonl"))
    kept = [turns_of(row) for number, row in rows if LINES[number % len(LINES)] == part]
    yield Talks(bank_centre(part, lang, None), kept, own=False)
    for name in TRAINING_CENTRES if part == "train" else DEV_CENTRES:
        centre = centre_of(shared / "companies" / name, [])
        if centre.lang == lang:
            file = shared / "companies" / name / "talks.jsonl"
            yield Talks(centre, [turns_of(row) for row in read_json_lines(file)], own=False)


def turns_of(row: Sequence[dict[str, Any]]) -> list[Turn]:
    """Return the turns of a line.

    Args:
        row: Its messages, in order.
    """
    turns: list[Turn] = []
    last: TurnBefore | None = None
    cited: tuple[str, ...] = ()
    for number, said in enumerate(row):
        message = message_of(said, number > 0)
        expect = said.get("expect", "answer")
        turns.append(Turn(said["question"], said["kind"], expect, message, last, cited))
        if expect not in ("small_talk", "handoff"):
            last = TurnBefore(said["question"], (*message.support, "")[0])
            cited = tuple(dict.fromkeys([*message.articles[:1], *cited]))
    return turns
