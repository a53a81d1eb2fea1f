"""The intent classifier on the bank's real examples, and its files."""

import csv

import numpy as np
import pytest

from assistant.config import BANK
from assistant.errors import IntentsError
from assistant.intents import Head, IntentClassifier, load_intents
from tests.fakes import HashEmbedder
from tests.public import data


@pytest.fixture(scope="module")
def classifier(embedder, tmp_path_factory):
    return IntentClassifier.open(BANK, embedder, tmp_path_factory.mktemp("state"))


def predict(classifier, embedder, text):
    return classifier.predict(text, embedder.encode_queries([text])[0])


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("my card was stolen at the gym", "lost_or_stolen_card"),
        ("machine ate my card", "card_swallowed"),
        ("hi!", "greeting"),
        ("put me through to someone human", "talk_to_a_person"),
        ("recipe for apple pie", "out_of_scope"),
        ("银行卡被偷了", "lost_or_stolen_card"),
        ("我要人工", "talk_to_a_person"),
        ("今天股市怎么样，天气好吗", "out_of_scope"),
    ],
)
def test_messages_that_stand_in_no_example(classifier, embedder, text, intent):
    prediction = predict(classifier, embedder, text)
    assert prediction.intent == intent
    assert 0 <= prediction.runner_up_score <= prediction.score <= 1


def test_probabilities_sum_to_one_and_articles_share_them(classifier, embedder):
    prediction = predict(classifier, embedder, "I lost my card")
    assert prediction.articles["lost-or-stolen-card"] >= prediction.score
    assert sum(prediction.articles.values()) <= 1.0001


def test_a_saved_head_predicts_the_same(tmp_path):
    """Safetensors keeps memory order, and scikit-learn's arrays lie column by column."""
    intents = load_intents(BANK, "en")[-8:]
    for embedder in (HashEmbedder(), None):
        head = Head.fit(intents, embedder)
        folder = tmp_path / str(embedder is None)
        folder.mkdir()
        head.save(folder)
        vector = HashEmbedder().encode_queries(["close my account"])[0]
        again = Head.load(folder).predict_proba("close my account", vector)
        assert np.allclose(head.predict_proba("close my account", vector), again, atol=1e-5)
        assert again.sum() == pytest.approx(1, abs=1e-4)


def test_company_without_intents_has_the_general_ones(tmp_path, embedder):
    """A question of any kind is then an intent of its own, and articles get no prior."""
    classifier = IntentClassifier.open(tmp_path, embedder, tmp_path / "state")
    asked = predict(classifier, embedder, "how do I send back a pair of shoes?")
    assert (asked.intent, asked.articles) == ("any_question", None)
    assert predict(classifier, embedder, "hello there").intent == "greeting"


def test_rasa_file_loads_unchanged(tmp_path):
    (tmp_path / "intents").mkdir()
    (tmp_path / "intents" / "en.yml").write_text(
        'version: "3.1"\nnlu:\n- intent: book\n  examples: |\n'
        '    - a table in [Rome](city)\n    - book [two]{"entity": "n"} seats\n'
        "- synonym: credit\n  examples: |\n    - credit card\n"
    )
    book = load_intents(tmp_path, "en")[-1]
    assert (book.name, book.examples) == ("book", ("a table in Rome", "book two seats"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nlu: {", "expected Rasa NLU YAML"),
        ("version: '3.1'", "expected Rasa NLU YAML"),
        ("nlu:\n- intent: a\n  examples: [x]", "expected each intent's examples as text"),
        (
            "nlu:\n- intent: a\n  examples: |\n    - same\n- intent: b\n  examples: |\n    - same\n",
            "found 'same' under a and b",
        ),
    ],
)
def test_wrong_file_is_named(tmp_path, content, message):
    (tmp_path / "intents").mkdir()
    (tmp_path / "intents" / "en.yml").write_text(content)
    with pytest.raises(IntentsError, match=message) as caught:
        load_intents(tmp_path, "en")
    assert "en.yml" in str(caught.value)


def test_intents_and_articles_of_the_bank_agree():
    """Each intent's article lists the intent, and the other way round, in both languages."""
    from knowledge.folder import load_articles

    articles = {(a.lang, a.id): a for a in load_articles(BANK)}
    for lang in ("en", "zh"):
        pairs = {(i.name, i.article) for i in load_intents(BANK, lang) if i.article}
        listed = {(n, a.id) for a in articles.values() if a.lang == lang for n in a.intents}
        assert pairs - {("fraud_in_progress", "talk-to-us")} == listed


def test_all_intents_of_banking77_are_there():
    with (data() / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        names = {row["category"].lower().replace("?", "") for row in csv.DictReader(file)}
    assert len(names) == 77
    for lang in ("en", "zh"):
        assert names <= {intent.name for intent in load_intents(BANK, lang)}


def test_no_example_is_copied_from_banking77():
    """The project's words are its own."""
    with (data() / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        theirs = {plain(row["text"]) for row in csv.DictReader(file)}
    ours = {plain(e) for i in load_intents(BANK, "en") for e in i.examples}
    assert not ours & theirs


def plain(text):
    return tuple("".join(c if c.isalnum() else " " for c in text.lower()).split())
