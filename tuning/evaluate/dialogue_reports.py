"""Reports about played dialogues: JUnit XML and one HTML page."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from tuning.evaluate.played_dialogues import PlayedDialogue
from tuning.page_templates import render

PAGE = Path(__file__).with_name("dialogues.html.jinja")


def write_junit(played: Sequence[PlayedDialogue], path: Path) -> None:
    """Write JUnit XML, as continuous integration servers read it."""
    failed = sum(bool(entry.failures) for entry in played)
    suite = ET.Element("testsuite", name="dialogues", tests=str(len(played)), failures=str(failed))
    for entry in played:
        name = entry.dialogue.test_case
        case = ET.SubElement(suite, "testcase", classname=entry.file.stem, name=name)
        if entry.failures:
            failure = ET.SubElement(case, "failure", message=entry.failures[0])
            failure.text = "\n".join(entry.failures)
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def write_page(played: Sequence[PlayedDialogue], path: Path) -> None:
    """Write one self-contained HTML page; failed dialogues are open."""
    path.write_text(render(PAGE, played=played), encoding="utf-8")
