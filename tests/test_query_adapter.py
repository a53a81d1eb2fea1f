"""The query adapter: its loss by hand, its data, and what the command trains and writes."""

import random
import re

import numpy as np
import pytest
import torch

from knowledge.build_index import BANK
from knowledge.models.embedder import SentenceTransformerEmbedder
from knowledge.models.model_files import default_embedder_folder, open_frozen_embedder
from tests.conftest import STATE
from tests.fakes import HashEmbedder
from tests.small_public_data import BANKING, CLINC, CROSSWOZ, HELD_OUT, PASSAGES, write_public_data
from tuning import query_adapter
from tuning.query_adapter import BATCH, NOTHING, TEMPERATURE, _batches, _loss
from tuning.retrieval import adapter_data
from tuning.retrieval.adapter_data import Corpus, load_corpora, load_kept_questions, load_questions
from tuning.retrieval.asked_questions import AskedQuestion, project_questions

# Development questions that are also Chinese intent examples; the shipped weights saw them.
IN_BOTH = {"转人工", "atm把我的卡吃了", "搬家了怎么改地址"}
XQUAD = {lang: [q for listed in rows.values() for q in listed] for lang, rows in PASSAGES.items()}


@pytest.fixture
def public_data(tmp_path, monkeypatch):
    write_public_data(tmp_path / "data")
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path / "data"))


def test_the_loss_is_the_negative_log_of_the_right_passages_probability():
    """Cosines of 1, 0 and 0 with three passages; the article has the first two of them."""
    corpus = Corpus(torch.eye(3), {"a": [0, 1], "b": [2]})
    exponents = np.exp(np.array([1.0, 0.0, 0.0, NOTHING]) / TEMPERATURE)
    vector = torch.tensor([1.0, 0.0, 0.0])
    for article, rows in (("a", [0, 1]), ("b", [2])):
        loss = float(_loss(corpus, AskedQuestion("?", article, "en"), vector))
        expected = -np.log(exponents[rows].sum() / exponents.sum())
        assert loss == pytest.approx(expected, abs=1e-5)


def test_a_batch_repeats_no_question_before_all_have_come():
    random.seed(0)
    questions = [("bank-en", AskedQuestion(str(n), "a", "en")) for n in range(2 * BATCH)]
    first, second, third = _batches(questions, 3)
    assert len(set(first) | set(second)) == 2 * BATCH
    assert len(set(third)) == BATCH


@pytest.mark.usefixtures("public_data")
def test_questions_of_development_sets_are_not_trained_on():
    texts = {question.question for _, question in load_questions(BANK)}
    banking = {text for listed in BANKING.values() for text in listed}
    assert texts & banking == banking - {HELD_OUT}
    # Every second passage of XQuAD is for training.
    for asked in XQUAD.values():
        assert texts & set(asked) == set(asked[::2])
    for lang in ("en", "zh"):
        dev = project_questions(f"retrieval_dev.{lang}", lang)
        assert _keys(texts) & _keys(question.question for question in dev) <= IN_BOTH
    kept = set(load_kept_questions())
    trained = {text for intent, text in CLINC["train"] if intent != "oos"}
    assert kept == trained | set(CROSSWOZ[::2]) | set(XQUAD["en"][::2]) | set(XQUAD["zh"][::2])


def _keys(texts):
    """Return texts without case, spaces and punctuation."""
    return {re.sub(r"\W+", "", text.lower()) for text in texts}


@pytest.mark.usefixtures("public_data")
def test_each_question_is_searched_where_its_article_is():
    """Across languages too: the passages of one language, the question of the other."""
    corpora = load_corpora(BANK, HashEmbedder())
    questions = load_questions(BANK)
    assert {name for name, _ in questions} == set(corpora)
    assert all(question.article in corpora[name].rows for name, question in questions)
    assert {q.question for name, q in questions if name == "xquad-zh"} >= set(XQUAD["en"][::2])


@pytest.fixture(scope="module")
def frozen():
    return open_frozen_embedder(STATE)


@pytest.mark.model
@pytest.mark.usefixtures("public_data")
def test_the_command_writes_an_adapter_that_moves_questions_only(
    frozen, tmp_path, monkeypatch, capsys
):
    corpora, out = load_corpora(BANK, frozen), tmp_path / "adapter"
    monkeypatch.setattr(adapter_data, "load_corpora", lambda *_: corpora)
    command = ["--out", str(out), "--epochs", "0.02", "--state", str(STATE)]
    assert query_adapter.main(command) == 0
    assert f"Saved the query adapter in {out}" in capsys.readouterr().out
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "license: cc-by-sa-4.0" in card
    assert "(5 steps, seed\n0)" in card
    source = default_embedder_folder(STATE)
    adapted = SentenceTransformerEmbedder(source, "e5", frozenset({"en", "zh"}), out)
    assert adapted.name == "e5"
    assert adapted.query_name.startswith("e5+")
    texts = ["Where is my card?", "我的卡在哪里？"]
    published = frozen.sentence_transformer.encode_document(texts, normalize_embeddings=True)
    assert np.array_equal(adapted.encode_passages(texts), published)
    questions = project_questions("retrieval_train.en", "en")[::5]
    before, after = (
        embedder.encode_queries([question.question for question in questions])
        for embedder in (frozen, adapted)
    )
    # Even so few steps move the training questions towards their passages.
    losses = [
        [float(_loss(corpora["bank-en"], *pair)) for pair in zip(questions, rows, strict=True)]
        for rows in (torch.tensor(before), torch.tensor(after))
    ]
    assert np.mean(losses[1]) < np.mean(losses[0]) - 0.1


def test_without_public_data_nothing_is_trained(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("FRONTDESK_DATA", raising=False)
    assert query_adapter.main(["--out", str(tmp_path / "adapter")]) == 2
    message = capsys.readouterr().err
    assert message.startswith("query_adapter: Expected the folder of public data sets")
    assert "Traceback" not in message
    assert not (tmp_path / "adapter").exists()
