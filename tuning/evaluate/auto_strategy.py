"""Writes what the strategy ``auto`` means, by what an evaluation measured."""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from assistant.writing.strategies import FILE, QUOTED
from tuning.atomic_files import write_json
from tuning.evaluate.judged_replies import JudgedReply
from tuning.evaluate.report import summarise


def write_choices(judged: Sequence[JudgedReply], settings: Any) -> dict[str, Any]:
    """Write which strategy is best, by language and company, into the state folder; return it.

    Best means the most right answers less the wrong ones, each of which costs ``caution`` right
    ones. Of two that are worth the same, the articles' own words are safer than a generator's, and
    faster.
    """
    from knowledge.models.model_files import GENERATOR_NAME

    groups: dict[tuple[str, str], dict[str, list[JudgedReply]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for entry in judged:
        if entry.strategy != "auto":
            groups[entry.lang, entry.company][entry.strategy].append(entry)
    best: dict[str, dict[str, str]] = defaultdict(dict)
    for (lang, company), found in groups.items():
        best[lang][company] = max(
            found, key=lambda s: (_worth(found[s], settings.caution), s in QUOTED)
        )
    name = settings.generator or GENERATOR_NAME
    file = settings.state / FILE
    known = json.loads(file.read_text(encoding="utf-8"))["choices"] if file.is_file() else {}
    measured = summarise(judged).rows
    before = known.get(name, {})
    merged = {lang: {**before.get(lang, {}), **best.get(lang, {})} for lang in {*before, *best}}
    choices = {**known, name: merged}
    write_json(file, {"choices": choices, "measured": measured})
    return dict(best)


def _worth(group: Sequence[JudgedReply], caution: float) -> float:
    right = sum(entry.outcome == "right" for entry in group)
    wrong = sum(entry.outcome == "answered wrongly" for entry in group)
    return (right - caution * wrong) / len(group)
