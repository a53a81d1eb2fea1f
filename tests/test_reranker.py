"""A cross-encoder that the settings name reranks the best hits."""

import pytest

from knowledge.documents import Hit, Passage
from knowledge.errors import ModelNotFoundError
from knowledge.retrieval.reranker import RERANKED, Reranker, open_reranker


class ScriptedEncoder:
    """Gives each passage the logit that its text names."""

    def predict(self, pairs, **_options):
        return [float(text.splitlines()[-1]) for _question, text in pairs]


def hit(article, logit, score):
    passage = Passage(
        article=article, title=article, lang="en", heading="", text=str(logit), start=0, end=1
    )
    return Hit(passage, score)


def test_hits_are_reordered_and_the_probability_of_an_answer_stays():
    hits = [hit("a", -2.0, 0.5), hit("b", 3.0, 0.2), hit("a", -3.0, 0.1)]
    reranked = Reranker(ScriptedEncoder()).rerank("?", hits)
    assert [h.passage.article for h in reranked] == ["b", "a", "a"]
    assert [h.rerank for h in reranked] == [3.0, -2.0, -3.0]
    # The two articles shared 0.7 before; an article counts by its best passage.
    assert reranked[0].score + reranked[1].score == pytest.approx(0.7)
    # Odds: 0.2 times e to the third against 0.5 times e to the minus second.
    assert reranked[0].score / reranked[1].score == pytest.approx(0.4 * 2.718281828**5)


def test_equal_logits_change_nothing():
    hits = [hit("a", 1.0, 0.5), hit("b", 1.0, 0.2)]
    assert [h.score for h in Reranker(ScriptedEncoder()).rerank("?", hits)] == pytest.approx(
        [0.5, 0.2]
    )


def test_only_the_best_hits_are_reranked_and_no_hits_are_no_error():
    hits = [hit(f"a{n}", float(n), 0.05) for n in range(RERANKED + 2)]
    reranked = Reranker(ScriptedEncoder()).rerank("?", hits)
    assert reranked[0].passage.article == f"a{RERANKED - 1}"
    assert [h.rerank for h in reranked[RERANKED:]] == [None, None]
    assert Reranker(ScriptedEncoder()).rerank("?", []) == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny, untrained cross-encoder."""
    from transformers import BertConfig, BertForSequenceClassification

    path = tmp_path_factory.mktemp("cross-encoder")
    config = BertConfig(
        vocab_size=250_037,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        num_labels=1,
    )
    BertForSequenceClassification(config).save_pretrained(path)
    return path


def test_a_folder_is_loaded(folder, embedder):
    embedder.sentence_transformer.tokenizer.save_pretrained(folder)
    reranker = open_reranker(str(folder))
    reranked = reranker.rerank("卡丢了", [hit("a", 1.0, 0.5), hit("b", 2.0, 0.3)])
    assert sum(h.score for h in reranked) == pytest.approx(0.8)
    assert all(isinstance(h.rerank, float) for h in reranked)


def test_no_setting_gives_no_reranker_and_a_wrong_one_is_an_error(tmp_path):
    assert open_reranker(None) is None
    with pytest.raises(ModelNotFoundError, match="No cross-encoder could be loaded from .*nowhere"):
        open_reranker(str(tmp_path / "nowhere"))
