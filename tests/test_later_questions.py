"""The training for later messages: rows, batches, loss and measures by hand, and the command."""

import json
import math
from itertools import islice

import numpy as np
import pytest
import torch
import yaml

from knowledge.documents import Article
from knowledge.models.span_embedder import FACTS, SpanEmbedder
from knowledge.models.turn_before import TurnBefore
from tests.conftest import STATE
from tests.fakes import CountingSpanEmbedder
from tuning.companies import Company
from tuning.customer_messages import HelpCentre
from tuning.customer_talks import Talks, turns_of
from tuning.evidence_model.cases import CasePassage, EvidenceCase, write_cases
from tuning.later_questions import __main__ as later_questions
from tuning.later_questions import rows as rows_module
from tuning.later_questions.config import LaterSettings
from tuning.later_questions.frozen_vectors import CorpusVectors, FrozenVectors
from tuning.later_questions.measures import READINGS, measure, passage_scores
from tuning.later_questions.model_folder import FACTS as LATER_FACTS
from tuning.later_questions.rows import LaterRow, made_rows, training_rows, written_rows
from tuning.later_questions.training import ALONE, LOST, PASSAGES, batches_of, loss_of
from tuning.span_embedder.cases import Corpus

FEES = "A card costs £5. It comes within 3 days."
LIMITS = "You can take out £500 a day. Ask us for more."
ARTICLES = [
    Article("fees", "Fees", "en", FEES, "fees.md"),
    Article("limits", "Limits", "en", LIMITS, "limits.md"),
]
BEFORE = TurnBefore("whats a card cost", "A card costs £5.")
# A conversation of which the first turn, thanks, and one whose sentence is unknown are no rows.
TALK = [
    {"question": BEFORE.question, "kind": "first", "doc": "fees", "support": [BEFORE.answer]},
    {"question": "n how fast", "kind": "follow_up", "alone": "how fast does a card come", "doc": "fees", "support": ["It comes within 3 days."]},
    {"question": "ta", "kind": "small_talk", "expect": "small_talk"},
    {"question": "most cash", "kind": "change", "alone": "how much cash can i take out", "doc": "limits|fees", "support": ["You can take out **£500** a day.", "Ask us for more."]},
    {"question": "in gold?", "kind": "unanswerable", "expect": "decline", "alone": "can i take out gold"},
    {"question": "n silver", "kind": "follow_up", "alone": "can i take out silver", "doc": "fees", "support": ["We have silver."]},
]  # fmt: skip


def shown(article, text, *sentences):
    """Return a passage of a case; the sentences with True answer."""
    spans = [(text.index(sentence), right) for sentence, right in sentences]
    places = [[at, at + len(s)] for (at, _), (s, _) in zip(spans, sentences, strict=True)]
    return CasePassage(article, article.title(), text, places, [right for _, right in spans], 1.0)


def made_case(company="shop", article="fees", lang="en"):
    passages = [
        shown("fees", FEES, ("A card costs £5.", False), ("It comes within 3 days.", True)),
        shown("limits", LIMITS, ("You can take out £500 a day.", True)),
    ]
    return EvidenceCase(company, lang, "how fast?", article, passages, "how much?", "£5.")


@pytest.fixture(autouse=True)
def _small_data(monkeypatch):
    talks = [Talks(HelpCentre("shop", "en", ARTICLES, ()), [turns_of(TALK)])]
    monkeypatch.setattr(rows_module, "talks_of", lambda part, lang: talks)
    company = Company("shop", "The Shop", "shop", "en", ARTICLES, ())
    monkeypatch.setattr(rows_module, "load_companies", lambda part: [company])


@pytest.fixture
def cases(tmp_path):
    folder = tmp_path / "cases"
    write_cases(folder / "made.jsonl", [made_case() for _ in range(5)])
    return folder


@pytest.fixture
def settings(cases, tmp_path):
    return LaterSettings(
        name="test", span_embedder="span-embedder", languages=("en",), cases=cases,
        output=tmp_path / "out",
    )  # fmt: skip


def test_later_turns_that_are_answered_or_declined_are_rows():
    corpora = {}
    rows = written_rows("train", "en", corpora)
    assert [(row.text, row.alone) for row in rows] == [
        ("n how fast", "how fast does a card come"),
        ("most cash", "how much cash can i take out"),
        ("in gold?", "can i take out gold"),
    ], "not the first, not the thanks, not what stands in no article"
    assert rows[0].before == BEFORE
    assert list(corpora) == ["shop"]


