"""Chooses what the strategy ``auto`` means from the replies of an evaluation."""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.writing.strategies import FILE, QUOTED
from tuning.atomic_files import write_json
from tuning.evaluate.judged_replies import JudgedReply

if TYPE_CHECKING:
    from assistant.config import Settings

# {language: {company: strategy}}
Choices = dict[str, dict[str, str]]


def write_choices(judged: Sequence[JudgedReply], settings: "Settings") -> Choices:
    """Choose the best strategy by language and company, and write it into the state folder.

    The best one has the highest mean score: right answers, minus ``caution`` for each wrong one. Of
    two equal ones, quoting the articles is safer and faster than a generator.

    Returns:
        The choices of these replies; the file keeps those of other generators and languages.
    """
    from assistant.generators.open_generator import name_of

    chosen = _choose(judged, settings.caution)
    file = settings.state / FILE
    known = json.loads(file.read_text(encoding="utf-8"))["choices"] if file.is_file() else {}
    name = name_of(settings)
    before: Choices = known.get(name, {})
    merged = {lang: before.get(lang, {}) | chosen.get(lang, {}) for lang in before | chosen}
    write_json(file, {"choices": {**known, name: merged}})
    return chosen


def _choose(judged: Sequence[JudgedReply], caution: float) -> Choices:
    groups: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for entry in judged:
        if entry.strategy != "auto":
            scores = groups[entry.lang, entry.company]
            scores[entry.strategy].append(entry.score(caution))
    best: Choices = defaultdict(dict)
    for (lang, company), scores in groups.items():
        means = {strategy: sum(values) / len(values) for strategy, values in scores.items()}
        best[lang][company] = max(means, key=lambda s: (means[s], s in QUOTED))
    return dict(best)
