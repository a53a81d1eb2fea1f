"""How reading, retrieval and the span embedder add up: the table, and the fit on known answers."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

from assistant.evidence.evidence_weights import EvidenceWeights, EvidenceWeightTable, key
from assistant.evidence.ranker import SentenceRanker
from assistant.evidence.reader import EvidenceReader
from knowledge.documents import Article, Hit, Passage
from tests.fakes import HashEmbedder
from tuning import evidence_weights
from tuning.customer_messages import CustomerMessage
from tuning.evidence_questions import EvidenceQuestion, _asked, _Recorder
from tuning.evidence_weights import UNANSWERED_SHARE, _shares, fit, sentence_logits

ENGLISH, SPANS = EvidenceWeights(reading=2.0), EvidenceWeights(span=3.0)


def test_a_language_without_weights_has_those_of_english():
    table = EvidenceWeightTable({"en": ENGLISH, "en, spans": SPANS})
    assert table.of("en", spans=False) == table.of("other", spans=False) == ENGLISH
    assert table.of("zh", spans=True) == SPANS
    both = EvidenceWeightTable({"en": ENGLISH, "zh": SPANS})
    assert both.of("zh", spans=False) == SPANS


def test_without_any_weights_the_reading_counts_as_it_is():
    table = EvidenceWeightTable({"en": ENGLISH})
    assert table.of("en", spans=True) == EvidenceWeights()
    assert EvidenceWeights().span == 0, "without weights for it, no span embedder has a say"
    assert EvidenceWeights().answerable(0.0, 5.0, 9.0) == 0.5


def test_the_probability_is_a_logistic_function_of_the_three_features():
    weights = EvidenceWeights(any_reading=1.0, any_hit=0.5, any_span=0.25, bias=-1.0)
    assert weights.answerable(2.0, 2.0, 4.0) == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert weights.answerable(-50.0, 0.0, 0.0) < 1e-9
    assert weights.answerable(-1e9, 0.0, 0.0) == 0.0


def test_the_weights_that_ship_cover_both_languages_with_and_without_spans():
    table = EvidenceWeightTable.load()
    for lang in ("en", "zh"):
        for spans in (False, True):
            weights = table.of(lang, spans=spans)
            assert key(lang, spans=spans) in table._weights
            assert weights.reading > 0
            assert (weights.span > 0) == spans
            sure, unsure = (weights.answerable(logit, 1.0, 8.0) for logit in (4.0, -4.0))
            assert sure > unsure, "the better it reads, the likelier something answers"


def question(gold, read, hit, span, features=(0.0, 0.0, 0.0), source="shop", repeated=None):
    """Return a question with a sentence for each entry; nothing answers if none is gold."""
    return EvidenceQuestion(
        source=source,
        lang="en",
        question="?",
        answered=any(gold),
        gold=np.array(gold, bool),
        right=np.array(gold, bool),
        articles=tuple(str(n) for n in range(len(gold))),
        read=np.array(read, float),
        hit=np.array(hit, float),
        span=np.array(span, float),
        repeated=np.zeros(len(gold)) if repeated is None else np.array(repeated, float),
        features=features,
        out_of_scope=0.0,
        route="answer answer",
    )


def drawn(count, weights, seed=0):
    """Return questions whose right sentences, and whether any is, follow known weights."""
    random = np.random.default_rng(seed)
    questions = []
    for number in range(count):
        read, hit, span, drawn_ = random.normal(size=(4, 5)) * np.array([[2.0], [1.0], [3.0], [1]])
        repeated = np.abs(drawn_)
        logits = weights.reading * read + weights.hit * hit + weights.span * span
        logits -= weights.repeated * repeated
        chances = np.exp(logits) / np.exp(logits).sum()
        features = tuple(float(value) for value in random.normal(size=3) * 3)
        answered = random.random() < weights.answerable(*features)
        gold = np.arange(5) == random.choice(5, p=chances)
        source = "shop, tidy" if number % 2 else "shop"
        questions.append(question(gold & answered, read, hit, span, features, source, repeated))
    return questions


def test_the_fit_finds_the_weights_that_drew_the_answers():
    true = EvidenceWeights(
        reading=1.0,
        hit=0.5,
        span=0.8,
        repeated=0.6,
        any_reading=0.7,
        any_hit=0.1,
        any_span=0.4,
    )
    found = fit(drawn(1500, true))
    assert found.reading == pytest.approx(true.reading, rel=0.25)
    assert found.hit == pytest.approx(true.hit, rel=0.35)
    assert found.span == pytest.approx(true.span, rel=0.25)
    assert found.repeated == pytest.approx(true.repeated, rel=0.35)
    assert found.any_reading == pytest.approx(true.any_reading, rel=0.25)
    assert found.any_hit == pytest.approx(true.any_hit, abs=0.1)
    assert found.any_span == pytest.approx(true.any_span, rel=0.25)


@pytest.mark.parametrize("name", ["reading", "hit", "span"])
def test_the_fit_finds_that_a_feature_decides(name):
    """Of a sentence, and of whether any answers; the other two are noise."""
    others = dict.fromkeys(("reading", "hit", "span"), 0.0)
    true = EvidenceWeights(**{**others, name: 1.5}, any_reading=0.0)
    true = dataclasses.replace(true, **{f"any_{name}": 1.5})
    found = dataclasses.asdict(fit(drawn(800, true)))
    for other in others:
        if other != name:
            assert found[other] < found[name] / 5
            assert abs(found[f"any_{other}"]) < found[f"any_{name}"] / 5


def test_nothing_speaks_against_a_sentence():
    """A feature that is high for wrong sentences gets no weight, and no negative one."""
    wrong = [
        question([True, False], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0], (2.0, 0.0, 0.0)),
        question([False, False], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0], (-2.0, 0.0, 0.0)),
    ] * 20
    found = fit(wrong)
    assert found.reading > 1
    assert found.hit == 0


def test_a_fifth_is_taken_to_be_unanswered_however_many_were_asked():
    """Features that say nothing leave the assumed share."""
    known = question([True], [0.0], [0.0], [0.0])
    unknown = question([False], [0.0], [0.0], [0.0])
    for count in (1, 30):
        weights = fit([known] * 30 + [unknown] * count)
        assert weights.answerable(0.0, 0.0, 0.0) == pytest.approx(1 - UNANSWERED_SHARE, abs=0.01)


def test_tidy_questions_and_messages_count_half_each():
    asked = [
        question([True], [0.0], [0.0], [0.0], source=s) for s in ("shop", "a, tidy", "b, tidy")
    ]
    assert _shares(asked).tolist() == [0.5, 0.25, 0.25]


def test_a_passage_that_a_network_left_out_never_wins():
    left_out = question([True, False], [-np.inf, 0.0], [9.0, 0.0], [9.0, 0.0])
    assert sentence_logits(left_out, EvidenceWeights(1, 1, 1, 1)).tolist() == [-np.inf, 0.0]


def test_a_best_sentence_that_stands_out_is_likelier_right():
    """The fit finds what its share is worth beside "any sentence answers"."""
    random = np.random.default_rng(0)
    asked = []
    for _ in range(800):
        read = random.normal(size=4) * 3
        answered = random.random() < 0.7
        first = random.random() < np.exp(read).max() / np.exp(read).sum()
        gold = np.arange(4) == (np.argmax(read) if first else np.argmin(read))
        any_read = (2.0 if answered else -2.0, 0.0, 0.0)
        asked.append(question(gold & answered, read, np.zeros(4), np.zeros(4), any_read))
    found = fit(asked)
    clear, level = (found.best(2.0, 0.0, share) for share in (3.0, -0.5))
    assert clear > 0.9
    assert level < 0.6
    assert found.best(-2.0, 0.0, 3.0) < 0.2, "nothing answers"


def test_the_command_writes_what_it_fitted_with_spans_and_without(tmp_path, monkeypatch, capsys):
    true = EvidenceWeights(span=0.5)
    asked = drawn(80, true)
    monkeypatch.setattr(
        evidence_weights,
        "read_questions",
        lambda settings, lang: (dataclasses.replace(one, lang=lang) for one in asked),
    )
    file, read = tmp_path / "evidence.json", tmp_path / "read.json"
    kept = dataclasses.asdict(ENGLISH)
    file.write_text(json.dumps({"en": kept}))
    monkeypatch.setattr("assistant.evidence.evidence_weights.WEIGHTS_FILE", file)
    assert evidence_weights.main(["--dry-run", "--save", str(read)]) == 0
    assert json.loads(file.read_text()) == {"en": kept}
    assert len(json.loads(read.read_text())) == 160
    assert evidence_weights.main([]) == 0
    table = EvidenceWeightTable.load(file)
    assert table.of("en", spans=True) == table.of("zh", spans=True) == fit(asked)
    without = table.of("en", spans=False)
    assert without != ENGLISH
    assert without.span == without.any_span == 0, "what no span embedder has read"
    assert without.reading > 0
    assert "shop, tidy: " in capsys.readouterr().out


def test_one_language_can_be_fitted_alone(tmp_path, monkeypatch):
    """The other one's questions are not read, and its weights stay."""
    asked = drawn(80, EvidenceWeights(span=0.5))
    read = []

    def read_questions(settings, lang):
        read.append(lang)
        return [dataclasses.replace(one, lang=lang) for one in asked]

    monkeypatch.setattr(evidence_weights, "read_questions", read_questions)
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps({"en, spans": dataclasses.asdict(ENGLISH)}))
    monkeypatch.setattr("assistant.evidence.evidence_weights.WEIGHTS_FILE", file)
    assert evidence_weights.main(["--languages", "zh"]) == 0
    assert read == ["zh"]
    table = EvidenceWeightTable.load(file)
    assert table.of("en", spans=True) == ENGLISH
    assert table.of("zh", spans=True) == fit(asked)


