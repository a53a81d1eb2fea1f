"""The training of the evidence model: loss by hand, batches, the commands, bad input."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
import yaml

import tuning.companies
from assistant.evidence.evidence_model import OF_EMBEDDER, EvidenceModel
from knowledge.models.turn_before import TurnBefore
from knowledge.segmenter import sentences
from tests.conftest import STATE
from tests.small_public_data import write_public_data
from tuning import customer_messages, customer_talks
from tuning.customer_messages import CustomerMessage
from tuning.customer_talks import Talks, turns_of
from tuning.evidence_model import __main__ as evidence_model
from tuning.evidence_model.base_network import SPAN_EMBEDDER, open_base
from tuning.evidence_model.cases import CasePassage, EvidenceCase, read_cases, write_cases
from tuning.evidence_model.config import EvidenceSettings
from tuning.evidence_model.measures import ScoredCase, measure
from tuning.evidence_model.training import (
    LOST,
    Collator,
    SentenceScorer,
    _logsumexp,
    open_model,
)


def case_passage(article, *, right=False):
    text = f"The {article} costs £5. It is blue."
    spans = [[span.start, span.end] for span in sentences(text, "en")]
    return CasePassage(article, article.title(), text, spans, [right, False], 0.5)


def case(question="how much is the hat?", article="hat", lang="en"):
    passages = [
        case_passage("coat"),
        case_passage("hat", right=article == "hat"),
        case_passage("shoe"),
    ]
    return EvidenceCase("shop", lang, question, article, passages)


@pytest.fixture
def settings(tmp_path):
    return EvidenceSettings(name="test", cases=tmp_path, output=tmp_path / "out", hidden=0)


def test_the_softmax_is_over_all_sentences_and_nothing():
    scores = torch.tensor([1.0, 2.0, -1.0])
    sums = _logsumexp(scores, torch.tensor([0, 0, 1]), torch.zeros(2))
    expected = [np.log(1 + np.exp(1) + np.exp(2)), np.log(1 + np.exp(-1))]
    assert sums.tolist() == pytest.approx(expected, abs=1e-5)


def test_the_loss_is_the_negative_log_of_what_is_right():
    class FixedLogits(SentenceScorer):
        def __init__(self, *logits):
            torch.nn.Module.__init__(self)
            self.logits = torch.tensor(logits)

        def scores(self, batch):
            return self.logits

    def loss(*logits, gold, answerable):
        batch = {"owner": torch.zeros(2, dtype=torch.long), "gold": torch.tensor(gold)}
        batch |= {"answerable": torch.tensor([answerable]), "cases": torch.tensor(1)}
        return float(FixedLogits(*logits)(**batch)["loss"])

    share = np.exp(3) / (np.exp(3) + np.exp(1) + 1)
    assert loss(3.0, 1.0, gold=[True, False], answerable=True) == pytest.approx(-np.log(share))
    none = 1 / (np.exp(3) + np.exp(1) + 1)
    assert loss(3.0, 1.0, gold=[False, False], answerable=False) == pytest.approx(-np.log(none))


def test_a_hidden_article_leaves_a_question_that_nothing_answers(embedder, settings):
    tokenizer = embedder.sentence_transformer.tokenizer
    hides = settings.model_copy(update={"hidden": 1.0})
    shown = Collator(tokenizer, settings, training=True)([case(), case(article="")])
    assert shown["answerable"].tolist() == [True, False]
    assert shown["gold"].sum() == 1
    assert shown["owner"].tolist() == [0] * 6 + [1] * 6
    hidden = Collator(tokenizer, hides, training=True)([case()])
    assert hidden["answerable"].tolist() == [False]
    assert len(hidden["input_ids"]) == 2, "the right article is not shown"
    unchanged = Collator(tokenizer, hides, training=False)([case()])
    assert unchanged["answerable"].tolist() == [True], "nothing is hidden outside training"


def later(**changed):
    """Return a case that follows another question."""
    told = {"asked": "what do you sell?", "answered": "We sell clothes.", **changed}
    return dataclasses.replace(case(), **told)


def shown(tokenizer, batch):
    """Return what the network reads of each passage."""
    texts = tokenizer.batch_decode(batch["input_ids"], skip_special_tokens=True)
    return [" ".join(text.split()) for text in texts]


def test_the_article_under_discussion_stays_when_its_answer_is_hidden(embedder, settings):
    """Not every question about it has an answer."""
    hides = settings.model_copy(update={"hidden": 1.0})
    tokenizer = embedder.sentence_transformer.tokenizer
    hidden = Collator(tokenizer, hides, training=True)([later()])
    assert hidden["answerable"].tolist() == [False]
    assert not hidden["gold"].any()
    assert hidden["owner"].tolist() == [0] * 5, "all other sentences"
    coat, hat, shoe = shown(tokenizer, hidden)
    assert "The coat costs £5. It is blue." in coat
    assert "The shoe costs £5. It is blue." in shoe
    assert "The hat costs" not in hat
    assert "It is blue." in hat
    unchanged = Collator(tokenizer, hides, training=False)([later()])
    assert unchanged["answerable"].tolist() == [True], "nothing is hidden outside training"


def test_of_a_passage_that_is_all_answer_nothing_is_shown_when_it_is_hidden(embedder, settings):
    hides = settings.model_copy(update={"hidden": 1.0})
    tokenizer = embedder.sentence_transformer.tokenizer
    whole = CasePassage("hat", "Hat", "The hat costs £5.", [[0, 17]], [True], 0.5)
    both = later(passages=[case_passage("coat"), whole])
    (coat,) = shown(tokenizer, Collator(tokenizer, hides, training=True)([both]))
    assert "The coat costs" in coat


def test_in_training_the_question_before_was_sometimes_not_answered(embedder, settings):
    tokenizer = embedder.sentence_transformer.tokenizer

    def lost(*, training):
        collator = Collator(tokenizer, settings, training=training)
        texts = [shown(tokenizer, collator([later()]))[0] for _ in range(200)]
        assert all("what do you sell?" in text for text in texts), "what was asked is known"
        return sum("We sell clothes." not in text for text in texts)

    assert LOST * 100 < lost(training=True) < LOST * 400
    assert lost(training=False) == 0


def test_a_first_message_is_read_without_a_turn_before_it(embedder, settings):
    tokenizer = embedder.sentence_transformer.tokenizer
    assert case().last is None
    assert later().last == TurnBefore("what do you sell?", "We sell clothes.")
    batch = Collator(tokenizer, settings, training=True)([case(), later()])
    texts = shown(tokenizer, batch)
    assert ["asked before" in text for text in texts] == [False] * 3 + [True] * 3


def test_training_adds_the_right_passage_if_retrieval_missed_it(embedder, settings):
    few = settings.model_copy(update={"passages": 1})
    tokenizer = embedder.sentence_transformer.tokenizer
    assert Collator(tokenizer, few, training=True)([case()])["gold"].sum() == 1
    assert Collator(tokenizer, few, training=False)([case()])["gold"].sum() == 0


def test_the_measures_by_hand():
    cases = [case(), case(), case(article=""), case(article="")]
    right = np.array([True, False, False])
    none = np.zeros(3, dtype=bool)
    logits = np.array([[3.0, 1, 0], [1.0, 3, 0], [-3.0, -3, -3], [2.0, 0, 0]])
    scored = [
        ScoredCase(row, gold, float(row.max()))
        for row, gold in zip(logits, (right, right, none, none), strict=True)
    ]
    measures = measure(cases, scored)["en"]
    assert (measures["answered"], measures["unanswered"]) == (2, 2)
    assert (measures["first"], measures["two"], measures["auroc"]) == (0.5, 1.0, 1.0)
    assert measures["caught"] == 1.0


@pytest.fixture(scope="module")
def tiny(tmp_path_factory, embedder):
    """Return the folder of a tiny encoder."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    tokenizer = embedder.sentence_transformer.tokenizer
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    folder = tmp_path_factory.mktemp("models") / "encoder"
    config = BertConfig(vocab_size=len(tokenizer), num_attention_heads=2, **shape)
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def run(tmp_path):
    def call(*arguments, written=None, **changed):
        folder = tmp_path / "cases"
        some = [case(lang=lang) for lang in ("en", "zh") for _ in range(4)]
        some += [case(article="", lang=lang) for lang in ("en", "zh") for _ in range(4)]
        for part in ("train", "dev"):
            write_cases(folder / f"{part}.jsonl", some if written is None else written)
        values = {"name": "test", "cases": str(folder), "output": str(tmp_path / "out")}
        values |= {"max_steps": 2, "batch": 4, "rank": 2, **changed}
        file = tmp_path / "config.yaml"
        file.write_text(yaml.safe_dump(values))
        return evidence_model.main(["--config", str(file), "--state", str(STATE), *arguments])

    return call


