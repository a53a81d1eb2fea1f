"""A company's query head: fitted on its questions, better on others, clear about bad input."""

import pytest

from knowledge.knowledge_base import KnowledgeBase
from knowledge.models import model_files
from knowledge.retrieval.query_head import QueryHead
from tests.conftest import STATE
from tests.fakes import HashEmbedder
from tuning import query_head
from tuning.retrieval.asked_questions import AskedQuestion, project_questions, read_questions


@pytest.fixture
def folder(tmp_path):
    """Two articles that do not use their customers' words."""
    (tmp_path / "a.md").write_text("---\nid: a\ntitle: Zephyr\n---\nAbout the first of our things.")
    (tmp_path / "b.md").write_text("---\nid: b\ntitle: Quartz\n---\nAbout the other of our things.")
    return tmp_path


def test_the_head_learns_what_customers_call_a_thing(folder, embedder):
    """Questions that it was not fitted on find the right article."""
    asked = [
        AskedQuestion(f"my umbrella is {word}", "b", "en") for word in ("red", "wet", "old", "lost")
    ]
    asked += [
        AskedQuestion(f"my bicycle is {word}", "a", "en") for word in ("red", "wet", "old", "lost")
    ]
    query_head.fit(folder, asked, embedder, steps=200).save(folder)
    retriever = KnowledgeBase.open(folder, embedder, STATE).current()
    for question, right in (("a broken umbrella", "b"), ("my bike needs air", "a")):
        assert retriever.retrieve(question, "en")[0].passage.article == right


def test_the_command_writes_weights_that_are_found(folder, embedder, tmp_path, capsys):
    lines = tmp_path / "asked.jsonl"
    lines.write_text('{"question": "where is it", "article": "a"}\n')
    arguments = [str(folder), "--questions", str(lines), "--steps", "2", "--state", str(STATE)]
    assert query_head.main(arguments) == 0
    assert "Fitted on 1 questions" in capsys.readouterr().out
    assert QueryHead.find(folder, embedder.query_name) is not None


def test_a_head_belongs_to_the_embedder_that_it_was_fitted_for(folder, tmp_path, monkeypatch):
    lines = tmp_path / "asked.jsonl"
    lines.write_text('{"question": "where is it", "article": "a"}\n')
    opened = []
    monkeypatch.setattr(
        model_files, "open_embedder", lambda name, _: opened.append(name) or HashEmbedder()
    )
    arguments = [str(folder), "--questions", str(lines), "--steps", "1", "--embedder", "another"]
    assert query_head.main(arguments) == 0
    assert opened == ["another"]
    assert QueryHead.find(folder, HashEmbedder.query_name) is not None
    assert QueryHead.find(folder, "e5") is None


def test_no_questions_are_an_error(folder, capsys):
    assert query_head.main([str(folder), "--state", str(STATE)]) == 1
    assert "Expected questions in" in capsys.readouterr().err
    with pytest.raises(ValueError, match="Expected questions for articles of"):
        query_head.fit(folder, [AskedQuestion("x", "gone", "en")], HashEmbedder(), steps=1)


def test_a_wrong_line_is_named(tmp_path):
    file = tmp_path / "asked.jsonl"
    file.write_text('{"question": "q", "article": "a"}\n{"question": 3}\n')
    with pytest.raises(ValueError, match="asked.jsonl:2: expected"):
        read_questions(file)


@pytest.mark.parametrize(("lang", "least"), [("en", 60), ("zh", 150)])
def test_training_and_development_questions_are_apart(lang, least):
    names = (f"retrieval_train.{lang}", f"retrieval_head.{lang}")
    train = {asked.question.lower() for name in names for asked in project_questions(name, lang)}
    dev = {asked.question.lower() for asked in project_questions(f"retrieval_dev.{lang}", lang)}
    assert len(dev) >= least
    assert not train & dev