class Counts:
    """A model for which a sentence's logit is its number; records the questions that it read."""

    languages = frozenset({"en"})

    def __init__(self):
        self.read = []

    def score(self, question, passages, spans):
        self.read.append(question)
        return [np.arange(len(of_passage), dtype=float) for of_passage in spans]


def asked_of(*texts, reads, message="how much is it", support=()):
    """Return what is recorded of a message whose hits have these texts, and the model."""
    model = Counts()
    hits = [
        Hit(Passage(str(n), "en", "T", "", text, 0, len(text)), 0.5) for n, text in enumerate(texts)
    ]
    ranker = SentenceRanker(HashEmbedder(), _Recorder(EvidenceReader(model)))

    def consider(question):
        if reads:
            ranker.rank(question, hits, np.zeros(64, np.float32))
        return SimpleNamespace(
            query=question,
            hits=hits,
            prediction=SimpleNamespace(out_of_scope=0.25),
            route=SimpleNamespace(action="clarify", reason="unsure"),
        )

    assistant = SimpleNamespace(
        consider=consider, evidence=ranker, policy=SimpleNamespace(least_share=0.0)
    )
    articles = [Article(str(n), "T", "en", text, "p") for n, text in enumerate(texts)]
    told = CustomerMessage(message, ("0",), support)
    return _asked(assistant, "shop", told, articles), model


CARD, ROOM = "What is this?\n\nA card costs £5. Call us now.", "A room costs £80."


@pytest.mark.parametrize("reads", [True, False])
def test_each_question_is_read_once_whether_or_not_the_assistant_read_it(reads):
    """What it decides before reading is read too; a sentence that says nothing has no entry."""
    found, model = asked_of(CARD, ROOM, reads=reads, support=("A card costs £5.",))
    assert model.read == ["how much is it"]
    assert found.articles == ("0", "0", "1")
    assert found.gold.tolist() == [True, False, False]
    assert found.right.tolist() == [True, True, False]
    assert found.read.tolist() == [0.0, 1.0, 0.0]
    assert (found.out_of_scope, found.route) == (0.25, "clarify unsure")


def test_of_an_article_that_answers_as_a_whole_each_sentence_does():
    found, _ = asked_of(CARD, ROOM, reads=True)
    assert found.gold.tolist() == [True, True, False]


def test_a_question_of_which_nothing_can_be_read_does_not_end_the_command():
    """All sentences of its hits are hollow."""
    found, model = asked_of("What is this?", reads=False)
    assert found is None
    assert model.read == []
