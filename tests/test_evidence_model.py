"""Question and passage read together: tokens of sentences, two models, and the real weights."""

import dataclasses
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from assistant.errors import AssistantError
from assistant.evidence import reader as evidence_reader
from assistant.evidence.evidence_model import (
    CUT_OFF,
    MAX_LATER_TOKENS,
    MAX_TOKENS,
    OF_EMBEDDER,
    EvidenceModel,
    encode,
)
from assistant.evidence.evidence_weights import EvidenceWeights, EvidenceWeightTable
from assistant.evidence.reader import READ_AGAIN, EvidenceReader, open_reading_embedder
from assistant.message.context import EarlierTurn
from knowledge.documents import Hit, Passage
from knowledge.errors import ModelNotFoundError
from knowledge.segmenter import Span, sentences
from tests.conftest import STATE
from tests.fakes import HashEmbedder
from tuning.companies import load_companies
from tuning.evidence_model.cases import company_cases

CARD = "A new card costs £5. It comes within 3 days. Above that we charge 2 %."
KARTE = "补办一张卡收费 5 英镑。三天之内寄到。"


def passage(text, lang="en"):
    return Passage("cards", lang, "Cards", "", text, 0, len(text))


LAST = EarlierTurn("how do I get a new card?", "You order one in the app.")


@pytest.mark.parametrize("last", [None, LAST, EarlierTurn("卡丢了怎么办")])
@pytest.mark.parametrize(("text", "lang"), [(CARD, "en"), (KARTE, "zh")])
def test_each_sentence_is_found_again_among_the_tokens(embedder, text, lang, last):
    tokenizer = embedder.sentence_transformer.tokenizer
    spans = sentences(text, lang)
    found = encode(tokenizer, "how much?", "Cards > Prices", text, spans, last)
    read = [tokenizer.decode(found.ids[first : last + 1]) for first, last in found.places]
    squeezed = [span.of(text).replace(" ", "") for span in spans]
    assert [one.replace(" ", "").replace(",", "，") for one in read] == squeezed


def test_what_is_too_long_loses_its_end_and_never_the_question(embedder):
    tokenizer = embedder.sentence_transformer.tokenizer
    text = CARD + " And so on and on." * 100
    spans = sentences(text, "en")
    found = encode(tokenizer, "how much?", "Cards", text, spans)
    assert len(found.ids) == MAX_TOKENS
    assert found.places[0]
    assert found.places[-1] is None
    assert "how much?" in tokenizer.decode(found.ids)


@pytest.mark.parametrize("word", ["charge ", "手续费", "x"])
def test_a_question_that_is_too_long_loses_its_end_and_leaves_room_to_read(embedder, word):
    tokenizer = embedder.sentence_transformer.tokenizer
    encoded = encode(tokenizer, word * 4000, "Cards", CARD, sentences(CARD, "en"))
    assert len(encoded.ids) <= MAX_TOKENS
    assert encoded.places[0]


def read_before_the_passage(tokenizer, encoded):
    """Return message, question before and answer as the network reads them."""
    text = tokenizer.decode(encoded.ids[: encoded.places[0][0]], skip_special_tokens=True)
    text = text.strip().removeprefix("query:").removesuffix("Cards:")
    message, _, rest = text.partition("asked before:")
    asked, _, answered = rest.partition("answered:")
    return [message.strip(), asked.strip(), answered.strip()]


def test_a_later_turn_is_read_with_the_question_before_it_and_its_answer(embedder):
    tokenizer = embedder.sentence_transformer.tokenizer
    spans = sentences(CARD, "en")
    later = encode(tokenizer, "how much?", "Cards", CARD, spans, LAST)
    read = read_before_the_passage(tokenizer, later)
    assert read == ["how much?", LAST.question, LAST.answer]
    first = encode(tokenizer, "how much?", "Cards", CARD, spans)
    assert read_before_the_passage(tokenizer, first) == ["how much?", "", ""]
    unanswered = encode(tokenizer, "how much?", "Cards", CARD, spans, EarlierTurn(LAST.question))
    assert read_before_the_passage(tokenizer, unanswered) == ["how much?", LAST.question, ""]


