"""The linear head, and what nearest examples add to it."""

import numpy as np
import pytest

from assistant.errors import IntentsError
from assistant.intents.linear_classifier import (
    LinearClassifier,
    probabilities,
    temperature,
    temperatures,
    terms,
)
from assistant.intents.prototypes import Prototypes, closeness, features
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


def test_it_learns_its_examples_and_tells_how_sure_it_is():
    head = fitted()
    scores = head.scores(TEXTS, HashEmbedder().encode_queries(TEXTS))
    assert [head.labels[row] for row in scores.argmax(axis=1)] == LABELS
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_a_saved_head_predicts_the_same(tmp_path):
    """Safetensors keeps memory order, and scikit-learn's arrays lie column by column."""
    head, vectors = fitted(), HashEmbedder().encode_queries(TEXTS)
    head.save(tmp_path)
    again = LinearClassifier.load(tmp_path)
    assert np.allclose(head.logits(TEXTS, vectors), again.logits(TEXTS, vectors), atol=1e-2)
    assert again.embedder == "hash"


def test_two_classes_have_a_row_each():
    head = LinearClassifier.fit(
        TEXTS[:4], LABELS[:4], HashEmbedder().encode_queries(TEXTS[:4]), "hash"
    )
    logits = head.logits(["lost my card"], HashEmbedder().encode_queries(["lost my card"]))
    assert logits.shape == (1, 2)
    assert head.labels[int(logits.argmax())] == "lost"


def test_rare_classes_count_as_much_if_balanced():
    texts = ["red"] * 30 + ["blue red"] + ["green", "green"]
    labels = ["a"] * 30 + ["b"] + ["c", "c"]
    vectors = HashEmbedder().encode_queries(texts)
    score = {}
    for balanced in (False, True):
        head = LinearClassifier.fit(
            texts, labels, vectors, "hash", balanced=balanced, calibrate=False
        )
        row = probabilities(head.logits(["blue red"], HashEmbedder().encode_queries(["blue red"])))[
            0
        ]
        score[balanced] = row[head.labels.index("b")]
    assert score[True] > score[False]


def test_temperature_cools_what_is_too_sure():
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(2000, 3))
    right = np.array([draw.choice(3, p=row) for row in probabilities(logits)])
    assert temperature(logits * 4, right) == pytest.approx(4, rel=0.2)


def test_each_language_has_its_own_temperature():
    """Chinese that is far too sure cools, and English stays as it is."""
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(2000, 3)) * 2
    right = np.array([draw.choice(3, p=row) for row in probabilities(logits)])
    texts = ["lost card", "卡丢了"] * 1000
    logits[1::2] *= 5
    found = temperatures(texts, logits, right)
    assert found["zh"] == pytest.approx(5, rel=0.2)
    assert found["en"] == pytest.approx(1, rel=0.2)
    assert "zh" not in temperatures(["lost card"] * 2000, logits, right)


def test_scores_are_as_warm_as_their_language():
    head = fitted()
    head = LinearClassifier(head.arrays, {**head.spec, "temperatures": {"any": 1.0, "zh": 1e6}})
    scores = head.scores(
        ["lost my card", "卡丢了"], HashEmbedder().encode_queries(["lost my card"] * 2)
    )
    assert scores[0].max() > 0.5
    assert scores[1] == pytest.approx([1 / 3] * 3, abs=1e-3)


def test_terms_of_both_languages():
    assert terms("Lost cards") == ["lost", "card", "lost card"]
    assert "挂失" in terms("挂失卡")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(IntentsError, match="holds no whole classifier"):
        LinearClassifier.load(tmp_path)


def test_closeness_by_hand():
    examples = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    mean, nearest = closeness(np.array([[1.0, 0.0]]), examples, np.zeros(2, np.float32))[0]
    assert mean == pytest.approx(np.sqrt(0.5), abs=1e-5)
    assert nearest == pytest.approx(1)


def test_features_by_hand():
    """Two classes proper with equal logits, and a reject class two above them."""
    logits = np.array([[0.0, 2.0, 0.0]], dtype=np.float32)
    vector = np.array([[1.0, 0.0]], dtype=np.float32)
    row = features(logits, vector, np.array([[0.6, 0.8]], dtype=np.float32), 1)[0]
    assert row == pytest.approx([0.5, np.log(2), 0.6, 2 - np.log(2)], abs=1e-5)


def test_neighbours_survive_saving(tmp_path):
    told = Prototypes(
        np.eye(2, dtype=np.float32), np.zeros(2, np.float32), [1, 2, 3], [0, 0, -9, 0, 4]
    )
    told.save(tmp_path)
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