@pytest.mark.parametrize("method", ["lora", "full"])
def test_one_command_trains_an_encoder(run, tiny, tmp_path, capsys, method):
    assert run("--base-model", str(tiny), "--method", method) == 0
    facts = json.loads((tmp_path / "out" / "evidence_model.json").read_text())
    assert set(facts["development"]) == {"en", "zh"}
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert {"head.safetensors", "README.md"} <= names
    assert ("adapter_model.safetensors" in names) is (method == "lora")
    assert "auroc" in capsys.readouterr().out
    assert not list(tmp_path.glob("out.part"))


def trained(model):
    return {name for name, weight in model.named_parameters() if weight.requires_grad}


@pytest.mark.parametrize("method", ["lora", "full"])
def test_word_vectors_and_lower_layers_are_not_trained(tiny, settings, method):
    changed = {"method": method, "base_model": str(tiny)}
    whole = settings.model_copy(update=changed)
    names = trained(open_model(whole, open_base(whole, STATE)))
    assert "linear.weight" in names
    assert not any("word_embeddings" in name for name in names)
    upper = settings.model_copy(update={**changed, "first_layer": 1})
    kept = trained(open_model(upper, open_base(upper, STATE)))
    assert {name for name in names if ".layer.0." in name} == names - kept != set()


