"""The linear classifier, and the prototypes for new intents and out-of-scope texts."""

import numpy as np
import pytest

from assistant.errors import IntentsError
from assistant.intents.linear_classifier import LinearClassifier, probabilities
from assistant.intents.prototypes import Prototypes, closeness, features
from assistant.intents.temperature import temperature, temperatures
from assistant.intents.terms import terms
from tests.fakes import HashEmbedder

TEXTS = [
    "close my account",
    "shut the account",
    "lost my card",
    "my card is gone",
    "hi",
    "hello there",
]
LABELS = ["close", "close", "lost", "lost", "greet", "greet"]


def fitted(**options):
    return LinearClassifier.fit(
        TEXTS, LABELS, HashEmbedder().encode_queries(TEXTS), "hash", **options
    )


def test_it_learns_its_examples_and_its_scores_sum_to_one():
    classifier = fitted()
    scores = classifier.scores(TEXTS, HashEmbedder().encode_queries(TEXTS))
    assert [classifier.labels[row] for row in scores.argmax(axis=1)] == LABELS
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_a_saved_classifier_predicts_the_same(tmp_path):
    """Safetensors ignores the memory order, and scikit-learn's arrays are in column order."""
    classifier, vectors = fitted(), HashEmbedder().encode_queries(TEXTS)
    classifier.save(tmp_path)
    again = LinearClassifier.load(tmp_path)
    assert np.allclose(classifier.logits(TEXTS, vectors), again.logits(TEXTS, vectors), atol=1e-2)
    assert again.embedder == "hash"


def test_two_classes_have_a_row_each():
    classifier = LinearClassifier.fit(
        TEXTS[:4], LABELS[:4], HashEmbedder().encode_queries(TEXTS[:4]), "hash"
    )
    logits = classifier.logits(["lost my card"], HashEmbedder().encode_queries(["lost my card"]))
    assert logits.shape == (1, 2)
    assert classifier.labels[int(logits.argmax())] == "lost"


@pytest.mark.parametrize("classes", ["aabaab", "abcaab", "abcdabcab"])
def test_classes_may_be_missing_from_a_fold(classes):
    """One class, two of three, or three of four remain in the training texts of a fold."""
    texts = [f"{name} {number}" for number, name in enumerate(classes)]
    classifier = LinearClassifier.fit(
        texts, list(classes), HashEmbedder().encode_queries(texts), "hash"
    )
    assert classifier.labels == sorted(set(classes))
    assert 0 < classifier.temperature_of("anything") < np.inf


def test_rare_classes_weigh_more_if_balanced():
    texts = ["red"] * 30 + ["blue red"] + ["green", "green"]
    labels = ["a"] * 30 + ["b"] + ["c", "c"]
    vectors = HashEmbedder().encode_queries(texts)
    score = {}
    for balanced in (False, True):
        classifier = LinearClassifier.fit(
            texts, labels, vectors, "hash", balanced=balanced, calibrate=False
        )
        vector = HashEmbedder().encode_queries(["blue red"])
        (scores,) = probabilities(classifier.logits(["blue red"], vector))
        score[balanced] = scores[classifier.labels.index("b")]
    assert score[True] > score[False]


def test_the_temperature_corrects_overconfidence():
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(2000, 3))
    right = np.array([draw.choice(3, p=row) for row in probabilities(logits)])
    assert temperature(logits * 4, right) == pytest.approx(4, rel=0.2)


def test_each_language_has_its_own_temperature():
    """Overconfident Chinese scores are corrected, and English ones are not."""
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(2000, 3)) * 2
    right = np.array([draw.choice(3, p=row) for row in probabilities(logits)])
    texts = ["lost card", "卡丢了"] * 1000
    logits[1::2] *= 5
    by_language = temperatures(texts, logits, right)
    assert by_language["zh"] == pytest.approx(5, rel=0.2)
    assert by_language["en"] == pytest.approx(1, rel=0.2)
    assert "zh" not in temperatures(["lost card"] * 2000, logits, right)


def test_scores_use_the_temperature_of_their_language():
    spec = {**fitted().spec, "temperatures": {"any": 1.0, "zh": 1e6}}
    classifier = LinearClassifier(fitted().arrays, spec)
    scores = classifier.scores(
        ["lost my card", "卡丢了"], HashEmbedder().encode_queries(["lost my card"] * 2)
    )
    assert scores[0].max() > 0.5
    assert scores[1] == pytest.approx([1 / 3] * 3, abs=1e-3)


def test_terms_of_both_languages():
    assert terms("Lost cards") == ["lost", "card", "lost card"]
    assert "挂失" in terms("挂失卡")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(IntentsError, match=r"expected the files of a classifier.*labels\.json"):
        LinearClassifier.load(tmp_path)


def test_closeness_by_hand():
    examples = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    mean, nearest = closeness(np.array([[1.0, 0.0]]), examples, np.zeros(2, np.float32))[0]
    assert mean == pytest.approx(np.sqrt(0.5), abs=1e-5)
    assert nearest == pytest.approx(1)


def test_features_by_hand():
    """Two in-scope classes with equal logits, and a reject class with a logit that is higher by 2."""
    logits = np.array([[0.0, 2.0, 0.0]], dtype=np.float32)
    vector = np.array([[1.0, 0.0]], dtype=np.float32)
    row = features(logits, vector, np.array([[0.6, 0.8]], dtype=np.float32), 1)[0]
    assert row == pytest.approx([0.5, np.log(2), 0.6, 2 - np.log(2)], abs=1e-5)


def test_saved_prototypes_score_the_same(tmp_path):
    prototypes = Prototypes(
        np.eye(2, dtype=np.float32), np.zeros(2, np.float32), [1, 2, 3], [0, 0, -9, 0, 4]
    )
    prototypes.save(tmp_path)
    again = Prototypes.load(tmp_path)
    vector = np.array([1.0, 0.0], dtype=np.float32)
    assert again.new_intent_logit(vector, np.eye(2, dtype=np.float32)) == pytest.approx(
        0.7071 + 2 + 3, abs=1e-3
    )
    near = again.out_of_scope(np.array([1.0, 0.0]), vector, None, None)
    far = again.out_of_scope(np.array([1.0, 0.0]), np.array([-0.7, -0.7], np.float32), None, None)
    assert near < 0.1
    assert far > 0.9
    assert Prototypes.load(tmp_path / "nowhere") is None
