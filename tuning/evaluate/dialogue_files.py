"""Canned dialogues as files: YAML in the format of Rasa's end-to-end tests."""

from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

DIALOGUES = Path(__file__).parent.parent.parent / "tests" / "dialogues" / "passing"
BUCKETS = Literal[
    "plain", "paraphrase", "follow_up", "ambiguous", "out_of_scope", "handoff", "small_talk",
    "injection", "personal_data", "multi_intent", "other_language",
]  # fmt: skip
TURNS = Literal[
    "follow_up", "change", "return", "correction", "confirm", "pushback", "pick", "reference",
    "thanks", "person", "switch", "unanswerable",
]  # fmt: skip
# The usual wording of a message and its paraphrases.
WORDINGS = 5


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Metadata(_Strict):
    """The kind of a dialogue; a critical one must never fail.

    ``turns`` are the kinds of the turns after the first. ``reason`` says why a dialogue fails that
    is known to fail, and is empty for all others.
    """

    language: Literal["en", "zh"]
    bucket: BUCKETS
    critical: bool = False
    turns: list[TURNS] | None = None
    reason: str = ""


class Step(_Strict):
    """A customer's message and assertions about the reply, whatever the message's wording."""

    user: str
    paraphrases: list[str] = Field(default=[], min_length=WORDINGS - 1, max_length=WORDINGS - 1)
    assertions: list[dict[str, Any]]

    @model_validator(mode="after")
    def _wordings_differ(self) -> Self:
        wordings = [self.user, *self.paraphrases]
        twice = [text for number, text in enumerate(wordings) if text in wordings[:number]]
        if twice:
            raise ValueError(f"expected paraphrases in other words, found {twice[0]!r} twice")
        return self

    def worded(self, wording: int) -> "Step":
        """Return the step in another wording; without paraphrases there is one alone."""
        wordings = [self.user, *self.paraphrases] if self.paraphrases else [self.user] * WORDINGS
        return self.model_copy(update={"user": wordings[wording - 1]})


class Dialogue(_Strict):
    """A conversation with assertions about each reply."""

    test_case: str
    metadata: Metadata
    steps: list[Step]

    @model_validator(mode="after")
    def _every_later_turn_has_a_kind(self) -> Self:
        turns, later = self.metadata.turns, len(self.steps) - 1
        if turns is not None and len(turns) != later:
            raise ValueError(
                f"{self.test_case}: expected one kind in metadata.turns for each step after the "
                f"first, which are {later}, found {len(turns)}"
            )
        return self

    @model_validator(mode="after")
    def _paraphrased_ones_are_critical(self) -> Self:
        if self.has_paraphrases and not self.metadata.critical:
            raise ValueError(
                f"{self.test_case}: expected critical: true, because a step has paraphrases"
            )
        return self

    @property
    def has_paraphrases(self) -> bool:
        """Whether any step has other wordings."""
        return any(step.paraphrases for step in self.steps)

    def worded(self, wording: int) -> "Dialogue":
        """Return the dialogue in another wording: 1 is the usual one, 2 to 5 are paraphrases."""
        return self.model_copy(update={"steps": [step.worded(wording) for step in self.steps]})


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