def test_the_shipped_span_embedder_can_be_taught_to_read(settings):
    """Its weights then belong to that very network."""
    base = open_base(settings.model_copy(update={"base_model": SPAN_EMBEDDER}), STATE)
    assert base.name.startswith("all-mpnet-base-v2-")
    assert all(weight.requires_grad for weight in base.network.parameters())
    assert not any("lora" in name for name, _ in base.network.named_parameters())


def test_cases_are_read_as_they_were_written(tmp_path):
    cases = [case(), case(article=""), later()]
    write_cases(tmp_path / "x.jsonl", cases)
    assert read_cases(tmp_path / "x.jsonl") == cases


def test_cases_from_before_there_were_later_turns_are_read(tmp_path):
    row = dataclasses.asdict(case())
    del row["asked"], row["answered"]
    (tmp_path / "x.jsonl").write_text(json.dumps(row))
    assert read_cases(tmp_path / "x.jsonl") == [case()]


@pytest.mark.model
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"method": "magic"}, "method: Input should be 'full' or 'lora'"),
        ({"colour": "blue"}, "colour: Extra inputs are not permitted"),
        ({"base_model": "nowhere/at-all"}, "Expected an encoder in nowhere/at-all"),
        ({"parts": ["other"]}, "other.jsonl: expected questions, found no file. Make them: python -m"),
        ({"cases": "/nowhere"}, "/nowhere/train.jsonl"),
    ],
)  # fmt: skip
def test_bad_input_is_named_and_nothing_is_written(run, tmp_path, capsys, changed, message):
    assert run(**changed) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.model
def test_lines_that_are_no_cases_are_named(run, tmp_path, capsys):
    assert run(written=[]) == 1
    assert "Expected questions in ('en', 'zh') in train.jsonl" in capsys.readouterr().err
    file = tmp_path / "broken.jsonl"
    file.write_text('{"question": "?"}\n')
    with pytest.raises(ValueError, match=r"broken\.jsonl:1: expected an evidence case"):
        read_cases(file)
    with pytest.raises(SystemExit):
        evidence_model.main([])
    assert "expected --make, --config FILE or --measure FOLDER" in capsys.readouterr().err


@pytest.fixture
def few_companies(monkeypatch):
    """One company per language, with four answered and three unanswered questions each."""
    few = []
    for lang in ("en", "zh"):
        company = next(c for c in tuning.companies.load_companies("dev") if c.lang == lang)
        answered = [pair for pair in company.pairs if pair.answer]
        unanswered = [pair for pair in company.pairs if not pair.answer]
        few.append(dataclasses.replace(company, pairs=[*answered[:4], *unanswered[:3]]))
    monkeypatch.setattr(tuning.companies, "load_companies", lambda part: few)
    centres = customer_messages.help_centres("dev", "zh")[:1]
    small = [dataclasses.replace(c, articles=c.articles[:9], messages=messages(c)) for c in centres]
    monkeypatch.setattr(customer_messages, "help_centres", lambda part: small)
    monkeypatch.setattr(customer_talks, "talks_of", lambda part, lang: few_talks(small, lang))
    return few


