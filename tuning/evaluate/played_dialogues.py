"""Plays canned dialogues against an assistant."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.messages import Message, Reply
from tuning.evaluate.dialogue_checks import failed_assertions
from tuning.evaluate.dialogue_files import WORDINGS, Dialogue
from tuning.evaluate.judged_replies import is_possible

if TYPE_CHECKING:
    from assistant.assistant import Assistant


@dataclass(slots=True)
class PlayedDialogue:
    """A dialogue with the replies to it; it has passed if there are no failures.

    ``strategy`` is None for the assistant's own; ``seconds`` is the time of all replies.
    ``wording`` is the number of the wording, None if the dialogue is played in one alone.
    """

    dialogue: Dialogue
    file: Path
    strategy: str | None = None
    replies: list[Reply] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    wording: int | None = None

    @property
    def name(self) -> str:
        """The dialogue's name, with the wording if there are several."""
        suffix = f" (wording {self.wording})" if self.wording else ""
        return self.dialogue.test_case + suffix

    @property
    def is_known_failure(self) -> bool:
        """Whether a dialogue failed that is known to fail."""
        return bool(self.failures) and bool(self.dialogue.metadata.reason)

    @property
    def surprises(self) -> list[str]:
        """What is not as expected: failures, or that a dialogue passes which is known to fail."""
        if self.is_known_failure:
            return []
        # One wording of several says little.
        if not self.failures and self.dialogue.metadata.reason and self.wording is None:
            return ["passes now: move it to passing"]
        return self.failures

    @property
    def is_critical_failure(self) -> bool:
        """Whether a dialogue failed that must never fail."""
        return bool(self.failures) and self.dialogue.metadata.critical

    def as_row(self) -> dict[str, Any]:
        """Return what ``evaluation.json`` stores."""
        metadata = self.dialogue.metadata
        return {
            "dialogue": self.dialogue.test_case,
            "lang": metadata.language,
            "strategy": self.strategy,
            "bucket": metadata.bucket,
            "critical": metadata.critical,
            "failures": self.failures,
            "seconds": self.seconds,
        }


def play(
    assistant: "Assistant",
    dialogues: Sequence[tuple[Path, Dialogue]],
    strategies: Sequence[str] | None = None,
    *,
    plain_history: bool = False,
) -> list[PlayedDialogue]:
    """Play each dialogue once per strategy, and check the assertions.

    Args:
        assistant: Replies to the customer's messages.
        dialogues: As ``load_dialogues`` returns them.
        strategies: Names; a dialogue skips those that the assistant cannot use in its language.
            None plays each dialogue once, with the assistant's own strategy.
        plain_history: Whether the history keeps only role and text, as many clients do.
    """
    own: Sequence[str | None] = [None]
    planned = [
        PlayedDialogue(dialogue, file, strategy)
        for strategy in strategies or own
        for file, dialogue in dialogues
        if strategy is None or is_possible(assistant, strategy, dialogue.metadata.language)
    ]
    _play_all(assistant, planned, plain_history=plain_history)
    return planned


def play_wordings(
    assistant: "Assistant",
    dialogues: Sequence[tuple[Path, Dialogue]],
    *,
    plain_history: bool = False,
) -> list[PlayedDialogue]:
    """Play each critical dialogue in its five wordings, which follow each other.

    Raises:
        ValueError: No dialogue is critical.
    """
    planned = [
        PlayedDialogue(dialogue.worded(wording), file, wording=wording)
        for file, dialogue in dialogues
        if dialogue.metadata.critical
        for wording in range(1, WORDINGS + 1)
    ]
    if not planned:
        raise ValueError("Expected dialogues with critical: true in their metadata, found none.")
    _play_all(assistant, planned, plain_history=plain_history)
    return planned


def _play_all(
    assistant: "Assistant", planned: Sequence[PlayedDialogue], *, plain_history: bool
) -> None:
    from tqdm import tqdm

    for played in tqdm(planned, desc="dialogues", unit="dialogue"):
        begun = time.perf_counter()
        _play_steps(assistant, played, plain_history=plain_history)
        played.seconds = round(time.perf_counter() - begun, 3)


def _play_steps(assistant: "Assistant", played: PlayedDialogue, *, plain_history: bool) -> None:
    history: list[Message] = []
    for number, step in enumerate(played.dialogue.steps, 1):
        try:
            reply = assistant.reply(step.user, history, played.strategy)
        except Exception as error:  # any exception is a failure of the dialogue
            played.failures.append(f"step {number}: {type(error).__name__}: {error}")
            return
        played.replies.append(reply)
        said = Message("assistant", reply.text) if plain_history else reply.message()
        history += [Message("user", step.user), said]
        failed = failed_assertions(played.replies, step.assertions)
        played.failures += [f"step {number}: {line}" for line in failed]