@pytest.mark.parametrize("word", ["charge ", "手续费", "x", "£"])
def test_message_question_before_and_answer_lose_their_ends_apart(embedder, word):
    """Each keeps as much as its limit allows, and the passage is read all the same."""
    tokenizer = embedder.sentence_transformer.tokenizer
    long = word * 4000
    spans = sentences(CARD, "en")
    encoded = encode(tokenizer, long, "Cards", CARD, spans, EarlierTurn(long, long))
    assert len(encoded.ids) <= MAX_TOKENS
    assert all(encoded.places), "a short passage is read whole"
    most = (MAX_LATER_TOKENS[0], MAX_LATER_TOKENS[1], MAX_LATER_TOKENS[2])
    for part, limit in zip(read_before_the_passage(tokenizer, encoded), most, strict=True):
        tokens = len(tokenizer(part, add_special_tokens=False)["input_ids"])
        assert limit - 3 <= tokens <= limit


def test_a_long_message_leaves_the_turn_before_it_whole(embedder):
    tokenizer = embedder.sentence_transformer.tokenizer
    spans = sentences(CARD, "en")
    encoded = encode(tokenizer, "charge " * 4000, "Cards", CARD, spans, LAST)
    _, asked, answered = read_before_the_passage(tokenizer, encoded)
    assert (asked, answered) == (LAST.question, LAST.answer)
    longer = CARD + " And so on and on." * 100
    spans = sentences(longer, "en")
    encoded = encode(tokenizer, "how much?", "Cards", longer, spans, LAST)
    assert len(encoded.ids) == MAX_TOKENS
    assert encoded.places[0]
    assert encoded.places[-1] is None, "the passage loses its end, not the conversation"
    assert read_before_the_passage(tokenizer, encoded)[2] == LAST.answer


def network(input_ids, attention_mask):
    """Give each token the vector (its place, 1)."""
    places = torch.arange(input_ids.shape[1], dtype=torch.float32).expand(input_ids.shape)
    return SimpleNamespace(last_hidden_state=torch.stack([places, torch.ones_like(places)], dim=2))


def model(embedder, *, languages=("en", "zh")):
    facts = {"settings": {"languages": languages}}
    tokenizer = embedder.sentence_transformer.tokenizer
    return EvidenceModel(network, tokenizer, (np.array([1.0, 0.0]), 0.5), facts)


def test_a_sentence_is_the_mean_of_its_tokens(embedder):
    spans = sentences(CARD, "en")
    (first, last), *_ = encode(
        embedder.sentence_transformer.tokenizer, "how much?", "Cards", CARD, spans
    ).places
    (means,) = model(embedder).score("how much?", [passage(CARD)], [spans])
    assert means[0] == pytest.approx((first + last) / 2 + 0.5)
    (later, _), *_ = encode(
        embedder.sentence_transformer.tokenizer, "how much?", "Cards", CARD, spans, LAST
    ).places
    (after,) = model(embedder).score("how much?", [passage(CARD)], [spans], LAST)
    assert after[0] - means[0] == pytest.approx(later - first), "it stands behind the turn before"
    assert later > first
    nowhere = [Span(5000, 5010)]
    assert model(embedder).score("?", [passage(CARD)], [nowhere])[0].tolist() == [CUT_OFF]
    assert model(embedder).score("?", [], []) == []


class Reads:
    """A model whose logits are told, and which keeps what it read."""

    def __init__(self, *logits, languages=("en", "zh")):
        self.logits, self.languages, self.read = logits, frozenset(languages), []
        self.after = []

    def score(self, question, passages, spans, last=None):
        self.read.append([p.article for p in passages])
        self.after.append(last)
        return [np.array(self.logits[int(p.article)]) for p in passages]


