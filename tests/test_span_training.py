"""The training of span embedders: batches and loss by hand, cases, and the command on little data."""

import json
import random

import numpy as np
import pytest
import torch
import yaml

from knowledge.documents import Article
from knowledge.models.span_embedder import FACTS, SpanEmbedder
from tests.conftest import STATE
from tuning import customer_messages
from tuning.customer_messages import CustomerMessage, HelpCentre
from tuning.span_embedder import __main__ as span_embedder
from tuning.span_embedder import cases as cases_module
from tuning.span_embedder.cases import Corpus, SpanCase, cases_of, tidy_cases
from tuning.span_embedder.config import SpanSettings
from tuning.span_embedder.training import BACKWARDS, _batches, _locate, _loss, _varied

FEES = "A card costs £5. It comes within 3 days."
LIMITS = "You can take out £500 a day. Ask us for more."


def article(name, text, lang="en"):
    return Article(name, name.title(), lang, text, f"{name}.md")


ARTICLES = [article("fees", FEES), article("limits", LIMITS)]


@pytest.fixture
def corpus():
    return Corpus.of("shop", ARTICLES)


@pytest.fixture
def settings(tmp_path):
    return SpanSettings(
        name="test", base="x", languages=("en",), batch=4, near=2, temperature=0.5,
        output=tmp_path / "out",
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _same_draws():
    random.seed(0)


def placed(count):
    """Return cases with a passage each, and neighbours in pairs."""
    cases = [SpanCase("shop", str(n), ("a",), passage=n) for n in range(count)]
    return cases, [[n, n ^ 1] for n in range(count)]


def test_batches_hold_groups_of_neighbours_and_every_case_once(settings):
    cases, neighbours = placed(16)
    batches = _batches(cases, neighbours, settings)
    for _ in range(2):
        epoch = [next(batches) for _ in range(4)]
        assert sorted(n for batch in epoch for n in batch) == list(range(16))
        for batch in epoch:
            assert all(n ^ 1 in batch for n in batch)


def test_a_group_that_does_not_fit_loses_no_case(settings):
    """What is left out of a full batch comes in the next one."""
    cases = [SpanCase("shop", str(n), ("a",), passage=n) for n in range(15)]
    together = [list(range(n // 3 * 3, n // 3 * 3 + 3)) for n in range(15)]
    batches = _batches(cases, together, settings.model_copy(update={"batch": 5, "near": 3}))
    for _ in range(3):
        epoch = [n for _ in range(3) for n in next(batches)]
        assert sorted(epoch) == list(range(15))


def test_neighbours_in_a_group_have_different_passages(settings):
    """Messages about one passage are no hard negatives of each other."""
    cases, _ = placed(4)
    for case in cases:
        case.passage = 0
    batch = next(_batches(cases, [list(range(4))] * 4, settings))
    assert sorted(batch) == list(range(4)), "each is a group of its own"


def test_fewer_cases_than_a_batch_come_again(settings):
    cases, neighbours = placed(2)
    batch = next(_batches(cases, neighbours, settings))
    assert sorted(batch) == [0, 0, 1, 1]


class Told:
    """A network whose vectors are told: by question, and by passage with those of its sentences."""

    def __init__(self, settings, questions, passages):
        self.settings, self._questions, self._passages = settings, questions, passages

    def questions(self, texts):
        return torch.tensor([self._questions[text] for text in texts])

    def passages(self, corpus_rows):
        told = [self._passages[row] for _, row in corpus_rows]
        parts = [vector for _, sentences in told for vector in sentences]
        whole = torch.tensor([vector for vector, _ in told])
        return whole, torch.tensor(parts), [len(sentences) for _, sentences in told]


X, Y = [1.0, 0.0], [0.0, 1.0]
# Two passages with two sentences each, of which one is as near as the passage.
PASSAGES = {0: (X, [X, Y]), 1: (Y, [X, Y])}


@pytest.fixture
def loss(settings, corpus, monkeypatch):
    monkeypatch.setattr("tuning.span_embedder.training.VARIED", 0.0)

    def loss(*cases, passages=PASSAGES, **questions):
        network = Told(settings, questions, passages)
        return float(_loss(network, cases, {"shop": corpus}))

    return loss


def case(question, passage, *sentences, articles=("fees",)):
    return SpanCase("shop", question, articles, passage, list(sentences))


def log_share(*scores, right):
    """Return the negative log of the right scores' share, in the units of the temperature."""
    exponents = np.exp(np.array(scores) / 0.5)
    return -np.log(exponents[right].sum() / exponents.sum())


def test_the_loss_by_hand(loss):
    """A question finds its passage, the passage its question, the question its sentence."""
    cases = case("a", 0, 0), case("b", 1, 1, articles=("limits",))
    near = log_share(1, 0, right=[0])
    sentences = log_share(1, 0, 1, 0, right=[0])
    assert loss(*cases, a=X, b=Y) == pytest.approx(near + BACKWARDS * near + sentences, abs=1e-5)


def test_the_right_passage_and_sentence_cost_less(loss):
    cases = case("a", 0, 0), case("b", 1, 1, articles=("limits",))
    assert loss(*cases, a=X, b=Y) < loss(*cases, a=Y, b=Y) < loss(*cases, a=Y, b=X)
    told = {"a": X, "b": Y}
    assert loss(case("a", 0, 0), cases[1], **told) < loss(case("a", 0, 1), cases[1], **told)


def test_another_passage_of_an_article_that_answers_is_not_wrong(loss):
    """Nor are its sentences, however near they are."""
    both = case("a", 0, 0, articles=("fees", "limits")), case("b", 1, 1, articles=("limits",))
    alone = case("a", 0, 0), both[1]
    likewise = {0: (X, [X, Y]), 1: (X, [X, Y])}
    assert loss(*both, passages=likewise, a=X, b=X) < loss(*alone, passages=likewise, a=X, b=X)


def test_a_message_whose_sentences_are_not_known_trains_the_passage_alone(loss):
    near = log_share(1, 0, right=[0])
    cases = case("a", 0), case("b", 1, articles=("limits",))
    assert loss(*cases, a=X, b=Y) == pytest.approx((1 + BACKWARDS) * near, abs=1e-5)


def test_two_messages_about_one_passage_share_it(loss):
    """It counts once among the passages, and both are its messages."""
    cases = case("a", 0), case("c", 0), case("b", 1, articles=("limits",))
    forth = log_share(1, 0, right=[0])
    back = (log_share(1, 1, 0, right=[0, 1]) + log_share(1, 0, 0, right=[0])) / 2
    found = loss(*cases, a=X, c=X, b=Y)
    assert found == pytest.approx(forth + BACKWARDS * back, abs=1e-5)


def test_the_passage_of_a_message_without_sentences_is_the_nearest_of_its_articles(
    settings, corpus
):
    network = Told(settings, {"a": Y, "b": X, "c": X}, PASSAGES)
    cases = [case("a", -1, articles=("fees", "limits")), case("b", -1, articles=("limits",))]
    cases.append(case("c", 0))
    neighbours = _locate(network, cases, {"shop": corpus})
    assert [c.passage for c in cases] == [1, 1, 0]
    assert neighbours[0] == [0, 1, 2], "those with nearer passages come first"
    assert neighbours[2][0] == 2


def test_a_case_knows_the_passage_and_the_sentences_that_answer(corpus):
    messages = [
        CustomerMessage("how fast?", ("fees",), ("it comes within **3 days**.",)),
        CustomerMessage("how much?", ("fees", "limits"), ("You can take out £500 a day.",)),
        CustomerMessage("what?", ("fees",)),
        CustomerMessage("do you sell gold?"),
    ]
    cases = cases_of(HelpCentre("shop", "en", ARTICLES, messages), corpus)
    found = [(c.question, corpus.passages[c.passage].article, c.sentences) for c in cases[:2]]
    assert found == [("how fast?", "fees", [1]), ("how much?", "limits", [0])]
    assert (cases[2].passage, cases[2].sentences) == (-1, [])
    assert len(cases) == 3, "what nothing answers has no right passage"


def test_sentences_are_numbered_within_their_passage():
    """Of an article of several passages."""
    long = "\n\n".join(
        f"# Part {n}\n\nHere begins part {n}. {FEES}{' And more.' * 60}" for n in range(3)
    )
    corpus = Corpus.of("shop", [article("fees", long)])
    assert len(corpus.passages) >= 3
    start = long.index("Here begins part 2.")
    number, (sentence,) = next(corpus.places("fees", start, start + 19))
    passage = corpus.passages[number]
    assert corpus.spans[number][sentence].of(passage.text) == "Here begins part 2."
    assert list(corpus.places("limits", 0, 9)) == []


def test_tidy_questions_join_the_messages_in_the_same_corpora():
    corpora = {}
    cases = tidy_cases("en", corpora, 40, seed=1)
    assert len(cases) == 40
    assert [c.question for c in cases] == [c.question for c in tidy_cases("en", {}, 40, seed=1)]
    for one in cases:
        if one.passage >= 0:
            assert corpora[one.corpus].passages[one.passage].article in one.articles
            assert max(one.sentences) < len(corpora[one.corpus].spans[one.passage])


def test_a_varied_question_loses_capitals_and_its_last_mark(monkeypatch):
    monkeypatch.setattr("tuning.span_embedder.training.VARIED", 1.0)
    assert _varied("How much is it?") == "how much is it"
    monkeypatch.setattr("tuning.span_embedder.training.VARIED", 0.0)
    assert _varied("How much is it?") == "How much is it?"


@pytest.fixture
def small(monkeypatch, tmp_path, embedder):
    """Two messages, four tidy questions, and a tiny random encoder with the real tokenizer."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    messages = [
        CustomerMessage("how fast?", ("fees",), ("It comes within 3 days.",)),
        CustomerMessage("most cash", ("limits",), ("You can take out £500 a day.",)),
    ]
    centre = HelpCentre("shop", "en", ARTICLES, messages)
    monkeypatch.setattr(customer_messages, "help_centres", lambda part, lang: [centre])
    tidy = [case("what is a card?", 0, 0), case("cash a day?", 1, 0, articles=("limits",))]
    monkeypatch.setattr(cases_module, "tidy_cases", lambda *_: tidy)
    tokenizer = embedder.sentence_transformer.tokenizer
    folder = tmp_path / "tiny"
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    config = BertConfig(vocab_size=len(tokenizer), num_attention_heads=2, **shape)
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def run(tmp_path):
    def run(base, **changed):
        values = {"name": "test", "base": str(base), "languages": ["en"], "batch": 4, "near": 2}
        values |= {"max_steps": 3, "rank": 2, "output": str(tmp_path / "out"), **changed}
        file = tmp_path / "config.yaml"
        file.write_text(yaml.safe_dump(values))
        return span_embedder.main(["--config", str(file), "--state", str(STATE)])

    return run


def test_the_command_trains_weights_that_are_opened_as_they_were_saved(run, small, tmp_path):
    assert run(small, passage_prompt="passage: ") == 0
    out = tmp_path / "out"
    facts = json.loads((out / FACTS).read_text())
    assert (facts["training"]["messages"], facts["training"]["tidy"]) == (2, 2)
    assert facts["training"]["loss"] > 0
    assert not list(tmp_path.glob("out.part"))
    opened = SpanEmbedder.open(small, out)
    assert (opened.languages, opened.temperature) == (frozenset({"en"}), 0.05)
    corpus = Corpus.of("shop", ARTICLES)
    fees, _ = opened.encode_passages(corpus.passages, corpus.spans)
    assert fees.sentences.shape == (2, 32)
    assert opened.encode_questions(["how much?"]).shape == (1, 32)


def test_the_card_tells_how_to_repeat_the_training(run, small, tmp_path):
    assert run(small) == 0
    card = (tmp_path / "out" / "README.md").read_text()
    assert "python -m tuning.span_embedder --config" in card


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"colour": "blue"}, "colour: Extra inputs are not permitted"),
        ({"near": 0}, "near: Input should be greater than or equal to 1"),
        ({"base": "nowhere/at-all"}, "span_embedder: "),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(run, small, tmp_path, capsys, changed, message):
    assert run(**{"base": small, **changed}) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_ctrl_c_writes_nothing(run, small, tmp_path, monkeypatch, capsys):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("tuning.span_embedder.training.train", stopped)
    assert run(small) == 130
    assert "nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
