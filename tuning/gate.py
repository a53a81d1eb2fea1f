"""Measures a candidate adapter and the serving one on the same cases, and decides between them."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tuning.metrics import gain_interval

if TYPE_CHECKING:
    from assistant.config import Settings
    from assistant.generators.generator import Generator
    from tuning.evaluate.judged_replies import JudgedReply

DATA = Path(__file__).with_name("data")
# By how much the share of right general answers may fall.
FORGETTING = 0.15
# With fewer questions, a bootstrap's interval is too narrow to be trusted.
FEWEST_QUESTIONS = 30


@dataclass(slots=True)
class Measured:
    """Results of one adapter.

    ``replies`` holds the judged reply to each question, by set and question; ``asked`` is the
    number of questions that should be there. ``general`` is the share of right general answers, in
    [0, 1]. ``failed`` and ``critical`` name failed dialogues; critical ones are in both.
    """

    replies: Mapping[tuple[str, str], "JudgedReply"]
    asked: int
    general: float = 0.0
    failed: list[str] = field(default_factory=list)
    critical: list[str] = field(default_factory=list)

    @property
    def unsupported(self) -> int:
        """The number of figures in answers that no citation backs."""
        return sum(reply.unsupported for reply in self.replies.values())

    def summary(self) -> dict[str, Any]:
        """Return the counts as JSON can hold them."""
        return {
            "questions": len(self.replies),
            "outcomes": Counter(reply.outcome for reply in self.replies.values()),
            "unsupported figures": self.unsupported,
            "general questions": self.general,
            "failed dialogues": self.failed,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with its reasons.

    ``gain`` is the candidate's mean score per question minus the serving adapter's, and
    ``interval`` its 95 % interval; None if they were not computed.
    """

    verdict: Literal["approved", "rejected", "blocked"]
    reasons: list[str]
    gain: float | None = None
    interval: tuple[float, float] | None = None


def compare(candidate: Path, settings: "Settings", dialogues: Path, limit: int | None) -> Decision:
    """Measure the candidate and the serving adapter, and decide.

    Args:
        candidate: An adapter's folder.
        settings: Of the assistant; ``caution`` also weighs wrong answers.
        dialogues: A folder of canned dialogues.
        limit: The maximum number of questions of each set.

    Raises:
        OSError: The candidate is no adapter.
        AssistantError: It cannot be loaded.
    """
    from assistant.generators.adapters import serving_adapter

    if not (candidate / "adapter_config.json").is_file():
        raise OSError(f"Expected an adapter with adapter_config.json in {candidate}, found none.")
    serving = serving_adapter(settings)
    print(f"candidate: {candidate}\nserving: {serving or 'none, answers are extractive'}")
    new = measure(settings.model_copy(update={"adapter": candidate}), "tuned", dialogues, limit)
    strategy = "tuned" if serving else "extractive"
    old = measure(settings.model_copy(update={"adapter": serving}), strategy, dialogues, limit)
    print(json.dumps({"candidate": new.summary(), "serving": old.summary()}, indent=1))
    return decide(new, old, settings.caution)


def decide(new: Measured, old: Measured, caution: float) -> Decision:
    """Return the verdict on a candidate.

    Args:
        new: Results of the candidate.
        old: Results of the serving adapter.
        caution: How many right answers one wrong answer outweighs.
    """
    if blocking := _blocking(new, old):
        return Decision("blocked", blocking)
    gains = [
        reply.score(caution) - old.replies[key].score(caution) for key, reply in new.replies.items()
    ]
    gain, (low, high) = sum(gains) / len(gains), gain_interval(gains)
    measured = (
        f"score per question {gain:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}, "
        f"{len(gains)} questions"
    )
    worse = [] if low > 0 else [f"no certain gain: {measured}"]
    if new.general < old.general - FORGETTING:
        worse.append(f"general questions {new.general:.0%}, the serving adapter {old.general:.0%}")
    lost = sorted(set(new.failed) - set(old.failed))
    worse += [f"a dialogue fails that passes with the serving adapter: {name}" for name in lost]
    verdict: Literal["approved", "rejected"] = "rejected" if worse else "approved"
    return Decision(verdict, worse or [f"gain: {measured}"], gain, (low, high))


def _blocking(new: Measured, old: Measured) -> list[str]:
    reasons = [f"a critical dialogue fails: {name}" for name in new.critical]
    if new.unsupported:
        reasons.append(f"{new.unsupported} figures without support")
    pairs = len(new.replies.keys() & old.replies.keys())
    if missing := max(new.asked, old.asked, len(new.replies.keys() | old.replies.keys())) - pairs:
        reasons.append(f"{missing} questions lack one of the two replies")
    elif pairs < FEWEST_QUESTIONS:
        reasons.append(f"{pairs} questions, at least {FEWEST_QUESTIONS} are needed")
    return reasons


def measure(settings: "Settings", strategy: str, dialogues: Path, limit: int | None) -> Measured:
    """Ask the English question sets and the general questions, and play the dialogues."""
    from assistant.assistant import Assistant
    from tuning.evaluate.dialogue_files import load_dialogues
    from tuning.evaluate.judged_replies import evaluate
    from tuning.evaluate.played_dialogues import play
    from tuning.question_sets import load_question_sets

    sets = [s for s in load_question_sets() if s.lang == "en"]
    judged = [reply for s in sets for reply in evaluate(s, settings, [strategy], limit)]
    assistant = Assistant.from_config(settings.model_copy(update={"strategy": strategy}))
    failed = [entry for entry in play(assistant, load_dialogues(dialogues)) if entry.failures]
    generator = assistant.generator
    return Measured(
        replies={(reply.set, reply.question): reply for reply in judged},
        asked=sum(len(s.rows[:limit]) for s in sets),
        general=general(generator, adapter=strategy == "tuned") if generator else 0.0,
        failed=[entry.dialogue.test_case for entry in failed],
        critical=[e.dialogue.test_case for e in failed if e.is_critical_failure],
    )


def general(generator: "Generator", *, adapter: bool) -> float:
    """Return the share of general questions that are answered right, in [0, 1]."""
    lines = (DATA / "general_questions.jsonl").read_text(encoding="utf-8").splitlines()
    right = []
    for row in map(json.loads, lines):
        prompt = [{"role": "user", "content": row["question"]}]
        text = "".join(generator.generate(prompt, max_tokens=40, adapter=adapter)).lower()
        right.append(all(any(v in text for v in fact.split("|")) for fact in row["facts"]))
    return sum(right) / len(right)
