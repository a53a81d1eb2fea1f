"""Runs canned dialogues and says what failed: ``python -m tuning.dialogues FOLDER``."""

import argparse
import html
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from xml.etree import ElementTree as ET

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.messages import Message, Reply

if TYPE_CHECKING:
    from assistant.assistant import Assistant

BUCKETS = Literal[
    "plain", "paraphrase", "follow_up", "ambiguous", "out_of_scope", "handoff", "small_talk",
    "injection", "personal_data", "multi_intent", "other_language",
]  # fmt: skip


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Metadata(_Strict):
    """Which kind of case it is; a critical one must never fail."""

    language: Literal["en", "zh"]
    bucket: BUCKETS
    critical: bool = False


class Step(_Strict):
    """What the customer types and what must be true of the reply."""

    user: str
    assertions: list[dict[str, Any]]


class Dialogue(_Strict):
    """A whole dialogue."""

    test_case: str
    metadata: Metadata
    steps: list[Step]


class DialogueFile(_Strict):
    """A file of dialogues, in the shape of Rasa's end-to-end tests."""

    test_cases: list[Dialogue]


@dataclass(slots=True)
class Outcome:
    """What happened in one case; no failure means that it passed."""

    case: Dialogue
    file: Path
    replies: list[Reply] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def load_dialogues(path: Path) -> list[tuple[Path, Dialogue]]:
    """Read every dialogue file of a folder, or one file.

    Raises:
        ValueError: A file is not of the shape, or there is no case at all.
    """
    files = sorted(path.rglob("*.yml")) if path.is_dir() else [path]
    cases = [(file, case) for file in files for case in _read(file).test_cases]
    if not cases:
        raise ValueError(f"Expected dialogues (*.yml with test_cases) in {path}, found none.")
    return cases


def _read(file: Path) -> DialogueFile:
    try:
        return DialogueFile.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise ValueError(f"{file}: expected canned dialogues: {error}") from None


def play_dialogue(
    assistant: "Assistant", file: Path, case: Dialogue, strategy: str | None = None
) -> Outcome:
    """Play a dialogue; an exception is a failure of the case like any other.

    Args:
        assistant: Who answers.
        file: Where the dialogue stands.
        case: The dialogue.
        strategy: How answers are worded; None for the assistant's own.
    """
    outcome = Outcome(case, file)
    history: list[Message] = []
    for number, step in enumerate(case.steps, 1):
        try:
            reply = assistant.reply(step.user, history, strategy)
        except Exception as error:  # whatever goes wrong, the case has failed
            outcome.failures.append(f"step {number}: {type(error).__name__}: {error}")
            return outcome
        outcome.replies.append(reply)
        history += [Message("user", step.user), Message("assistant", reply.text)]
        outcome.failures += [f"step {number}: {line}" for line in check(reply, step.assertions)]
    return outcome


