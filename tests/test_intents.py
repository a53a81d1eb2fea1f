"""The intent classifier with and without trained weights, and the intents files."""

import csv
import os
import shutil

import pytest

from assistant.config import BANK
from assistant.errors import IntentsError
from assistant.intents.classifier import IntentClassifier
from assistant.intents.explainer import IntentExplainer
from assistant.intents.intent_files import load_intents
from tests.conftest import STATE
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
        ("recommend me a good movie for tonight", "out_of_scope"),
        ("银行卡被偷了", "lost_or_stolen_card"),
        ("我要人工", "talk_to_a_person"),
        ("今天股市怎么样，天气好吗", "out_of_scope"),
    ],
)
def test_messages_that_are_no_examples(classifier, embedder, text, intent):
    prediction = predict(classifier, embedder, text)
    assert prediction.intent == intent
    assert 0 <= prediction.runner_up_score <= prediction.score <= 1


def test_scores_sum_to_one_and_an_article_has_those_of_its_intents(classifier, embedder):
    text = "I lost my card"
    prediction = predict(classifier, embedder, text)
    assert prediction.articles["lost-or-stolen-card"] >= prediction.score
    assert sum(prediction.articles.values()) <= 1.0001
    known = classifier.known()
    intents = known.of("en")
    logits = known.logits(text, embedder.encode_queries([text])[0])
    scores = dict(zip(known.names, known.scores(text, logits, intents), strict=True))
    assert sum(scores.values()) == pytest.approx(1, abs=1e-5)
    for article, score in prediction.articles.items():
        own = [scores[name] for name, intent in intents.items() if intent.article == article]
        assert score == pytest.approx(sum(own), abs=1e-6)


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("thank you, that was quick and friendly", "positive"),
        ("where is the nearest cash machine", "neutral"),
        ("you lost my money and nobody cares, shame on you", "negative"),
        ("太好了，马上就解决了，谢谢你们", "positive"),
        ("转账限额在哪里看", "neutral"),
        ("等了一个月没人理我，太差劲了", "negative"),
    ],
)
def test_the_sentiment_of_a_message(classifier, text, sentiment):
    prediction = classifier.predict(text)
    assert prediction.sentiment == sentiment
    assert prediction.sentiment_score > 0.4


def test_a_given_vector_is_used(classifier, embedder):
    """Retrieval and intents share one encoding."""
    text = "my card was stolen"
    assert predict(classifier, embedder, text) == classifier.predict(text)
    other = embedder.encode_queries(["how tall is k2"])[0]
    assert classifier.predict(text, other).score != classifier.predict(text).score


def test_capitals_make_no_difference(classifier):
    assert classifier.predict("I LOST MY CARD").intent == "lost_or_stolen_card"
    lower, upper = (classifier.predict(t) for t in ("where is my card", "WHERE IS MY CARD"))
    assert (upper.intent, upper.sentiment) == (lower.intent, lower.sentiment)


def test_the_out_of_scope_score_separates_questions(classifier):
    inside = [classifier.predict(t).out_of_scope for t in ("freeze my card", "转账要多久到账")]
    outside = [
        classifier.predict(t).out_of_scope for t in ("how tall is k2", "附近有什么好玩的景点")
    ]
    assert max(inside) < 0.5 < min(outside)


@pytest.fixture(scope="module")
def explainer(classifier, embedder):
    return IntentExplainer(classifier, embedder, STATE)


def test_an_explanation_has_examples_and_the_decisive_words(explainer):
    explanation = explainer.explain("a thief took my card")
    assert explanation.prediction.intent == "lost_or_stolen_card"
    assert explanation.nearest[0][1] == "lost_or_stolen_card"
    cosines = [cosine for _, _, cosine in explanation.nearest]
    assert cosines == sorted(cosines, reverse=True)
    assert max(explanation.phrases, key=lambda part: part[1])[0] == "thief"


def test_an_explanation_in_chinese_covers_the_whole_message(explainer):
    explanation = explainer.explain("我的卡被机器吞了")
    assert "".join(phrase for phrase, _ in explanation.phrases) == "我的卡被机器吞了"
    assert explanation.nearest[0][1] == "card_swallowed"


FIVE = """version: "3.1"
nlu:
- intent: loan_repayment_holiday
  metadata: {description: A pause in paying back a loan}
  examples: |
    - can I pause my loan repayments
    - payment holiday on my loan
    - skip a loan instalment this month
    - I can't pay my loan right now, can we stop it for a while
    - 贷款可以延期还吗
"""


@pytest.fixture
def copied_bank(tmp_path):
    """Return a copy of the bank's intents and weights that a test may change."""
    shutil.copytree(BANK / "intents", tmp_path / "bank" / "intents")
    shutil.copytree(BANK / "weights", tmp_path / "bank" / "weights")
    return tmp_path / "bank"


