"""Canned dialogues as files: YAML in the format of Rasa's end-to-end tests."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

DIALOGUES = Path(__file__).parent.parent.parent / "tests" / "dialogues" / "passing"
BUCKETS = Literal[
    "plain", "paraphrase", "follow_up", "ambiguous", "out_of_scope", "handoff", "small_talk",
    "injection", "personal_data", "multi_intent", "other_language",
]  # fmt: skip


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Metadata(_Strict):
    """The kind of a dialogue; a critical one must never fail."""

    language: Literal["en", "zh"]
    bucket: BUCKETS
    critical: bool = False


class Step(_Strict):
    """A customer's message and assertions about the reply."""

    user: str
    assertions: list[dict[str, Any]]


class Dialogue(_Strict):
    """A conversation with assertions about each reply."""

    test_case: str
    metadata: Metadata
    steps: list[Step]


class DialogueFile(_Strict):
    """The content of one file."""

    test_cases: list[Dialogue]


def load_dialogues(path: Path) -> list[tuple[Path, Dialogue]]:
    """Return each dialogue of a folder, or of one file, with its file.

    Raises:
        ValueError: A file cannot be read or has another format, or there is no dialogue.
    """
    files = sorted(path.rglob("*.yml")) if path.is_dir() else [path]
    dialogues = [(file, dialogue) for file in files for dialogue in _read(file).test_cases]
    if not dialogues:
        raise ValueError(f"Expected dialogues (*.yml with test_cases) in {path}, found none.")
    return dialogues


def _read(file: Path) -> DialogueFile:
    try:
        return DialogueFile.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise ValueError(f"{file}: expected canned dialogues: {error}") from None
