"""A passage read once: which tokens are whose sentence, and what their means are."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from knowledge.documents import Passage
from knowledge.errors import ModelNotFoundError
from knowledge.models.span_embedder import (
    FACTS,
    MAX_PASSAGE_TOKENS,
    MAX_QUESTION_TOKENS,
    SpanEmbedder,
    encode_passage,
    padded,
)
from knowledge.segmenter import Span, sentences

CARD = "A new card costs £5. It comes within 3 days. Above that we charge 2 %."
KARTE = "补办一张卡收费 5 英镑。三天之内寄到。"
LONG = CARD + " And so on and on." * 100
TOLD = {"question_prompt": "query: ", "passage_prompt": "passage: ", "temperature": 0.5}


@pytest.fixture(scope="module")
def tokenizer(embedder):
    return embedder.sentence_transformer.tokenizer


def passage(text, lang="en"):
    return Passage("cards", lang, "Cards", "Prices", text, 0, len(text))


@pytest.mark.parametrize(("text", "lang"), [(CARD, "en"), (KARTE, "zh")])
def test_each_sentence_is_found_again_among_the_tokens(tokenizer, text, lang):
    spans = sentences(text, lang)
    found = encode_passage(tokenizer, "passage: ", "Cards > Prices", text, spans)
    read = [tokenizer.decode(found.ids[slice(*place)]) for place in found.places]
    squeezed = [span.of(text).replace(" ", "") for span in spans]
    assert [one.replace(" ", "").replace(",", "，") for one in read] == squeezed


def test_prompt_and_title_stand_before_a_passage_and_in_no_sentence(tokenizer):
    found = encode_passage(tokenizer, "passage: ", "Cards", CARD, [Span(0, len(CARD))])
    ((first, after),) = found.places
    assert tokenizer.decode(found.ids[1:first]) == "passage: Cards."
    assert tokenizer.decode(found.ids[first:after]) == CARD
    assert found.ids[after:] == [tokenizer.eos_token_id]


def test_what_is_too_long_loses_its_end(tokenizer):
    spans = sentences(LONG, "en")
    found = encode_passage(tokenizer, "", "Cards", LONG, spans)
    assert len(found.ids) == MAX_PASSAGE_TOKENS
    assert found.places[0]
    assert found.places[-1] is None
    last = max(place[1] for place in found.places if place)
    assert last == MAX_PASSAGE_TOKENS - 1, "the mark of the end is no part of a sentence"


def test_shorter_texts_are_padded_and_masked():
    both = padded([[5, 6, 7], [8]], pad=1)
    assert both["input_ids"].tolist() == [[5, 6, 7], [8, 1, 1]]
    assert both["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]


class Places:
    """A network that gives each token the vector (its place, 1), and keeps how long texts were."""

    def __init__(self):
        self.lengths = []

    def __call__(self, input_ids, attention_mask):
        self.lengths.append(attention_mask.sum(dim=1).tolist())
        places = torch.arange(input_ids.shape[1], dtype=torch.float32).expand(input_ids.shape)
        states = torch.stack([places, torch.ones_like(places)], dim=2)
        return SimpleNamespace(last_hidden_state=states)


@pytest.fixture
def model(tokenizer):
    return SpanEmbedder(Places(), tokenizer, "places", {**TOLD, "languages": ["en", "zh"]})


def unit(place):
    return np.array([place, 1.0]) / np.hypot(place, 1.0)


def test_vectors_are_the_means_of_tokens(model, tokenizer):
    """Of length one, so that products are cosines."""
    spans = sentences(CARD, "en")
    places = encode_passage(tokenizer, "passage: ", "Cards > Prices", CARD, spans).places
    (found,) = model.encode_passages([passage(CARD)], [spans])
    for vector, (first, after) in zip(found.sentences, places, strict=True):
        assert vector == pytest.approx(unit((first + after - 1) / 2), abs=1e-5)
    assert found.whole == pytest.approx(unit(places[-1][1] / 2), abs=1e-5), "with all tokens"
    assert found.whole.dtype == found.sentences.dtype == np.float32


def test_a_question_has_its_own_prompt_and_limit(model, tokenizer):
    count = len(tokenizer("query: how much?")["input_ids"])
    (found,) = model.encode_questions(["how much?"])
    assert found == pytest.approx(unit((count - 1) / 2), abs=1e-5)
    model.encode_questions(["how much? " * 200])
    assert model._network.lengths == [[count], [MAX_QUESTION_TOKENS]]


def test_questions_come_back_in_their_order_though_short_ones_are_read_first(model):
    texts = ["how much is it? " * 9, "?", "多少钱"] * 4
    together = model.encode_questions(texts)
    assert together.shape == (12, 2)
    assert together.dtype == np.float32
    alone = np.concatenate([model.encode_questions([text]) for text in texts])
    assert together == pytest.approx(alone, abs=1e-5)


def test_a_sentence_beyond_the_limit_has_zeros(model):
    spans = sentences(LONG, "en")
    (found,) = model.encode_passages([passage(LONG)], [spans])
    assert found.sentences.shape == (len(spans), 2)
    assert found.sentences[-1].tolist() == [0.0, 0.0]
    lengths = np.linalg.norm(found.sentences, axis=1).round(3)
    assert set(lengths.tolist()) == {0.0, 1.0}


def test_a_passage_without_a_sentence_has_a_vector_of_its_own(model):
    (found,) = model.encode_passages([passage("…")], [[]])
    assert found.sentences.shape == (0, 2)
    assert np.linalg.norm(found.whole) == pytest.approx(1.0, abs=1e-5)
    assert model.encode_passages([], []) == []


def test_passages_come_back_in_their_order_though_short_ones_are_read_first(model):
    texts = [LONG, KARTE, CARD] * 4
    spans = [sentences(text, "en") for text in texts]
    together = model.encode_passages([passage(text) for text in texts], spans)
    for text, of_one, found in zip(texts, spans, together, strict=True):
        (alone,) = model.encode_passages([passage(text)], [of_one])
        assert found.whole == pytest.approx(alone.whole, abs=1e-5)
        assert found.sentences == pytest.approx(alone.sentences, abs=1e-5)


def test_the_name_tells_weights_apart(tokenizer, tmp_path):
    """Vectors are stored under it."""
    facts = {**TOLD, "base": "someone/some-encoder", "languages": ["en"]}
    (tmp_path / FACTS).write_text(json.dumps(facts))
    names = []
    for weights in (b"one", b"two"):
        (tmp_path / "adapter_model.safetensors").write_bytes(weights)
        names.append(SpanEmbedder.load(Places(), tokenizer, tmp_path).name)
    assert len(set(names)) == 2
    assert all(name.startswith("some-encoder-") for name in names)


def test_missing_or_damaged_facts_are_named(tokenizer, tmp_path):
    expected = "Expected the weights of a span embedder in .*, found: "
    with pytest.raises(ModelNotFoundError, match=expected):
        SpanEmbedder.load(Places(), tokenizer, tmp_path)
    (tmp_path / "adapter_model.safetensors").touch()
    for damaged in ("{", "{}", json.dumps({"base": "a/b", "languages": ["en"]})):
        (tmp_path / FACTS).write_text(damaged)
        with pytest.raises(ModelNotFoundError, match=expected):
            SpanEmbedder.load(Places(), tokenizer, tmp_path)
    with pytest.raises(ModelNotFoundError, match="Expected an encoder in .* and an adapter"):
        SpanEmbedder.open(tmp_path / "nowhere", tmp_path)
