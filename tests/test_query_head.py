"""A company's own head: fitted on its questions, better on others, and honest about bad input."""

import pytest

from knowledge.knowledge_base import KnowledgeBase
from knowledge.retrieval.query_head import QueryHead
from tests.conftest import STATE
from tests.fakes import HashEmbedder
from tuning import query_head
from tuning.calibrate import calibration_error
from tuning.retrieval.asked_questions import Asked, ours, read_questions
from tuning.retrieval.fit_fusion import Judged, fit

np = pytest.importorskip("numpy")


@pytest.fixture
def folder(tmp_path):
    """Two articles whose words say nothing of what customers call them."""
    (tmp_path / "a.md").write_text("---\nid: a\ntitle: Zephyr\n---\nAbout the first of our things.")
    (tmp_path / "b.md").write_text("---\nid: b\ntitle: Quartz\n---\nAbout the other of our things.")
    return tmp_path


def test_the_head_learns_what_customers_call_a_thing(folder, embedder):
    """Questions in other words than those that it was fitted on find the right article."""
    asked = [Asked(f"my umbrella is {word}", "b", "en") for word in ("red", "wet", "old", "lost")]
    asked += [Asked(f"my bicycle is {word}", "a", "en") for word in ("red", "wet", "old", "lost")]
    query_head.fit(folder, asked, embedder, steps=200).save(folder)
    retriever = KnowledgeBase.open(folder, embedder, STATE).current()
    for question, right in (("a broken umbrella", "b"), ("my bike needs air", "a")):
        assert retriever.retrieve(question, "en")[0].passage.article == right


def test_the_command_writes_weights_that_are_found(folder, embedder, tmp_path, capsys):
    lines = tmp_path / "asked.jsonl"
    lines.write_text('{"question": "where is it", "article": "a"}\n')
    arguments = [str(folder), "--questions", str(lines), "--steps", "2", "--state", str(STATE)]
    assert query_head.main(arguments) == 0
    assert "fitted on 1 questions" in capsys.readouterr().out
    assert QueryHead.find(folder, embedder.query_name) is not None


def test_nothing_to_learn_from_is_an_error(folder, capsys):
    assert query_head.main([str(folder), "--state", str(STATE)]) == 1
    assert "Expected questions in" in capsys.readouterr().err
    with pytest.raises(ValueError, match="Expected questions for articles of"):
        query_head.fit(folder, [Asked("x", "gone", "en")], HashEmbedder(), steps=1)


def test_a_wrong_line_is_named(tmp_path):
    file = tmp_path / "asked.jsonl"
    file.write_text('{"question": "q", "article": "a"}\n{"question": 3}\n')
    with pytest.raises(ValueError, match="asked.jsonl:2: expected"):
        read_questions(file)


@pytest.mark.parametrize(("lang", "least"), [("en", 60), ("zh", 150)])
def test_training_and_development_questions_are_apart(lang, least):
    names = (f"retrieval_train.{lang}", f"retrieval_head.{lang}")
    train = {asked.question.lower() for name in names for asked in ours(name, lang)}
    dev = {asked.question.lower() for asked in ours(f"retrieval_dev.{lang}", lang)}
    assert len(dev) >= least
    assert not train & dev


def test_calibration_error_by_hand():
    """Ten hits of score 0.95 of which nine are right, ten of 0.15 of which none is."""
    scores = np.array([0.95] * 10 + [0.15] * 10)
    right = np.array([1.0] * 9 + [0.0] * 11)
    assert calibration_error(scores, right) == pytest.approx((0.05 + 0.15) / 2)


def test_the_fit_finds_probabilities_that_come_true():
    """The right article is drawn with known odds; the fitted scores say those odds."""
    random = np.random.default_rng(0)
    judged = []
    for _ in range(600):
        dense = random.uniform(0.7, 0.9, size=3).astype(np.float32)
        odds = np.exp(30 * (dense - 0.8))
        answers = 1 / (1 + np.exp(-(12 * dense.max() - 9)))
        right = "abc"[random.choice(3, p=odds / odds.sum())] if random.random() < answers else None
        nothing = np.zeros(3, dtype=np.float32)
        judged.append(Judged("ours", right, ("a", "b", "c"), dense, nothing, nothing))
    fusion = fit(judged, helped=False)
    assert fusion.dense == pytest.approx(30, rel=0.3)
    scores = fusion.probabilities(
        np.array([0.85, 0.75], np.float32), *[np.zeros(2)] * 2, ("a", "b")
    )
    expected = 1 / (1 + np.exp(-(12 * 0.85 - 9)))
    assert scores.sum() == pytest.approx(expected, abs=0.07)
    assert scores[0] / scores[1] == pytest.approx(np.exp(30 * 0.1), rel=0.6)
