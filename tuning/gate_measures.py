"""Measures one adapter for the gate: questions, conversations, dialogues, general questions."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.config import Settings
    from assistant.generators.generator import Generator
    from tuning.evaluate.conversation_sets import ConversationSet
    from tuning.evaluate.conversations import JudgedTurn
    from tuning.evaluate.judged_replies import JudgedReply

DATA = Path(__file__).with_name("data")


@dataclass(slots=True)
class Measured:
    """Results of one adapter.

    ``replies`` holds the judged reply to each question, by set and question; ``asked`` is the
    number of questions that should be there. ``general`` is the share of right general answers, in
    [0, 1]. ``failed`` and ``critical`` name failed dialogues; critical ones are in both. ``turns``
    holds the later turns of conversations, by set, line and number; ``turns_asked`` is the number
    of those that should be there, 0 if no conversations were played.
    """

    replies: Mapping[tuple[str, str], "JudgedReply"]
    asked: int
    general: float = 0.0
    failed: list[str] = field(default_factory=list)
    critical: list[str] = field(default_factory=list)
    turns: Mapping[tuple[str, int, int], "JudgedTurn"] = field(default_factory=dict)
    turns_asked: int = 0

    @property
    def unsupported(self) -> int:
        """The number of figures in answers that no citation backs."""
        replies = sum(reply.unsupported for reply in self.replies.values())
        return replies + sum(turn.unsupported for turn in self.turns.values())

    def summary(self) -> dict[str, Any]:
        """Return the counts as JSON can hold them."""
        return {
            "questions": len(self.replies),
            "outcomes": Counter(reply.outcome for reply in self.replies.values()),
            "later turns": len(self.turns),
            "outcomes of later turns": Counter(turn.outcome for turn in self.turns.values()),
            "unsupported figures": self.unsupported,
            "general questions": self.general,
            "failed dialogues": self.failed,
        }


def measure(settings: "Settings", strategy: str, dialogues: Path, limit: int | None) -> Measured:
    """Ask the sets in the generator's languages, and general questions; play conversations."""
    from assistant.assistant import Assistant
    from assistant.generators.open_generator import languages_of
    from tuning.evaluate.conversation_sets import load_conversation_sets
    from tuning.evaluate.dialogue_files import load_dialogues
    from tuning.evaluate.judged_replies import evaluate
    from tuning.evaluate.played_dialogues import play
    from tuning.question_sets import load_question_sets

    spoken = languages_of(settings)
    sets = [s for s in load_question_sets() if s.lang in spoken]
    talks = [s for s in load_conversation_sets() if s.lang in spoken]
    judged = [reply for s in sets for reply in evaluate(s, settings, [strategy], limit)]
    turns = _later_turns(talks, settings, strategy, limit)
    assistant = Assistant.from_config(settings.model_copy(update={"strategy": strategy}))
    failed = [entry for entry in play(assistant, load_dialogues(dialogues)) if entry.failures]
    generator = assistant.responder.generator
    return Measured(
        replies={(reply.set, reply.question): reply for reply in judged},
        asked=sum(len(s.rows[:limit]) for s in sets),
        general=general(generator, adapter=strategy == "tuned") if generator else 0.0,
        failed=[entry.dialogue.test_case for entry in failed],
        critical=[e.dialogue.test_case for e in failed if e.is_critical_failure],
        turns={(turn.set, turn.line, turn.number): turn for turn in turns},
        turns_asked=sum(len(c.turns) - 1 for s in talks for c in s.conversations[:limit]),
    )


def _later_turns(
    sets: Sequence["ConversationSet"], settings: "Settings", strategy: str, limit: int | None
) -> list["JudgedTurn"]:
    from tuning.evaluate.conversations import Way, play_conversations

    # Two adapters are compared turn by turn, so a turn need not be asked alone as well.
    way = Way(alone=False)
    turns = [turn for s in sets for turn in play_conversations(s, settings, [strategy], limit, way)]
    return [turn for turn in turns if turn.is_later]


def general(generator: "Generator", *, adapter: bool) -> float:
    """Return the share of general questions that are answered right, in [0, 1]."""
    lines = (DATA / "general_questions.jsonl").read_text(encoding="utf-8").splitlines()
    right = []
    for row in map(json.loads, lines):
        prompt = [{"role": "user", "content": row["question"]}]
        text = "".join(generator.generate(prompt, max_tokens=40, adapter=adapter)).lower()
        right.append(all(any(v in text for v in fact.split("|")) for fact in row["facts"]))
    return sum(right) / len(right)