def few_talks(centres, lang):
    """Return one conversation of two turns with the Chinese help centre, and none in English."""
    if lang == "en":
        return []
    (centre,) = centres
    known, unknown = centre.messages
    few = [article for article in centre.articles if article.id in known.articles]
    first = {
        "question": "在吗 问一下",
        "kind": "first",
        "doc": known.articles[0],
        "support": known.support[:1],
    }
    after = {**first, "question": known.question, "kind": "follow_up"}
    other = {"question": unknown.question, "kind": "unanswerable", "expect": "decline"}
    return [Talks(dataclasses.replace(centre, articles=few), [turns_of([first, after, other])])]


def messages(centre):
    """Return one message that the first articles answer, with its sentences, and one other."""
    shown = {article.id for article in centre.articles[:9]}
    answered = (m for m in centre.messages if m.support and set(m.articles) <= shown)
    return [next(answered), CustomerMessage("你们卖手机吗")]


@pytest.mark.model
def test_cases_are_made_and_shipped_weights_measured_on_them(
    few_companies, tmp_path, monkeypatch, capsys
):
    write_public_data(tmp_path / "data")
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path / "data"))
    cases, weights = tmp_path / "cases", tmp_path / "weights"
    shutil.copytree(OF_EMBEDDER, weights)
    command = ["--cases", str(cases), "--state", str(STATE)]
    assert evidence_model.main(["--make", *command]) == 0
    made = read_cases(cases / "dev.jsonl")
    assert [c.question for c in made] == [p.question for c in few_companies for p in c.pairs]
    for each in made:
        answering = [p for p in each.passages if any(p.gold)]
        assert {p.article for p in answering} == ({each.article} if each.article else set())
        texts = {p.text[span.start : span.end] for p in each.passages for span in p.sentences}
        assert all(text == text.strip() for text in texts)
    # Messages are asked in their own help centre, and the sentences that answer are told.
    known, unknown = read_cases(cases / "customers.jsonl")
    assert any(any(p.gold) for p in known.passages if p.article == known.article)
    assert unknown.article == ""
    assert not any(any(p.gold) for p in unknown.passages)
    # Later turns are asked after the ones before them.
    after, other = read_cases(cases / "talks.jsonl")
    assert (after.asked, after.question) == ("在吗 问一下", known.question)
    assert any(any(p.gold) for p in after.passages if p.article == after.article)
    assert (other.asked, other.article) == (known.question, "")
    # Those made by rule are about the questions of companies, too.
    by_rule = read_cases(cases / "made.jsonl")
    asked = {p.question for company in few_companies for p in company.pairs if p.answer}
    assert {c.lang for c in by_rule} == {"en", "zh"}
    assert {c.asked for c in by_rule} <= asked
    assert len(by_rule) >= 8
    # Every second passage of XQuAD, and of its sentences the one with the answer.
    xquad = read_cases(cases / "xquad.jsonl")
    assert [c.article for c in xquad] == ["0", "2"] * 2
    assert all(sum(sum(p.gold) for p in c.passages) == 1 for c in xquad)
    before = json.loads((weights / "evidence_model.json").read_text("utf-8"))
    assert evidence_model.main(["--measure", str(weights), *command]) == 0
    facts = json.loads((weights / "evidence_model.json").read_text("utf-8"))
    assert facts["settings"] == before["settings"]
    assert facts["development"] != before["development"]
    assert facts["development"]["en"]["unanswered"] == 3
    assert facts["development"]["en"]["auroc"] > 0.7
    assert f"auroc {facts['development']['en']['auroc']:.4g}" in capsys.readouterr().out


def test_measuring_needs_weights_for_the_shipped_models(tmp_path, embedder, capsys):
    assert evidence_model.main(["--measure", str(tmp_path), "--state", str(STATE)]) == 1
    assert "Expected the weights of an evidence model in" in capsys.readouterr().err
    assert EvidenceModel.load(embedder, tmp_path) is None
