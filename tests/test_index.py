"""The index on disk, and search over vectors that can be checked by hand."""

import json

import numpy as np
import pytest

from knowledge.calibration import Calibration, Platt
from knowledge.documents import Passage
from knowledge.errors import IndexMismatchError
from knowledge.index import FaissIndex
from knowledge.lexical import LexicalIndex
from knowledge.retriever import Retriever

VECTORS = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0.6, 0.8, 0, 0]], dtype=np.float32)
PASSAGES = [
    Passage("cards", "en", "Cards", "", "a lost card", 0, 11),
    Passage("fees", "en", "Fees", "", "the fee is £5", 0, 13),
    Passage("fees", "zh", "费用", "", "费用为 5 英镑", 0, 8),
]


class OneVector:
    """Encodes every text as the same vector."""

    name = "toy"
    languages = frozenset({"en"})

    def encode(self, texts):
        return np.array([[1, 0, 0, 0]] * len(texts), dtype=np.float32)


def retriever(dense=1.0, lexical=1.0, prior=4.0):
    platt = Platt(dense, lexical, prior, 0.0)
    calibration = Calibration("toy", {"en": platt}, {"en": platt})
    return Retriever(FaissIndex(VECTORS, PASSAGES, "toy"), OneVector(), calibration)


def test_search_by_cosine_among_some_rows():
    index = FaissIndex(VECTORS, PASSAGES, "toy")
    assert index.search(VECTORS[0], 3, [0, 1, 2]) == [0, 2, 1]
    assert index.search(VECTORS[0], 3, [1, 2]) == [2, 1]
    assert index.cosines(VECTORS[0], [2, 1]).tolist() == pytest.approx([0.6, 0.0])


def test_saved_index_loads_the_same(tmp_path):
    FaissIndex(VECTORS, PASSAGES, "toy").save(tmp_path / "i", {"a.md": "0"})
    loaded = FaissIndex.load(tmp_path / "i", "toy")
    assert loaded.passages == PASSAGES
    assert loaded.search(VECTORS[0], 3, [0, 1, 2]) == [0, 2, 1]


@pytest.mark.parametrize("name", ["index.faiss", "passages.jsonl"])
def test_one_flipped_bit_is_refused(tmp_path, name):
    """Faiss itself loads some flipped bits in silence and then ranks otherwise."""
    FaissIndex(VECTORS, PASSAGES, "toy").save(tmp_path / "i", {})
    damaged = bytearray((tmp_path / "i" / name).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "i" / name).write_bytes(damaged)
    with pytest.raises(IndexMismatchError, match="is damaged.*build_index"):
        FaissIndex.load(tmp_path / "i", "toy")


def test_other_embedder_and_missing_index_are_refused_with_the_repair(tmp_path):
    FaissIndex(VECTORS, PASSAGES, "toy").save(tmp_path / "i", {})
    with pytest.raises(IndexMismatchError) as caught:
        FaissIndex.load(tmp_path / "i", "other")
    assert str(caught.value) == (
        f"The index in {tmp_path / 'i'} was built with toy, but the assistant is configured with "
        f"other. Build it again with `python -m knowledge.build_index FOLDER`."
    )
    with pytest.raises(IndexMismatchError, match="found none that can be read"):
        FaissIndex.load(tmp_path / "none", "toy")


def test_manifest_says_what_the_index_is(tmp_path):
    FaissIndex(VECTORS, PASSAGES, "toy").save(tmp_path / "i", {"en/a.md": "abc"})
    manifest = json.loads((tmp_path / "i" / "manifest.json").read_text())
    assert manifest["dimension"] == 4
    assert manifest["metric"] == "cosine"
    assert manifest["articles"] == {"en/a.md": "abc"}


def test_lexical_score_is_the_share_of_the_query_that_was_found():
    index = LexicalIndex(["freeze the card", "the fee is five pounds", "空卡"])
    found = index.score("freeze fee zebra")
    assert found.shape == (3,)
    assert 0 < found[0] < 1
    assert found[2] == 0
    assert index.score("zebra").tolist() == [0, 0, 0]
    assert index.score("!!").tolist() == [0, 0, 0]


def test_retrieval_stays_in_the_query_language():
    assert [h.passage.lang for h in retriever().retrieve("fee", "zh")] == ["zh"]
    assert {h.passage.lang for h in retriever().retrieve("fee", "en")} == {"en"}
    # Nothing is in a third language, so everything is searched.
    assert len(retriever().retrieve("fee", "other")) == 3


def test_scores_are_probabilities_in_order_and_the_intent_can_turn_them():
    hits = retriever().retrieve("card", "en")
    assert [h.passage.article for h in hits] == ["cards", "fees"]
    assert all(0 <= h.score <= 1 for h in hits)
    helped = retriever().retrieve("card", "en", prior={"fees": 0.9})
    assert [h.passage.article for h in helped] == ["fees", "cards"]


def test_top_k_must_be_positive():
    with pytest.raises(ValueError, match="top_k must be at least 1. Currently, top_k is 0"):
        retriever().retrieve("card", "en", top_k=0)