def test_a_new_intent_needs_five_examples_and_no_training(copied_bank, embedder, tmp_path):
    """A running classifier uses it from the next message on, and keeps the other intents."""
    classifier = IntentClassifier.open(copied_bank, embedder, tmp_path / "state")
    assert (
        classifier.predict("may I take a break from repaying my loan").intent
        != "loan_repayment_holiday"
    )
    english = copied_bank / "intents" / "en.yml"
    english.write_text(english.read_text("utf-8") + FIVE.split("nlu:\n")[1], "utf-8")
    os.utime(english, (1, 1))
    asked = (
        "may I take a break from repaying my loan",
        "stop taking my loan payments for two months",
        "need a break from loan payments",
    )
    assert [classifier.predict(text).intent for text in asked] == ["loan_repayment_holiday"] * 3
    assert classifier.predict("my card was stolen").intent == "lost_or_stolen_card"


def test_a_running_classifier_survives_a_broken_file(copied_bank, embedder, tmp_path, caplog):
    classifier = IntentClassifier.open(copied_bank, embedder, tmp_path / "state")
    (copied_bank / "intents" / "en.yml").write_text("nlu: {")
    assert classifier.predict("my card was stolen").intent == "lost_or_stolen_card"
    assert "stay as they were" in caplog.text


def test_without_trained_weights_a_classifier_is_fitted_once(copied_bank, embedder, tmp_path):
    shutil.rmtree(copied_bank / "weights" / "intents")
    (copied_bank / "intents" / "en.yml").write_text(FIVE)
    (copied_bank / "intents" / "zh.yml").unlink()
    state = tmp_path / "state"
    IntentClassifier.open(copied_bank, embedder, state)
    (fitted,) = (state / "intents").iterdir()
    os.utime(fitted / "model.safetensors", (1, 1))
    classifier = IntentClassifier.open(copied_bank, embedder, state)
    assert list((state / "intents").iterdir()) == [fitted]
    assert (fitted / "model.safetensors").stat().st_mtime == 1, "it was written again"
    for text in ("pause my loan please", "贷款能不能晚点还"):
        assert classifier.predict(text).intent == "loan_repayment_holiday"


def test_damaged_weights_are_named(copied_bank, embedder, tmp_path):
    (copied_bank / "weights" / "intents" / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(IntentsError, match="expected the files of a classifier"):
        IntentClassifier.open(copied_bank, embedder, tmp_path)


def test_a_company_without_intents_has_the_general_ones(tmp_path, embedder):
    """Any question to the company is one intent then, and articles get no prior."""
    classifier = IntentClassifier.open(tmp_path, embedder, tmp_path / "state")
    asked = predict(classifier, embedder, "how do I send back a pair of shoes?")
    assert (asked.intent, asked.articles) == ("any_question", None)
    assert predict(classifier, embedder, "hello there").intent == "greeting"


def test_a_file_of_rasa_can_be_read(tmp_path):
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
        ("nlu:\n- intent: a\n  examples: [x]", "line 3: expected the examples of a as text"),
        ("nlu:\n- intent: a\n  exmples: |\n    - x", "line 3: .* the unknown key 'exmples'"),
        (
            "nlu:\n- intent: a\n  metadata: {artcle: b}\n  examples: |\n    - x",
            "line 3: .*'article'.* the unknown key 'artcle'",
        ),
        (
            "nlu:\n- intent: a\n  metadata: {action: dance}\n  examples: |\n    - x",
            "line 2: expected an action of .*found dance",
        ),
        ("nlu:\n- intent: a\n  examples: |\n", "line 2: expected at least one example under a"),
        ("nlu:\n- intent: a\n", "line 2: expected at least one example under a"),
        (
            "nlu:\n- intent: a\n  examples: |\n    x",
            "expected `- ` before each example of a, found 'x'",
        ),
        ("nlus: []\n", "line 1: .*the unknown key 'nlus'"),
        (
            "nlu:\n- intent: a\n  examples: |\n    - same\n- intent: b\n  examples: |\n    - same\n",
            "line 7: .*found 'same' under b and, in .*line 4, under a",
        ),
    ],
)
def test_an_invalid_file_is_named(tmp_path, content, message):
    (tmp_path / "intents").mkdir()
    (tmp_path / "intents" / "en.yml").write_text(content)
    with pytest.raises(IntentsError, match=message) as caught:
        load_intents(tmp_path, "en")
    assert "en.yml" in str(caught.value)


def test_intents_and_articles_of_the_bank_agree():
    """An intent names an article if and only if the article names the intent."""
    from knowledge.folder import load_articles

    articles = {(a.lang, a.id): a for a in load_articles(BANK)}
    for lang in ("en", "zh"):
        pairs = {(i.name, i.article) for i in load_intents(BANK, lang) if i.article}
        listed = {(n, a.id) for a in articles.values() if a.lang == lang for n in a.intents}
        assert pairs - {("fraud_in_progress", "talk-to-us")} == listed


def test_the_bank_has_all_intents_of_banking77():
    with (data() / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        names = {row["category"].lower().replace("?", "") for row in csv.DictReader(file)}
    assert len(names) == 77
    for lang in ("en", "zh"):
        assert names <= {intent.name for intent in load_intents(BANK, lang)}


def test_no_example_is_copied_from_banking77():
    with (data() / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        copied = {plain(row["text"]) for row in csv.DictReader(file)}
    own = {plain(e) for i in load_intents(BANK, "en") for e in i.examples}
    assert not own & copied


def plain(text):
    return tuple("".join(c if c.isalnum() else " " for c in text.lower()).split())
