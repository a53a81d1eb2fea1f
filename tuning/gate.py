"""Measures a candidate adapter and the serving one on the same cases, and decides between them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tuning.gate_measures import Measured, measure
from tuning.metrics import gain_interval

if TYPE_CHECKING:
    from assistant.config import Settings
    from tuning.evaluate.conversations import JudgedTurn
    from tuning.evaluate.judged_replies import JudgedReply

    Judged = Mapping[Any, JudgedReply | JudgedTurn]

# By how much the share of right general answers may fall.
FORGETTING = 0.15
# With fewer questions or later turns, a bootstrap's interval is too narrow to be trusted.
FEWEST_QUESTIONS = 30


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with its reasons.

    ``gain`` is the candidate's mean score per question minus the serving adapter's, and
    ``interval`` its 95 % interval; None if they were not computed. ``broken`` and ``mended`` name
    the dialogues that pass with one of the two alone: the serving adapter, or the candidate.
    """

    verdict: Literal["approved", "rejected", "blocked"]
    reasons: list[str]
    gain: float | None = None
    interval: tuple[float, float] | None = None
    broken: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)


class _Gain(NamedTuple):
    """The mean gain in score over the same questions or later turns, with its 95 % interval."""

    mean: float
    low: float
    high: float
    text: str


def compare(candidate: Path, settings: "Settings", dialogues: Path, limit: int | None) -> Decision:
    """Measure the candidate and the serving adapter, and decide.

    Args:
        candidate: An adapter's folder.
        settings: Of the assistant; ``caution`` also weighs wrong answers.
        dialogues: A folder of canned dialogues.
        limit: The maximum number of questions, or conversations, of each set.

    Raises:
        OSError: The candidate is no adapter.
        AssistantError: It cannot be loaded.
    """
    from assistant.generators.adapters import serving_adapter
    from assistant.generators.open_generator import name_of

    if not (candidate / "adapter_config.json").is_file():
        raise OSError(f"Expected an adapter with adapter_config.json in {candidate}, found none.")
    serving = serving_adapter(settings, name_of(settings))
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
    broken, mended = _only(new, old), _only(old, new)
    if blocking := _blocking(new, old):
        return Decision("blocked", blocking, None, None, broken, mended)
    gain = _gain("question", new.replies, old.replies, caution)
    later = _gain("later turn", new.turns, old.turns, caution) if new.turns else None
    worse = [] if gain.low > 0 else [f"no certain gain: {gain.text}"]
    of_each = list(_of_each_language(new, old, caution))
    lost = [found for found in [later, *of_each] if found and found.high < 0]
    worse += [f"a certain loss: {found.text}" for found in lost]
    worse += _lost(new, old)
    if worse:
        return Decision("rejected", worse, gain.mean, (gain.low, gain.high), broken, mended)
    kept = [found for found in [later, *of_each] if found]
    reasons = [f"gain: {gain.text}", *(f"no certain loss: {found.text}" for found in kept)]
    return Decision("approved", reasons, gain.mean, (gain.low, gain.high), broken, mended)


def _of_each_language(new: Measured, old: Measured, caution: float) -> "Iterator[_Gain]":
    """Yield the gains in each language, if there are several: one must not pay for another."""
    languages = sorted({reply.lang for reply in new.replies.values()})
    for lang in languages if len(languages) > 1 else ():
        replies = {key: reply for key, reply in new.replies.items() if reply.lang == lang}
        turns = {key: turn for key, turn in new.turns.items() if turn.lang == lang}
        yield _gain(f"question in {lang}", replies, old.replies, caution)
        if turns:
            yield _gain(f"later turn in {lang}", turns, old.turns, caution)


def _gain(name: str, new: "Judged", old: "Judged", caution: float) -> _Gain:
    gains = [said.score(caution) - old[key].score(caution) for key, said in new.items()]
    mean, (low, high) = sum(gains) / len(gains), gain_interval(gains)
    text = (
        f"score per {name} {mean:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}, "
        f"{len(gains)} {name}s"
    )
    return _Gain(mean, low, high, text)


def _lost(new: Measured, old: Measured) -> Iterator[str]:
    if new.general < old.general - FORGETTING:
        yield f"general questions {new.general:.0%}, the serving adapter {old.general:.0%}"
    for name in _only(new, old):
        yield f"a dialogue fails that passes with the serving adapter: {name}"


def _only(one: Measured, other: Measured) -> list[str]:
    """Return the dialogues that fail with one side and pass with the other."""
    return sorted(set(one.failed) - set(other.failed))


def _blocking(new: Measured, old: Measured) -> list[str]:
    reasons = [f"a critical dialogue fails: {name}" for name in new.critical]
    if new.unsupported:
        reasons.append(f"{new.unsupported} figures without support")
    reasons += _lacking("questions", new.replies, old.replies, max(new.asked, old.asked))
    if asked := max(new.turns_asked, old.turns_asked, len(new.turns), len(old.turns)):
        reasons += _lacking("later turns", new.turns, old.turns, asked)
    return reasons


def _lacking(names: str, new: "Judged", old: "Judged", asked: int) -> Iterator[str]:
    """Yield a reason if the two sides cannot be compared: pairs are missing, or too few."""
    pairs = len(new.keys() & old.keys())
    if missing := max(asked, len(new.keys() | old.keys())) - pairs:
        yield f"{missing} {names} lack one of the two replies"
    elif pairs < FEWEST_QUESTIONS:
        yield f"{pairs} {names}, at least {FEWEST_QUESTIONS} are needed"