def hits(*scores, spans=()):
    passages = [Passage(str(n), "en", "T", "", "One.", 0, 4) for n in range(len(scores))]
    near = [(span,) for span in spans] or [()] * len(scores)
    return [
        Hit(passage, score, sentences=of_one)
        for passage, score, of_one in zip(passages, scores, near, strict=True)
    ]


SPANS = [[Span(0, 4)]] * 5


def test_one_model_compares_sentences_with_the_hits_scores_beside():
    first = Reads([1.0], [1.0])
    reading = EvidenceReader(first).read("how much?", hits(0.9, 0.1), SPANS[:2])
    any_logit, any_hit, any_span = reading.features
    assert any_logit == pytest.approx(1 + np.log(2)), "what nothing else says counts alone"
    assert any_hit == pytest.approx(np.log(0.9 / 0.1)), "the log-odds of the best hit"
    assert any_span == 0
    assert [own.tolist() for own in reading.read] == [[1.0], [1.0]]
    assert reading.logits[0][0] - reading.logits[1][0] == pytest.approx(
        EvidenceWeights().hit * np.log(0.9001 / 0.1001)
    )


def test_a_sentence_that_many_articles_repeat_is_worth_less():
    told = EvidenceWeights(repeated=0.5)
    reader = EvidenceReader(Reads([1.0], [1.0]), weights=EvidenceWeightTable({"en": told}))
    unique, footer = hits(0.5, 0.5)
    footer = dataclasses.replace(footer, repeated=(8,))
    reading = reader.read("how much?", [unique, footer], SPANS[:2])
    assert reading.logits[0][0] - reading.logits[1][0] == pytest.approx(0.5 * np.log(8))
    assert [own.tolist() for own in reading.read] == [[1.0], [1.0]]


def test_the_probability_is_of_all_three_features_with_the_questions_languages_weights():
    told = EvidenceWeights(any_reading=2.0, any_hit=0.5, any_span=0.25, bias=-1.0)
    reader = EvidenceReader(Reads([1.0]), weights=EvidenceWeightTable({"zh, spans": told}))
    chinese = reader.read("一张新卡多少钱", hits(0.5, spans=[8.0]), SPANS[:1])
    assert chinese.features == pytest.approx((1.0, 0.0, 8.0))
    assert chinese.answerable == pytest.approx(1 / (1 + np.exp(-(2.0 + 0.0 + 2.0 - 1.0))))
    english = reader.read("how much?", hits(0.5, spans=[8.0]), SPANS[:1])
    assert english.answerable == pytest.approx(1 / (1 + np.exp(-1.0))), "as it is by default"


def test_what_the_span_embedder_finds_near_counts_for_a_sentence():
    weights = EvidenceWeights(reading=2.0, hit=0.0, span=0.5)
    reader = EvidenceReader(
        Reads([1.0], [2.0]), weights=EvidenceWeightTable({"en, spans": weights})
    )
    reading = reader.read("how much?", hits(0.9, 0.9, spans=[10.0, 2.0]), SPANS[:2])
    assert [own.tolist() for own in reading.logits] == [[7.0], [5.0]]
    assert reading.features[2] == 10.0


def test_bounds_keep_a_hit_that_is_sure_or_impossible_finite():
    reading = EvidenceReader(Reads([1.0], [1.0])).read("how much?", hits(1.0, 0.0), SPANS[:2])
    assert np.isfinite(reading.features).all()
    assert np.isfinite(np.concatenate(reading.logits)).all()


def test_a_passage_that_is_likelier_by_its_spans_is_read_again():
    """The second network reads few passages: those that all scores together prefer."""
    weights = EvidenceWeightTable({"en, spans": EvidenceWeights(span=1.0)})
    second = Reads(*[[0.0]] * 5)
    reader = EvidenceReader(Reads(*[[0.0]] * 5), second, weights)
    reader.read("how much?", hits(*[0.5] * 5, spans=[1.0, 9.0, 2.0, 8.0, 7.0]), SPANS)
    assert second.read == [["1", "3", "4"]]


