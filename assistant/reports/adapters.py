"""The adapter that words answers, those that could, and what the gate decided about them."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from assistant.config import Settings
from assistant.generators.adapters import FOLDER, SHIPPED, read_pointer, serving_adapter
from assistant.generators.open_generator import name_of

# Where ``python -m tuning.sft`` puts what it trained, in the state folder; and where
# ``python -m tuning.promote`` notes what it decided.
TRAINED, DECISIONS = "sft", "decisions.jsonl"
WEIGHTS = "adapter_model.safetensors"
LATEST = 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """An adapter that was trained here, and whether it is the one that serves."""

    name: str
    folder: Path
    serves: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """What the gate decided about a candidate.

    Attributes:
        at: When.
        candidate: The folder of the candidate.
        verdict: approved, rejected or blocked.
        reasons: Why.
        broken: The dialogues that fail with it alone.
        mended: Those that fail without it alone.
    """

    at: datetime
    candidate: str
    verdict: str
    reasons: tuple[str, ...]
    broken: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adapters:
    """What there is of adapters.

    Attributes:
        serving: The name of the one that serves; "" for none: answers are quoted.
        former: The one that a roll-back serves, "" for the shipped one; None if nothing was
            promoted yet.
        is_fixed: Whether a setting names the adapter or the generator, so that no promotion counts.
        candidates: Those that were trained here.
        decisions: The last ones of the gate, the latest first.
    """

    serving: str
    former: str | None
    is_fixed: bool
    candidates: tuple[Candidate, ...]
    decisions: tuple[Decided, ...]


def adapters(settings: Settings) -> Adapters:
    """Return what there is of adapters.

    Args:
        settings: They name the state folder and, where they fix it, the adapter.
    """
    pointer = read_pointer(settings.state)
    serving = serving_adapter(settings, name_of(settings))
    folders = sorted((settings.state / TRAINED).glob("*/adapter_config.json"))
    return Adapters(
        serving=_name(serving) if serving else "",
        former=(pointer.get("former") or "") if pointer else None,
        is_fixed=bool(settings.adapter or settings.generator),
        candidates=tuple(_candidate(file.parent, serving) for file in folders),
        decisions=_decisions(settings.state / FOLDER / DECISIONS),
    )


def _candidate(folder: Path, serving: Path | None) -> Candidate:
    serves = bool(serving) and _hash(folder) == _hash(serving)
    return Candidate(folder.name, folder, serves)


def _name(serving: Path) -> str:
    return "shipped" if serving in SHIPPED.values() else serving.name


def _hash(folder: Path | None) -> str:
    """Return the digest of an adapter's weights; the folder's own path if it has none."""
    try:
        with (folder or Path()).joinpath(WEIGHTS).open("rb") as weights:
            return hashlib.file_digest(weights, "sha256").hexdigest()
    except OSError:
        return str(folder)


def _decisions(file: Path) -> tuple[Decided, ...]:
    if not file.is_file():
        return ()
    lines = file.read_text(encoding="utf-8").splitlines()[-LATEST:]
    return tuple(_decided(json.loads(line)) for line in reversed(lines))


def _decided(entry: dict[str, Any]) -> Decided:
    return Decided(
        datetime.fromisoformat(entry["at"]),
        Path(entry["candidate"]).name,
        entry["verdict"],
        tuple(entry["reasons"]),
        tuple(entry.get("broken", ())),
        tuple(entry.get("mended", ())),
    )
