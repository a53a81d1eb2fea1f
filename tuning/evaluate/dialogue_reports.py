"""Reports about played dialogues: lines of text, JUnit XML and one HTML page."""

from collections.abc import Iterator, Sequence
from math import comb
from pathlib import Path
from statistics import mean
from typing import Any
from xml.etree import ElementTree as ET

from tuning.evaluate.dialogue_files import WORDINGS
from tuning.evaluate.played_dialogues import PlayedDialogue
from tuning.evaluate.tables import dialogue_rows
from tuning.page_templates import render

PAGE = Path(__file__).with_name("dialogues.html.jinja")
SOURCE = "pass^k as in τ-bench (Yao et al. 2024, arXiv 2406.12045), with wordings as trials"


def findings(played: Sequence[PlayedDialogue]) -> Iterator[str]:
    """Yield the failures that are known and, last, what is not as expected."""
    for entry in played:
        if entry.is_known_failure:
            yield f"KNOWN {entry.file}: {entry.name}: {entry.dialogue.metadata.reason}"
    for entry in played:
        if entry.surprises:
            yield f"{'FAILED' if entry.failures else 'PASSED'} {entry.file}: {entry.name}"
            yield from (f"    {line}" for line in entry.surprises)


def figures(played: Sequence[PlayedDialogue]) -> dict[str, Any]:
    """Return what is kept of a run: one row per language, and what is not as expected."""
    return {
        "dialogues": dialogue_rows(played),
        "surprises": [
            {"dialogue": entry.name, "critical": entry.is_critical_failure, "why": entry.surprises}
            for entry in played
            if entry.surprises
        ],
    }


def summary(played: Sequence[PlayedDialogue]) -> list[str]:
    """Return how many passed; if dialogues were played in five wordings, also how many of five."""
    in_wordings = any(entry.wording for entry in played)
    passed = sum(not entry.failures for entry in played)
    known = sum(entry.is_known_failure for entry in played)
    line = f"{passed} of {len(played)} {'runs' if in_wordings else 'dialogues'} passed"
    line += f", {known} failed as known" if known else ""
    return [line, *_summary_of_wordings(played)] if in_wordings else [line]


def _summary_of_wordings(played: Sequence[PlayedDialogue]) -> Iterator[str]:
    dialogues = [played[start : start + WORDINGS] for start in range(0, len(played), WORDINGS)]
    passed = [sum(not run.failures for run in runs) for runs in dialogues]
    for count, (run, *_) in zip(passed, dialogues, strict=True):
        same = "" if run.dialogue.has_paraphrases else ", without paraphrases"
        yield f"{count} of {WORDINGS}: {run.dialogue.test_case}{same}"
    yield f"pass^1 = {pass_hat(passed, 1):.0%}: share of runs that pass, mean over dialogues"
    every = pass_hat(passed, WORDINGS)
    yield f"pass^{WORDINGS} = {every:.0%}: share of dialogues whose runs all pass"
    yield SOURCE


def pass_hat(passed: Sequence[int], k: int) -> float:
    """Return pass^k: how likely k runs of a dialogue, drawn from its five, all pass.

    Args:
        passed: How many of its five runs passed, for each dialogue.
        k: How many runs are drawn.
    """
    return mean(comb(count, k) / comb(WORDINGS, k) for count in passed)


def write_junit(played: Sequence[PlayedDialogue], path: Path) -> None:
    """Write JUnit XML, as continuous integration servers read it.

    As in pytest's, a known failure is a skipped test, and one that passes now is a failure.
    """
    suite = ET.Element(
        "testsuite",
        name="dialogues",
        tests=str(len(played)),
        failures=str(sum(bool(entry.surprises) for entry in played)),
        skipped=str(sum(entry.is_known_failure for entry in played)),
    )
    for entry in played:
        case = ET.SubElement(suite, "testcase", classname=entry.file.stem, name=entry.name)
        if entry.surprises:
            failure = ET.SubElement(case, "failure", message=entry.surprises[0])
            failure.text = "\n".join(entry.surprises)
        elif entry.is_known_failure:
            ET.SubElement(case, "skipped", message=entry.dialogue.metadata.reason)
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def write_page(played: Sequence[PlayedDialogue], path: Path) -> None:
    """Write one self-contained HTML page; what is not as expected is open."""
    path.write_text(render(PAGE, played=played, summary=summary(played)), encoding="utf-8")