def check(reply: Reply, assertions: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield what is not as asserted, one sentence each."""
    for assertion in assertions:
        for name, value in assertion.items():
            holds = CHECKS.get(name)
            if holds is None:
                yield f"unknown assertion {name!r}; known are {', '.join(CHECKS)}"
            elif not holds(reply, value):
                yield f"{name}: expected {value!r}, found {_found(reply)}"


def _found(reply: Reply) -> str:
    cited = ", ".join(dict.fromkeys(c.article for c in reply.citations)) or "nothing"
    return f"{reply.action} ({reply.intent} {reply.intent_score}), citing {cited}: {reply.text!r}"


def _intent_was(reply: Reply, value: dict[str, Any]) -> bool:
    named: bool = reply.intent == value["name"]
    return named and reply.intent_score >= float(value.get("min_score", 0.0))


def _uttered(reply: Reply, value: dict[str, str]) -> bool:
    return re.search(value["text_matches"], reply.text) is not None


def _cited(reply: Reply, value: dict[str, str]) -> bool:
    return any(citation.article == value["article"] for citation in reply.citations)


def _all_supported(reply: Reply, value: bool) -> bool:
    backed = bool(reply.support) and all(said.citation for said in reply.support)
    return backed is value


def _language_is(reply: Reply, value: str) -> bool:
    return reply.language == value


def _no_personal_data(reply: Reply, value: bool) -> bool:
    # The bank's own number is no personal data; it stands in the cited words.
    quoted = " ".join(citation.quote for citation in reply.citations)
    told = [data for said in reply.support for data in _personal_data(said.sentence)]
    return all(data in quoted for data in told) is value


def _personal_data(sentence: str) -> Sequence[str]:
    from assistant.message.safety import mask

    kept = re.split(r"\[(?:email|iban|id|card|phone)\]", mask(sentence))
    found = re.fullmatch("(.+)".join(map(re.escape, kept)), sentence, re.DOTALL)
    return found.groups() if found else [sentence]


CHECKS: dict[str, Callable[[Reply, Any], bool]] = {
    "intent_was": _intent_was,
    "action_was": lambda reply, value: reply.action == value,
    "bot_uttered": _uttered,
    "bot_did_not_utter": lambda reply, value: not _uttered(reply, value),
    "cited": _cited,
    "all_supported": _all_supported,
    "language_is": _language_is,
    "no_personal_data": _no_personal_data,
}


def write_junit(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write the outcomes as JUnit XML."""
    failed = sum(bool(outcome.failures) for outcome in outcomes)
    suite = ET.Element(
        "testsuite", name="dialogues", tests=str(len(outcomes)), failures=str(failed)
    )
    for outcome in outcomes:
        name = outcome.case.test_case
        node = ET.SubElement(suite, "testcase", classname=outcome.file.stem, name=name)
        if outcome.failures:
            failure = ET.SubElement(node, "failure", message=outcome.failures[0])
            failure.text = "\n".join(outcome.failures)
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Dialogues</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root{{color-scheme:light dark}}body{{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;
margin:auto;padding:1rem}}summary{{cursor:pointer}}.failed summary::before{{content:"✗ "}}
.passed summary::before{{content:"✓ "}}pre{{white-space:pre-wrap;color:#c22}}</style>
<h1>{passed} of {total} dialogues passed</h1>{cases}</html>
"""


def write_page(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write the outcomes as one self-contained HTML page, the failed ones open."""
    cases = "".join(_case_as_html(outcome) for outcome in outcomes)
    passed = sum(not outcome.failures for outcome in outcomes)
    path.write_text(_PAGE.format(passed=passed, total=len(outcomes), cases=cases), encoding="utf-8")


def _case_as_html(outcome: Outcome) -> str:
    state, opened = ("failed", " open") if outcome.failures else ("passed", "")
    meta = outcome.case.metadata
    turns = "".join(
        f"<p><b>{html.escape(step.user)}</b><br>{html.escape(reply.text)} "
        f"<small>{reply.action}, {reply.intent}</small></p>"
        for step, reply in zip(outcome.case.steps, outcome.replies, strict=False)
    )
    problems = html.escape("\n".join(outcome.failures))
    return (
        f'<details class="{state}"{opened}><summary>{html.escape(outcome.case.test_case)} '
        f"<small>{meta.language}, {meta.bucket}</small></summary>{turns}"
        f"<pre>{problems}</pre></details>"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run a folder of dialogues; 1 where any failed, 2 where they cannot be read."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.dialogues",
        description="Run canned dialogues against the assistant.",
        epilog="Example: python -m tuning.dialogues tests/dialogues/passing --html report.html",
    )
    parser.add_argument("folder", type=Path, help="a folder of dialogue files, or one file")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML there")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one HTML page there")
    from assistant.config import add_arguments, settings_of

    add_arguments(parser)
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError

    try:
        cases = load_dialogues(given.folder)
        outcomes = _run_all(settings_of(given), cases)
    except (ValueError, AssistantError, KnowledgeError) as error:
        print(f"dialogues: {error}", file=sys.stderr)
        return 2
    if given.junit:
        write_junit(outcomes, given.junit)
    if given.html:
        write_page(outcomes, given.html)
    failed = [outcome for outcome in outcomes if outcome.failures]
    for outcome in failed:
        print(f"FAILED {outcome.file}: {outcome.case.test_case}")
        print("\n".join(f"    {line}" for line in outcome.failures))
    print(f"{len(outcomes) - len(failed)} of {len(outcomes)} dialogues passed")
    return 1 if failed else 0


def _run_all(settings: Any, cases: Sequence[tuple[Path, Dialogue]]) -> list[Outcome]:
    from tqdm import tqdm

    from assistant.assistant import Assistant

    assistant = Assistant.from_config(settings)
    return [play_dialogue(assistant, file, case) for file, case in tqdm(cases, unit="dialogue")]


if __name__ == "__main__":
    sys.exit(main())