def test_right_sentences_are_numbered_among_all_of_the_company():
    rows = written_rows("train", "en", {})
    assert [row.right for row in rows] == [(1,), (2, 3), ()]


def test_a_turn_made_by_rule_has_the_sentences_of_its_article():
    """Those of other articles are wrong, whatever the case says; nobody wrote it in full."""
    (row,) = made_rows([made_case(), made_case(article="")], {}, "var")
    assert row == LaterRow("shop", "how fast?", TurnBefore("how much?", "£5."), "", (1,))


def test_written_turns_count_twice_and_those_made_by_rule_are_no_more_than_them(settings):
    written, made = training_rows(settings, {})
    assert (len(written), len(set(written)), len(made)) == (6, 3, 3)


def test_turns_made_by_rule_in_other_languages_are_left_out(settings, cases):
    write_cases(cases / "made.jsonl", [made_case(lang="zh")])
    assert training_rows(settings, {})[1] == []


def numbered(count):
    return [LaterRow("shop", str(n), BEFORE, "", (0,)) for n in range(count)]


def test_every_row_comes_once_before_any_comes_again():
    texts = [row.text for batch in islice(batches_of(numbered(9), 6, seed=1), 3) for row in batch]
    assert sorted(texts[:9]) == sorted(texts[9:]) == [str(n) for n in range(9)]
    assert texts[:9] != texts[9:]


