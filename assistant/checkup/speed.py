"""How long one real question takes, with the models that serve."""

import time
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING

from assistant.checkup.check import Check, Checks, fine, warning

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.config import Settings

# Runs whose median counts, after one that warms up.
RUNS = 5
# Seconds within which the first word should come.
FIRST_WORD = 1.0
# What is asked where the company gives no example.
QUESTIONS = {"en": "How can I reach you?", "zh": "怎么联系你们？"}


def speed(settings: "Settings", open_: "Callable[[Settings], Assistant] | None" = None) -> Checks:
    """Open the assistant and ask it a question in each language.

    Args:
        settings: The settings.
        open_: Opens the assistant; None for the one that serves.
    """
    from assistant.assistant import Assistant

    start = time.perf_counter()
    assistant = (open_ or Assistant.from_config)(settings)
    took = time.perf_counter() - start
    yield fine("start", f"{took:.0f} s until models and index are ready", seconds=round(took, 1))
    for lang, question in QUESTIONS.items():
        examples = assistant.responder.company.examples.get(lang)
        yield asked(assistant, examples[0] if examples else question, lang)


def asked(assistant: "Assistant", question: str, lang: str) -> Check:
    """Return the check of how long a question takes when all is warm.

    Args:
        assistant: Answers.
        question: What is asked.
        lang: Its language.
    """
    timed(assistant, question)
    firsts, wholes = zip(*(timed(assistant, question) for _ in range(RUNS)), strict=True)
    first, whole = round(median(firsts), 2), round(median(wholes), 2)
    found = f"first word after {first:.2f} s, all after {whole:.2f} s: {question}"
    name, figures = f"speed {lang}", {"first_word_s": first, "whole_s": whole}
    if first <= FIRST_WORD:
        return fine(name, found, **figures)
    remedy = "More cores, the extra openvino, `small` or `strategy: extractive` make it faster."
    return warning(name, found, remedy, **figures)


def timed(assistant: "Assistant", question: str) -> tuple[float, float]:
    """Return the seconds until the first word and until the whole reply."""
    start = time.perf_counter()
    first = 0.0
    for _ in assistant.stream(question):
        first = first or time.perf_counter() - start
    return first, time.perf_counter() - start
