"""Prototypes: by hand, and on the bank's intents with classes that the classifier lacks."""

import numpy as np
import pytest

from assistant.intents.intent_files import load_intents
from assistant.intents.linear_classifier import LinearClassifier
from knowledge.build_index import BANK
from tuning.classifier.fit_prototypes import PROTOTYPES, SHOWN, fit_prototypes, prototypes

REJECT = "out_of_scope"
# Intents that the classifier does not know; their messages are near the known ones.
LEFT_OUT = ("card_swallowed", "exchange_rate", "request_refund", "verify_my_identity")
FAR = (
    "book a table for two at the pizzeria tonight",
    "what will the weather be like in Leeds tomorrow",
    "how do I boil an egg so that it stays soft",
    "who wrote the opera about the barber",
    "translate good morning into Finnish",
    "play the next song in my list",
    "how many moons does Jupiter have",
    "is the zoo open on a bank holiday",
    "recommend a film with a happy end",
    "why do cats purr when they sleep",
    "set my alarm for half past six",
    "how far is it from Vienna to Graz by bike",
    "what is the best way to prune roses",
    "who won the cup final last year",
    "tell me a joke about penguins",
    "how do I fix a dripping tap",
    "which bus goes to the stadium",
    "what size of tyre does a small car need",
    "is there gluten in rye bread",
    "how long does a marathon take a beginner",
    "what rhymes with orange",
    "turn the lights off in the kitchen",
    "when did the Roman empire end",
    "how much water does a cactus want",
)


def test_prototypes_are_unit_vectors_of_each_class():
    """As many as texts where a class has few; the means of tight groups where it has many."""
    few = np.array([[2.0, 0.0, 0.0], [0.0, 3.0, 0.0]], dtype=np.float32)
    random = np.random.default_rng(0)
    centres = np.linalg.qr(random.normal(size=(12, 12)))[0][:, :PROTOTYPES].T
    many = np.repeat(centres, 5, axis=0).astype(np.float32)
    padded = np.hstack([few, np.zeros((2, 9), dtype=np.float32)])
    labels = np.array(["few"] * 2 + ["many"] * len(many))
    found = prototypes(np.vstack([padded, many]), labels, seed=0)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    assert len(found) == 2 + PROTOTYPES
    assert np.sort(found[:2], axis=0) == pytest.approx(np.sort(np.eye(12)[:2], axis=0))
    assert (found[2:] @ centres.T).max(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.fixture(scope="module")
def fitted(embedder):
    """Return classifier, prototypes, and texts that neither has seen, with their vectors."""
    intents = load_intents(BANK, "en")
    examples = {intent.name: [*intent.examples] for intent in intents if intent.article}
    known = {name: texts for name, texts in examples.items() if name not in LEFT_OUT}
    rows = [(text, name) for name, texts in known.items() for text in texts[::2]]
    rows += [(text, REJECT) for text in FAR[::3]]
    texts, labels = [text for text, _ in rows], [name for _, name in rows]
    vectors = embedder.encode_queries(texts)
    classifier = LinearClassifier.fit(texts, labels, vectors, "e5", calibrate=False)
    far = [*FAR[1::3]]
    fit = fit_prototypes(
        classifier, texts, labels, vectors, (far, embedder.encode_queries(far)), REJECT, seed=0
    )
    unseen = {
        "known": [text for listed in known.values() for text in listed[1::2]],
        "near": [text for name in LEFT_OUT for text in examples[name]],
        "far": [*FAR[2::3]],
    }
    encoded = {kind: embedder.encode_queries(listed) for kind, listed in unseen.items()}
    return classifier, fit, unseen, encoded, examples


def test_out_of_scope_ranks_far_above_near_above_known(fitted):
    classifier, fit, unseen, encoded, _ = fitted
    reject = classifier.labels.index(REJECT)
    scores = {
        kind: np.array(
            [
                fit.out_of_scope(logits, vector, reject, None)
                for logits, vector in zip(classifier.logits(texts, vectors), vectors, strict=True)
            ]
        )
        for kind, texts in unseen.items()
        for vectors in [encoded[kind]]
    }
    far, near, known = (np.median(scores[kind]) for kind in ("far", "near", "known"))
    assert far > 0.5 > near > known + 0.01
    # One message in ten is taken to be out of scope, so few known ones are.
    assert (scores["known"] > 0.5).mean() < 0.05


def test_five_examples_show_a_new_intent(fitted, embedder):
    classifier, fit, unseen, encoded, examples = fitted
    others = classifier.logits(unseen["known"], encoded["known"]).max(axis=1)
    for name in LEFT_OUT:
        vectors = embedder.encode_queries(examples[name])
        shown, own = vectors[:SHOWN], vectors[SHOWN:]
        rivals = classifier.logits(examples[name][SHOWN:], own).max(axis=1)
        taken = [fit.new_intent_logit(vector, shown) for vector in own] > rivals
        lost = [fit.new_intent_logit(vector, shown) for vector in encoded["known"]] > others
        assert taken.mean() > 0.5, name
        assert lost.mean() < 0.02, name
