"""Templates are strict, and their prompts are compared with golden files."""

import json
from pathlib import Path

import pytest

from assistant.errors import TemplateError
from assistant.messages import Message
from assistant.writing.templates import FOLDER, PromptTemplate, Sayings
from knowledge.documents import Hit, Passage

GOLDEN = Path(__file__).parent / "golden"
HITS = [
    Hit(Passage("a", "en", "Replace a card", "Fees", "It costs £5. {{ 7 * 7 }}", 0, 24), 0.9),
    Hit(Passage("b", "en", "Card delivery", "", "It takes 5 working days.", 0, 24), 0.5),
]
HISTORY = [Message("user", "I lost my card"), Message("assistant", "Freeze it.")]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("task", ["answer_zero_shot", "answer_few_shot", "answer_tuned"])
def test_rendered_prompts_are_the_golden_ones(task, lang):
    """After an intended change of a template, update the golden file."""
    messages = PromptTemplate.load(task, lang).render("how much?", HITS, HISTORY)
    golden = json.loads((GOLDEN / f"{task}.{lang}.json").read_text(encoding="utf-8"))
    assert messages == golden


def test_passages_are_data_and_never_compiled():
    messages = PromptTemplate.load("answer_zero_shot", "en").render("q {{ 1 + 1 }}", HITS)
    assert "{{ 7 * 7 }}" in messages[-1]["content"]
    assert "{{ 1 + 1 }}" in messages[-1]["content"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id: a\nversion: 1\ntask: t\nlang: en\nsystem: s\nuser: u\ncolour: red", "colour"),
        ("id: a\nversion: 1\ntask: t\nlang: en\nsystem: s", "user"),
        ("id: [", "expected a template"),
    ],
)
def test_an_invalid_template_is_named(tmp_path, content, message):
    (tmp_path / "t.en.yaml").write_text(content)
    with pytest.raises(TemplateError, match=message) as caught:
        PromptTemplate.load("t", "en", tmp_path)
    assert "t.en.yaml" in str(caught.value)


def test_a_missing_value_is_named(tmp_path):
    text = "id: a\nversion: 1\ntask: t\nlang: en\nsystem: s\nuser: '{{ wish }}'"
    (tmp_path / "t.en.yaml").write_text(text)
    with pytest.raises(TemplateError, match="'wish' is undefined"):
        PromptTemplate.load("t", "en", tmp_path).render("q", [])


def test_the_hash_changes_with_the_file(tmp_path):
    for name in ("answer_zero_shot.en.yaml",):
        (tmp_path / name).write_text((FOLDER / name).read_text() + "\n")
    changed = PromptTemplate.load("answer_zero_shot", "en", tmp_path)
    assert changed.hash != PromptTemplate.load("answer_zero_shot", "en").hash


def test_both_languages_have_the_same_sayings():
    en, zh = Sayings.load("en"), Sayings.load("zh")
    assert en.sayings.keys() == zh.sayings.keys()
    for sayings in (en, zh):
        for name in sayings.sayings:
            values = {"company": "X", "max_characters": 9, "title": "T", "crisis": "C"}
            values |= {
                "minutes": "3",
                "day": "D",
                "time": "09:00",
                "zone": "Z",
                "part": "P",
                "seconds": "3",
            }
            assert sayings.say(name, **values)


def test_an_unknown_saying_is_named():
    with pytest.raises(TemplateError, match="expected a saying 'nonsense'"):
        Sayings.load("en").say("nonsense")