def test_the_second_reads_the_likeliest_again_and_the_others_fall_behind():
    first = Reads([0.0], [4.0], [1.0], [3.0], [2.0])
    second = Reads([9.0], [2.0], [9.0], [7.0], [0.0], languages=("en",))
    reader = EvidenceReader(first, second)
    reading = reader.read("how much?", hits(*[1.0] * 5), SPANS)
    assert second.read == [["1", "3", "4"]]
    assert len(second.read[0]) == READ_AGAIN
    assert [None if own is None else round(own[0], 3) for own in reading.logits] == [
        None, 3.0, None, 5.0, 1.0,
    ]  # fmt: skip
    both = np.logaddexp.reduce([0.0, 4, 1, 3, 2]), np.logaddexp.reduce([2.0, 7, 0])
    assert reading.features[0] == pytest.approx(np.mean(both))
    # A question in a language that it was not trained in is left to the first.
    assert None not in reader.read("一张新卡多少钱", hits(*[1.0] * 5), SPANS).logits
    assert len(second.read) == 1


def test_the_second_leaves_passages_in_another_language_to_the_first():
    first, second = Reads([1.0], [2.0]), Reads([9.0], languages=("en",))
    reader, found = EvidenceReader(first, second), hits(1.0, 1.0)
    foreign = [
        dataclasses.replace(hit, passage=dataclasses.replace(hit.passage, lang="zh"))
        for hit in found
    ]
    mixed = reader.read("how much?", [found[0], foreign[1]], SPANS[:2])
    assert [own.tolist() for own in mixed.read] == [[5.0], [2.0]]
    reading = reader.read("how much?", foreign, SPANS[:2])
    assert [own.tolist() for own in reading.read] == [[1.0], [2.0]]
    assert len(second.read) == 1


def test_a_later_turn_is_read_in_three_ways_where_the_first_network_reads_alone():
    first = Reads([0.0], [1.0])
    EvidenceReader(first).read("how much?", hits(0.5, 0.5), SPANS[:2], LAST)
    assert first.after == [LAST, None, None]


def test_two_networks_read_a_later_turn_with_the_one_before_it():
    first, second = Reads([0.0], [1.0]), Reads([0.0], [1.0])
    reader = EvidenceReader(first, second)
    reader.read("how much?", hits(0.5, 0.5), SPANS[:2], LAST)
    reader.read("how much?", hits(0.5, 0.5), SPANS[:2])
    assert first.after == second.after == [LAST, None]


class ReadsByWay:
    """A model whose logit depends on how a question is read."""

    languages = frozenset({"en", "zh"})

    def score(self, question, passages, spans, last=None):
        logit = 6.0 if last else 3.0 if "card" in question else 0.0
        return [np.array([logit]) for _ in passages]


def test_the_mean_of_the_three_readings_counts():
    reading = EvidenceReader(ReadsByWay()).read("how much?", hits(0.5), SPANS[:1], LAST)
    assert reading.read[0].tolist() == [3.0]
    assert reading.features[0] == pytest.approx(3.0)


@pytest.mark.parametrize(("spans", "kind"), [([8.0], "en, spans"), ((), "en")])
def test_a_later_turn_has_weights_of_its_own(spans, kind):
    table = {kind: EvidenceWeights(reading=2.0), f"{kind}, later": EvidenceWeights(reading=3.0)}
    reader = EvidenceReader(Reads([1.0]), weights=EvidenceWeightTable(table))

    def weight(question, last):
        reading = reader.read(question, hits(1 - 1e-4, spans=spans), SPANS[:1], last)
        return reading.logits[0][0]

    assert weight("how much?", None) == pytest.approx(2)
    assert weight("how much?", LAST) == pytest.approx(3)
    assert weight("多少钱", LAST) == pytest.approx(3), "other languages have those of English"


