"""Plays canned dialogues once a strategy, for ``tuning.evaluate``."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from assistant.assistant import Assistant
from tuning.dialogues import Dialogue, play_dialogue
from tuning.evaluate.judged_replies import is_possible


@dataclass(frozen=True, slots=True)
class Played:
    """What became of one canned dialogue under one strategy; ``seconds`` for all its replies."""

    dialogue: str
    lang: str
    strategy: str
    bucket: str
    critical: bool
    failures: Sequence[str]
    seconds: float


def play(
    cases: Sequence[tuple[Path, Dialogue]], settings: Any, strategies: Sequence[str]
) -> list[Played]:
    """Return what becomes of canned dialogues, once a strategy that their language allows.

    Args:
        cases: As ``tuning.dialogues.load_dialogues`` reads them.
        settings: All of them, the folder of articles too.
        strategies: Names.
    """
    assistant = Assistant.from_config(settings)
    asked = [
        (strategy, file, case)
        for strategy in strategies
        for file, case in cases
        if is_possible(assistant, strategy, case.metadata.language)
    ]
    return [
        _played(assistant, strategy, file, case)
        for strategy, file, case in tqdm(asked, desc="dialogues", unit="dialogue")
    ]


def _played(assistant: Assistant, strategy: str, file: Path, case: Dialogue) -> Played:
    begun = time.perf_counter()
    outcome = play_dialogue(assistant, file, case, strategy)
    return Played(
        dialogue=case.test_case,
        lang=case.metadata.language,
        strategy=strategy,
        bucket=case.metadata.bucket,
        critical=case.metadata.critical,
        failures=outcome.failures,
        seconds=round(time.perf_counter() - begun, 3),
    )