def test_the_order_depends_on_the_seed_alone():
    first, again, other = (next(batches_of(numbered(9), 9, seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_some_rows_lose_the_answer_before_and_keep_the_question():
    rows = next(batches_of(numbered(2000), 2000, seed=0))
    lost = [row for row in rows if not row.before.answer]
    assert len(lost) / len(rows) == pytest.approx(LOST, abs=0.03)
    assert {row.before for row in rows} == {BEFORE, TurnBefore(BEFORE.question, "")}


X, Y = (1.0, 0.0), (0.0, 1.0)
# Two passages with two sentences each; one without any.
CORPUS = CorpusVectors(
    ("fees", "limits", "empty"),
    np.array([X, Y, (0.6, 0.8)], np.float32),
    np.array([X, Y, Y, (0.8, 0.6)], np.float32),
    np.array([0, 0, 1, 1]),
)
ALONE_VECTOR = np.array((0.6, 0.8), np.float32)
FROZEN = FrozenVectors({"shop": CORPUS}, {"in full": ALONE_VECTOR})


def right(*numbers, alone="", text="?"):
    return LaterRow("shop", text, BEFORE, alone, numbers)


def loss(*rows, vector=X, temperature=0.5):
    vectors = torch.tensor([vector] * len(rows))
    return float(loss_of(vectors, rows, FROZEN, temperature))


def log_share(*cosines, of):
    """Return the negative log of the right ones' share, at the temperature of 0.5."""
    exponents = [math.exp(cosine / 0.5) for cosine in cosines]
    return -math.log(sum(exponents[n] for n in of) / sum(exponents))


def test_the_loss_by_hand():
    """The right sentences among all, their passages once among all, the distance to the whole."""
    sentences, passages = (1, 0, 0, 0.8), (1, 0, 0.6)
    one = log_share(*sentences, of=[0]) + PASSAGES * log_share(*passages, of=[0])
    two = log_share(*sentences, of=[2, 3]) + PASSAGES * log_share(*passages, of=[1])
    distance = ALONE * (1 - 0.6)
    assert loss(right(0)) == pytest.approx(one, abs=1e-5)
    assert loss(right(2, 3)) == pytest.approx(two, abs=1e-5)
    assert loss(right(0, alone="in full")) == pytest.approx(one + distance, abs=1e-5)
    assert loss(right(alone="in full")) == pytest.approx(distance, abs=1e-5), "nothing answers"
    mean = (one + two + distance) / 3
    assert loss(right(0), right(2, 3), right(alone="in full")) == pytest.approx(mean, abs=1e-5)


def test_what_is_near_to_what_is_right_costs_less():
    assert loss(right(0), vector=X) < loss(right(0), vector=Y)
    assert loss(right(alone="in full"), vector=(0.6, 0.8)) < loss(right(alone="in full"), vector=Y)
    assert loss(right(0), temperature=0.1) < loss(right(0), temperature=0.5)


def test_the_score_of_a_passage_is_the_mean_of_its_own_and_that_of_its_best_sentence():
    scores = passage_scores(
        np.array([0.4, 0.2, 0.9], np.float32),
        np.array([0.1, 0.6, -0.4, -0.2], np.float32),
        CORPUS.owners,
    )
    assert scores == pytest.approx([0.5, 0.0, 0.9]), "one without sentences has its own alone"


def test_the_measures_by_hand():
    """Near to X are fees (1), limits (0.4) and empty (0.6); to Y, limits (1), empty, fees (0.5)."""
    rows = [right(0), right(1), right(2), right(1, 3)]
    found = measure(rows, np.array([X, X, X, Y], np.float32), {"shop": CORPUS})
    assert found == {"first": 0.75, "three": 1.0, "sentence": 0.5}


def test_an_article_counts_once_among_the_first_three():
    """Fees has the three best passages."""
    cosines = np.array([1.0, 0.9, 0.8, 0.4, 0.6, 0.1], np.float32)
    vectors = np.stack([cosines, np.zeros(6, np.float32)], axis=1)
    articles = ("fees", "fees", "fees", "limits", "rooms", "cars")
    corpus = CorpusVectors(articles, vectors, vectors, np.arange(6))
    rows, asked = [right(3), right(4), right(5)], np.array([X, X, X], np.float32)
    found = measure(rows, asked, {"shop": corpus})
    assert found == pytest.approx({"first": 0.0, "three": 2 / 3, "sentence": 0.0})


def test_frozen_vectors_keep_the_order_of_the_corpus():
    corpus = Corpus.of("shop", ARTICLES)
    rows = [right(0, alone="how much?"), right(0), right(alone="how much?")]
    embedder = CountingSpanEmbedder()
    frozen = FrozenVectors.of(embedder, {"shop": corpus}, rows)
    vectors = frozen.corpora["shop"]
    assert vectors.articles == ("fees", "limits")
    assert vectors.owners.tolist() == [0, 0, 1, 1]
    (last,) = embedder.encode_questions(["Ask us for more."])
    assert vectors.sentences[3] == pytest.approx(last)
    assert embedder.asked[:-1] == ["how much?"], "each text once"
    assert list(frozen.alone) == ["how much?"]


@pytest.fixture
def small(monkeypatch, tmp_path, embedder):
    """A tiny random encoder with the real tokenizer, and a span embedder's adapter for it."""
    from peft import LoraConfig, get_peft_model
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    tokenizer = embedder.sentence_transformer.tokenizer
    base, weights = tmp_path / "tiny", tmp_path / "weights"
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    network = BertModel(BertConfig(vocab_size=len(tokenizer), num_attention_heads=2, **shape))
    network.save_pretrained(base)
    tokenizer.save_pretrained(base)
    lora = LoraConfig(r=2, target_modules=["query"], init_lora_weights=False)
    get_peft_model(network, lora).save_pretrained(weights / "span-embedder")
    facts = {"base": str(base), "languages": ["en"], "temperature": 0.05}
    facts |= {"question_prompt": "query: ", "passage_prompt": "passage: "}
    (weights / "span-embedder" / FACTS).write_text(json.dumps(facts))
    monkeypatch.setattr("tuning.later_questions.later_network.WEIGHTS", weights)
    return SpanEmbedder.open(base, weights / "span-embedder")


@pytest.fixture
def run(tmp_path, cases):
    def run(*options, **changed):
        values = {"name": "test", "span_embedder": "span-embedder", "languages": ["en"]}
        values |= {"cases": str(cases), "batch": 4, "max_steps": 2, "rank": 2, "first_layer": 1}
        values |= {"output": str(tmp_path / "out"), "learning_rate": 0.02, **changed}
        file = tmp_path / "config.yaml"
        file.write_text(yaml.safe_dump(values))
        return later_questions.main(["--config", str(file), "--state", str(STATE), *options])

    return run


def test_the_command_trains_weights_with_which_a_span_embedder_reads_conversations(
    run, small, tmp_path
):
    from safetensors.torch import load_file

    before = small.encode_questions(["how fast?"])
    assert run() == 0
    out = tmp_path / "out"
    small.read_conversations(out)
    read = small.encode_later("n how fast", BEFORE)
    assert np.linalg.norm(read) == pytest.approx(1.0, abs=1e-3)
    other = small.encode_later("n how fast", TurnBefore("most cash"))
    assert np.abs(read - other).max() > 1e-3, "the turn before is read"
    assert small.encode_questions(["how fast?"]) == pytest.approx(before), "first messages stay"
    weights = load_file(out / "adapter_model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.bfloat16}
    assert all(".layer.1." in name for name in weights), "the first layer is left alone"
    assert any(weight.any() for name, weight in weights.items() if "lora_B" in name)
    adapter = json.loads((out / "adapter_config.json").read_text())
    assert (adapter["base_model_name_or_path"], adapter["lora_alpha"]) == (small.name, 4)
    assert not list(tmp_path.glob("out.part"))


def test_training_encodes_as_serving_does(small, tmp_path, settings):
    """But for the rounding of the weights."""
    from tuning.later_questions.later_network import LaterNetwork

    changed = {"first_layer": 0, "rank": 2}
    network = LaterNetwork(settings.model_copy(update=changed), STATE)
    for name, weight in network.network.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    network.network.save_pretrained(str(tmp_path / "adapter"))
    small.read_conversations(tmp_path / "adapter")
    long = "and how fast is it then, if I may ask? " * 20
    asked = [(long, BEFORE), ("n how fast", BEFORE), ("?", TurnBefore(long, long))] * 4
    found = network.encode(asked).detach()
    for vector, (text, turn) in zip(found, asked, strict=True):
        assert float(vector @ torch.from_numpy(small.encode_later(text, turn))) > 0.999
    plain = small.encode_questions([text for text, _ in asked])
    assert (found.numpy() * plain).sum(axis=1).max() < 0.99


def test_a_few_steps_bring_messages_nearer(run, small, tmp_path):
    losses = []
    for steps in ("1", "30"):
        assert run("--max-steps", steps) == 0
        facts = json.loads((tmp_path / "out" / LATER_FACTS).read_text())
        losses.append(facts["training"]["loss"])
    assert losses[1] < 0.8 * losses[0]


def test_the_facts_hold_the_measures_of_all_readings_and_the_card_their_table(
    run, small, tmp_path, capsys
):
    assert run("--seed", "3") == 0
    facts = json.loads((tmp_path / "out" / LATER_FACTS).read_text())
    told = facts["training"]
    assert (told["written"], told["made"], told["companies"]) == (3, 3, 1)
    assert (facts["seed"], facts["base_weights"]) == (3, small.name)
    measures = told["development"]["en"]
    assert measures["turns"] == 2, "what nothing answers has no right article"
    card = (tmp_path / "out" / "README.md").read_text()
    printed = capsys.readouterr().out
    for reading, said in READINGS.items():
        assert set(measures[reading]) == {"first", "three", "sentence"}
        assert measures[reading]["three"] == 1.0, "there are two articles"
        assert f"| {said} | {measures[reading]['first']:.3f} | 1.000 |" in card
        assert f"{said}: first {measures[reading]['first']:.3f}, three 1.000" in printed
    assert "python -m tuning.later_questions --config tuning/configs/later_questions.yaml" in card
    assert "license: apache-2.0" in card


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"colour": "blue"}, "colour: Extra inputs are not permitted"),
        ({"rank": 0}, "rank: Input should be greater than or equal to 1"),
        ({"span_embedder": "mine"}, "span_embedder: Input should be 'span-embedder' or"),
        ({"languages": ["fr"]}, "languages.0: Input should be 'en' or 'zh'"),
        ({"languages": []}, "languages: Tuple should have at least 1 item"),
        ({"languages": ["en", "zh"]}, "languages: expected some of ['en'], which span-embedder"),
        ({"first_layer": 2}, "first_layer: expected less than 2, the layers of span-embedder"),
        ({"cases": "nowhere"}, "nowhere/made.jsonl: expected questions, found no file. Make them"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(run, small, tmp_path, capsys, changed, message):
    assert run(**changed) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("out*"))


def test_a_turn_of_an_unknown_company_is_named(run, small, cases, tmp_path, capsys):
    write_cases(cases / "made.jsonl", [made_case(company="gone")])
    assert run() == 1
    expected = f"{cases / 'made.jsonl'}: expected companies to train on, found 'gone'. Make them"
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_ctrl_c_writes_nothing(run, small, tmp_path, monkeypatch, capsys):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("tuning.later_questions.training.train", stopped)
    assert run() == 130
    assert "nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_full_disk_keeps_the_previous_weights(run, small, tmp_path, monkeypatch, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()

    def full(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr("tuning.later_questions.model_folder.write_text", full)
    assert run() == 1
    assert "No space left" in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["later_questions", "later_questions_en"])
def test_the_configurations_of_this_project_are_read(name):
    from tests.conftest import ROOT

    settings = LaterSettings.load(ROOT / "tuning" / "configs" / f"{name}.yaml")
    assert settings.name == f"{settings.span_embedder}-later"
    assert settings.span_embedder.endswith("-en") == name.endswith("_en")