def test_a_later_turn_without_weights_of_its_own_has_those_of_first_turns():
    reader = EvidenceReader(
        Reads([1.0]), weights=EvidenceWeightTable({"en, spans": EvidenceWeights(any_reading=0.25)})
    )
    one = hits(0.5, spans=[8.0])
    first, later = (reader.read("how much?", one, SPANS[:1], last) for last in (None, LAST))
    assert later.answerable == first.answerable == pytest.approx(1 / (1 + np.exp(-0.25)))


def test_weights_for_another_model_are_left_alone_and_damaged_ones_named(embedder, tmp_path):
    assert EvidenceReader.open(HashEmbedder()) is None
    assert EvidenceModel.load(embedder, tmp_path) is None
    broken = tmp_path / "broken"
    shutil.copytree(OF_EMBEDDER, broken)
    (broken / "head.safetensors").write_bytes(b"no weights")
    with pytest.raises(AssistantError, match="Expected the weights of the evidence model in"):
        EvidenceModel.load(embedder, broken)


def worth(reader, name, embedder):
    """Return shares of questions with the right sentence first, and of pairs told apart."""
    company = next(c for c in load_companies("dev") if c.id == name)
    known, unknown, right = [], [], []
    for case in list(company_cases(company, embedder))[::2]:
        found = [
            Hit(Passage(h.article, case.lang, h.name, "", h.text, 0, len(h.text)), h.score)
            for h in case.passages[:4]
        ]
        reading = reader.read(case.question, found, [h.sentences for h in case.passages[:4]])
        (known if case.article else unknown).append(reading.features[0])
        if case.article:
            read = [n for n, own in enumerate(reading.logits) if own is not None]
            gold = [g for n in read for g in case.passages[n].gold]
            right.append(gold[np.argmax(np.concatenate([reading.logits[n] for n in read]))])
    apart = np.mean([a > b for a in known for b in unknown])
    return np.mean(right), apart


@pytest.mark.parametrize("name", ["willow-dental", "heyuan-wuye"])
def test_companies_never_seen_are_read_well(embedder, name):
    first, apart = worth(EvidenceReader.open(embedder), name, embedder)
    assert first >= 0.65
    assert apart >= 0.8, "what nothing answers is told from what something does"


def test_the_larger_encoder_reads_too(bank):
    """With both networks a price is told from a delay, and what is near from what answers."""
    reader = bank.finder.evidence.reader
    assert reader._second is not None
    text = (
        "A spare key takes two days to cut. A spare key is £9. Keys are cut on weekdays. "
        "A key that breaks within a year is replaced for free."
    )
    spans = sentences(text, "en")

    def read(question):
        return reader.read(question, [Hit(passage(text), 0.9)], [spans])

    for question, best in (
        ("what do you charge for a second key", 1),
        ("my key snapped after three months", 3),
    ):
        reading = read(question)
        assert int(np.argmax(reading.logits[0])) == best
        assert reading.answerable > 0.7
    assert read("do you sell padlocks").answerable < 0.2


def test_the_cards_tell_what_was_measured():
    for folder in OF_EMBEDDER.parent.glob("evidence-model*"):
        facts = json.loads((folder / "evidence_model.json").read_text(encoding="utf-8"))
        card = (folder / "README.md").read_text(encoding="utf-8")
        for worth_ in facts["development"].values():
            assert f"{worth_['auroc']:.3f}" in card
        assert STATE.name not in facts["base"]
        size = sum(file.stat().st_size for file in folder.iterdir())
        assert size < 20_000_000


@pytest.mark.model
def test_beside_another_embedder_the_default_one_is_loaded_to_read(monkeypatch, caplog):
    assert open_reading_embedder(None, STATE) is None
    reading = open_reading_embedder("some/other", STATE)
    assert reading is not None
    assert EvidenceReader.open(reading) is not None

    def missing(state):
        raise ModelNotFoundError("nowhere")

    monkeypatch.setattr(evidence_reader, "open_frozen_embedder", missing)
    assert open_reading_embedder("some/other", STATE) is None
    assert "cosines alone" in caplog.text
