"""Rows written by hand, and the short answers to customers' messages."""

import json

import pytest

from assistant.grounding.grounder import Grounder, without_yes_or_no
from knowledge.documents import Hit, Passage
from knowledge.segmenter import sentences
from tuning.companies import DEV, load_companies
from tuning.customer_messages import FOLDER
from tuning.dataset.written_rows import (
    DATA,
    WrittenRow,
    load_written_rows,
    problems,
    written_rows,
)
from tuning.json_lines import read_json_lines

KINDS = {"across", "choice", "complaint", "decline_near", "table", "two_articles", "yes_no"}
CINDER = {
    "company": "cinder-insurance",
    "lang": "en",
    "kind": "yes_no",
    "question": "is it dear?",
    "sentences": [{"article": "excess", "text": "You may choose £0 for an extra £4 a month"}],
    "answer": "It is £4 a month.",
    "author": "test",
}


@pytest.fixture(scope="module")
def companies():
    return {c.id: c for part in ("train", "dev") for c in load_companies(part)}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_row_rests_on_its_sentences(lang, companies):
    rows = [row for part in ("train", "dev") for row in load_written_rows(lang, part)]
    assert len(rows) >= 300
    assert {row.kind for row in rows} == KINDS
    wrong = {
        row.question: found
        for row in rows
        if (found := problems(row, companies[row.company] if row.company else None))
    }
    assert not wrong


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, None),
        ({"answer": "It is £5 a month."}, "figures in no sentence: 5"),
        ({"answer": ""}, "an empty answer"),
        ({"sentences": [{"article": "excess", "text": "It is free."}]}, "has no sentence"),
        ({"lang": "zh", "answer": "每月 4 英镑。"}, "yes_no: answered in zh from en"),
        ({"kind": "table"}, "no company"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(change, problem, companies):
    row = WrittenRow.model_validate({**CINDER, **change})
    found = problems(row, companies["cinder-insurance"])
    assert (problem is None and not found) or any(problem in one for one in found)


def test_parts_are_apart_and_rows_are_those_of_the_others():
    train, dev = ({row.company for row in written_rows("zh", part)} for part in ("train", "dev"))
    assert dev <= DEV
    assert not train & dev
    row = next(row for row in written_rows("en", "train") if row.kind == "across")
    assert row.hits[0].passage.lang == "zh"
    assert row.hits[0].passage.title


def test_a_line_that_is_no_row_is_named(tmp_path, monkeypatch):
    (tmp_path / "worded.en.jsonl").write_text(json.dumps({**CINDER, "kind": "rhyme"}) + "\n")
    monkeypatch.setattr("tuning.dataset.written_rows.DATA", tmp_path)
    with pytest.raises(ValueError, match=r"worded.en.jsonl:1: expected a row"):
        load_written_rows("en", "train")
    assert load_written_rows("zh", "train") == []
    assert (DATA / "worded.en.jsonl").is_file()


@pytest.mark.parametrize("name", ["bank.en", "bank.zh", "companies.en", "companies.zh"])
def test_answers_to_customers_are_supported(name):
    """Every sixth; a sentence that the product would not say is nothing to train on."""
    lang, grounder = name[-2:], Grounder()
    rows = [row for row in read_json_lines(FOLDER / f"{name}.jsonl") if row.get("answer")]
    assert len(rows) > 300
    for row in rows[::6]:
        texts = [*row["support"], " ".join(row["support"])]
        hits = [Hit(Passage("a", lang, "", "", text, 0, len(text)), 1.0) for text in texts]
        answer = row["answer"]
        assert without_yes_or_no(answer) == answer
        assert all(grounder.check(s.of(answer), hits) for s in sentences(answer, lang)), answer
