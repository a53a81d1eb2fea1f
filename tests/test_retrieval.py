"""Search over vectors that can be checked by hand, and one contract for every vector index."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from assistant.evidence.ranker import SentenceRanker
from assistant.evidence.selection import select
from knowledge.build_index import build
from knowledge.documents import Article, Passage
from knowledge.errors import IndexMismatchError
from knowledge.models.span_embedder import PassageVectors
from knowledge.retrieval import faiss_index as module
from knowledge.retrieval.calibration import Calibration, Fusion
from knowledge.retrieval.faiss_index import FaissIndex
from knowledge.retrieval.lexical_index import LexicalIndex
from knowledge.retrieval.milvus_index import MilvusIndex
from knowledge.retrieval.query_head import QueryHead
from knowledge.retrieval.reranker import Reranker
from knowledge.retrieval.retriever import ALSO, Retriever
from knowledge.retrieval.snapshot import Snapshot
from knowledge.retrieval.span_store import open_span_indexes
from tests.fakes import CountingSpanEmbedder, HashEmbedder

VECTORS = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0.6, 0.8, 0, 0]], dtype=np.float32)
PASSAGES = [
    Passage("cards", "en", "Cards", "", "a lost card", 0, 11),
    Passage("fees", "en", "Fees", "", "the fee is £5", 0, 13),
    Passage("fees", "zh", "费用", "", "费用为 5 英镑", 0, 8),
]


class OneVector:
    """Encodes every text as the same vector."""

    name = query_name = "toy"
    languages = frozenset({"en"})

    def encode_queries(self, texts):
        return np.array([[1, 0, 0, 0]] * len(texts), dtype=np.float32)

    encode_passages = encode_queries


def snapshot(passages=PASSAGES, dense=1.0, lexical=1.0, prior=4.0, messages=None):
    fusion = Fusion(dense, lexical, prior, near=0.0, asked=0.0, slope=1.0, bias=0.0)
    by_spans = dataclasses.replace(fusion, near=1.0, asked=2.0)
    messages = messages or {}
    names = dict.fromkeys((p.article, p.lang, p.title) for p in passages)
    return Snapshot(
        articles=tuple(
            Article(name, title, lang, "…", "p", questions=messages.get((lang, name), ()))
            for name, lang, title in names
        ),
        passages=tuple(passages),
        index=FaissIndex.build(VECTORS[: len(passages)]),
        calibration=Calibration("toy", {"en": fusion, "en, spans": by_spans}),
        embedder="toy",
        files={},
        day=dt.date(2026, 1, 1),
    )


def retriever(head=None, spans=None, **options):
    return Retriever(snapshot(**options), OneVector(), head, spans=spans)


class OneWordSpans:
    """A span embedder for which every question is near the passages and sentences with "fee".

    Messages are near all questions, except those that say that they are "unlike" them.
    """

    name, languages, temperature = "spans", frozenset({"en"}), 0.5

    def encode_questions(self, texts):
        return np.array([[0, 1] if "unlike" in text else [1, 0] for text in texts], np.float32)

    def vector(self, text):
        return np.array([1, 0] if "fee" in text else [0, 1], dtype=np.float32)

    def encode_passages(self, passages, spans):
        return [
            PassageVectors(
                self.vector(passage.text),
                np.stack([self.vector(span.of(passage.text)) for span in of_passage]),
            )
            for passage, of_passage in zip(passages, spans, strict=True)
        ]


@pytest.fixture(params=["exact", "inverted", "milvus"])
def make(request, tmp_path, monkeypatch):
    """Return the functions that build and load an index of each kind."""
    if request.param == "milvus":
        pytest.importorskip("milvus_lite", reason="the extra milvus is not installed")
        place = str(tmp_path / "vectors.db")
        return lambda vectors: MilvusIndex.build(vectors, place, "test"), MilvusIndex.load
    if request.param == "inverted":
        monkeypatch.setattr(module, "EXACT_UP_TO", 0)
        monkeypatch.setattr(module, "SPREAD", 0.5)
        monkeypatch.setattr(module, "SHARE_SEARCHED", 1.0)
    return FaissIndex.build, FaissIndex.load


def drawn(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, 16)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_contract_search(make):
    """Nearest first, within the range, at most ``top_k`` and at most all rows of the range."""
    vectors = drawn(200)
    index = make[0](vectors)
    assert len(index) == 200
    for rows in (range(200), range(50), range(120, 200)):
        cosines = vectors @ vectors[7]
        nearest = index.search(vectors[7], 5, rows)
        best = np.sort(cosines[rows.start : rows.stop])[::-1][:5]
        assert set(nearest.tolist()) <= set(rows)
        # Compressed vectors may swap places with equally near neighbours.
        assert np.allclose(cosines[nearest], best, atol=0.01)
    assert sorted(index.search(vectors[0], 9, range(10, 13)).tolist()) == [10, 11, 12]


def test_contract_vectors(make):
    """In the requested order; compressed ones differ in the third digit."""
    vectors = drawn(200)
    index = make[0](vectors)
    assert np.abs(index.vectors(np.array([199, 0, 42])) - vectors[[199, 0, 42]]).max() < 0.02


def test_contract_save_and_load(make, tmp_path):
    vectors = drawn(200)
    index = make[0](vectors)
    (tmp_path / "saved").mkdir()
    index.save(tmp_path / "saved")
    loaded = make[1](tmp_path / "saved")
    assert len(loaded) == 200
    for row in (0, 99):
        nearest = loaded.search(vectors[row], 4, range(200))
        assert nearest.tolist() == index.search(vectors[row], 4, range(200)).tolist()
    assert np.array_equal(loaded.vectors(np.array([5])), index.vectors(np.array([5])))


def test_an_index_without_vectors_is_an_error():
    with pytest.raises(ValueError, match="expected at least one vector, found none"):
        FaissIndex.build(np.zeros((0, 4), dtype=np.float32))


def test_a_large_index_finds_nearly_all_that_exact_search_finds(monkeypatch):
    """Recall@10 of the inverted file with the default settings."""
    centres = drawn(300, seed=1)
    noise = np.random.default_rng(2).normal(scale=0.15, size=(20_000, 16)).astype(np.float32)
    vectors = centres[np.arange(20_000) % 300] + noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    monkeypatch.setattr(module, "EXACT_UP_TO", 1000)
    index = FaissIndex.build(vectors)
    found = 0
    for query in vectors[:50]:
        exact = set(np.argsort(-(vectors @ query))[:10].tolist())
        found += len(exact & set(index.search(query, 10, range(20_000)).tolist()))
    assert found / 500 >= 0.9


@pytest.mark.slow
def test_a_folder_can_keep_its_vectors_in_milvus(tmp_path):
    """From build to retrieval; the collections of old generations are deleted."""
    pytest.importorskip("milvus_lite", reason="the extra milvus is not installed")
    from pymilvus import MilvusClient

    docs = tmp_path / "docs"
    docs.mkdir()
    place = str(tmp_path / "vectors.db")
    for number in range(4):
        (docs / "a.md").write_text(f"A lost card, version {number}.")
        (docs / "b.md").write_text("The fee is five pounds.")
        done = build(docs, HashEmbedder(), tmp_path / "state", milvus=place)
    hits = Retriever(done.snapshot, HashEmbedder()).retrieve("a lost card", "en")
    assert hits[0].passage.text == "A lost card, version 3."
    assert len(MilvusClient(uri=place).list_collections()) == 2


def test_an_unreachable_milvus_is_named(tmp_path):
    pytest.importorskip("milvus_lite", reason="the extra milvus is not installed")
    with pytest.raises(IndexMismatchError, match="Expected Milvus at http://127.0.0.1:1"):
        MilvusIndex.build(VECTORS, "http://127.0.0.1:1", "test")


def test_the_lexical_score_is_a_share_of_the_best_possible_one():
    index = LexicalIndex(["freeze the card", "the fee is five pounds", "空卡"])
    scores = index.score("freeze fee zebra")
    assert scores.shape == (3,)
    assert 0 < scores[0] < 1
    assert scores[2] == 0
    assert index.score("zebra").tolist() == [0, 0, 0]
    assert index.score("!!").tolist() == [0, 0, 0]


def test_retrieval_stays_in_the_query_language():
    assert [h.passage.lang for h in retriever(passages=PASSAGES[1:]).retrieve("x", "zh")] == ["zh"]
    assert {h.passage.lang for h in retriever().retrieve("fee", "en")} == {"en"}
    # Nothing is in a third language, so everything is searched.
    assert len(retriever().retrieve("fee", "other")) == 3


def test_scores_are_ordered_probabilities_and_the_intent_can_change_the_order():
    hits = retriever().retrieve("card", "en")
    assert [h.passage.article for h in hits] == ["cards", "fees"]
    assert all(0 <= h.score <= 1 for h in hits)
    helped = retriever().retrieve("card", "en", prior={"fees": 0.9})
    assert [h.passage.article for h in helped] == ["fees", "cards"]


def test_top_k_must_be_positive():
    with pytest.raises(ValueError, match="top_k must be at least 1. Currently, top_k is 0"):
        retriever().retrieve("card", "en", top_k=0)


def many(names, *, reranker=None):
    """Return a retriever over English passages, each with a direction of its own.

    Their texts have no word in common with any query here.
    """
    passages = [Passage(name, "en", "T", "", f"text{n}", 0, 5) for n, name in enumerate(names)]
    known = snapshot(passages=passages[:3])
    articles = tuple(Article(name, "T", "en", "…", "p") for name in dict.fromkeys(names))
    known = dataclasses.replace(
        known,
        articles=articles,
        passages=tuple(passages),
        index=FaissIndex.build(np.eye(len(names), dtype=np.float32)),
    )
    return Retriever(known, OneVector(), reranker=reranker)


def near(*cosines):
    return np.array(cosines, dtype=np.float32)


def texts(hits):
    return [hit.passage.text for hit in hits]


def test_several_phrasings_give_as_many_hits_each():
    """However much better one of them fits."""
    searched = many("abcdefgh")
    loud, low = near(9, 8, 7, 6, 0, 0, 0, 0), near(0, 0, 0, 0, 1, 0.9, 0.8, 0.7)
    hits = searched.retrieve({"loud": loud, "low": low}, "en", top_k=4)
    assert sorted(texts(hits)) == ["text0", "text1", "text4", "text5"]
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert texts(searched.retrieve({"loud": loud}, "en", top_k=4)) == [
        "text0", "text1", "text2", "text3",
    ]  # fmt: skip


def test_a_passage_that_several_phrasings_find_is_one_hit_with_its_best_score():
    searched = many("abcd")
    first, second = near(9, 1, 0, 0), near(3, 0, 1, 0)
    alone = {
        text: {hit.passage.text: hit.score for hit in searched.retrieve({text: vector}, "en")}
        for text, vector in (("first", first), ("second", second))
    }
    hits = searched.retrieve({"first": first, "second": second}, "en", top_k=4)
    assert sorted(texts(hits)) == ["text0", "text1", "text2"], "two each, of which they share one"
    for hit in hits:
        assert hit.score == max(scores[hit.passage.text] for scores in alone.values())


def test_an_article_that_was_spoken_of_is_always_a_hit_with_its_best_passages(monkeypatch):
    """Though no search proposes it, and with no more passages than ``ALSO``."""
    monkeypatch.setattr("knowledge.retrieval.retriever.CANDIDATES", 2)
    searched = many(["a", "b", "spoken", "spoken", "spoken", "spoken", "spoken"])
    query = {"?": near(9, 8, -1, -2, -5, -4, -3)}
    assert texts(searched.retrieve(query, "en", top_k=2)) == ["text0", "text1"]
    found = searched.retrieve(query, "en", top_k=2, also=["spoken"])
    assert len(found) == 2 + ALSO
    assert texts(found) == ["text0", "text1", "text2", "text3", "text6"]
    several = searched.retrieve(query, "en", top_k=1, also=["b", "spoken"])
    assert texts(several) == ["text0", "text1", "text2", "text3", "text6"]


def test_an_article_that_was_spoken_of_and_is_found_anyway_is_no_second_hit():
    searched = many("abc")
    query = {"?": near(3, 2, 1)}
    assert texts(searched.retrieve(query, "en", top_k=2, also=["a", "a"])) == ["text0", "text1"]
    assert texts(searched.retrieve(query, "en", top_k=1, also=["unknown"])) == ["text0"]


def test_an_article_that_was_spoken_of_is_read_in_the_language_of_the_query(monkeypatch):
    monkeypatch.setattr("knowledge.retrieval.retriever.CANDIDATES", 1)
    hits = retriever().retrieve("card", "en", top_k=1, also=["fees"])
    assert [(h.passage.article, h.passage.lang) for h in hits] == [("cards", "en"), ("fees", "en")]
    (chinese,) = retriever(passages=PASSAGES[1:]).retrieve("card", "zh", top_k=1, also=["fees"])
    assert chinese.passage.lang == "zh"


class Prefers:
    """A cross-encoder that prefers some texts to all others; keeps the questions that it read."""

    def __init__(self, *preferred):
        self.preferred, self.questions = preferred, []

    def predict(self, pairs, **_options):
        self.questions += [question for question, _ in pairs]
        return [9.0 * (text.splitlines()[-1] in self.preferred) for _, text in pairs]


def test_a_reranker_reads_the_fullest_phrasing_and_reorders_what_all_found():
    encoder = Prefers("text3")
    searched = many("abcdef", reranker=Reranker(encoder))
    query = {"alone": near(2, 1, 0, 0, 0, 0), "in full": near(0, 0, 0, 1, 2, 0)}
    hits = searched.retrieve(query, "en", top_k=3)
    assert set(encoder.questions) == {"in full"}
    assert texts(hits)[0] == "text3"
    assert len(hits) == 3, "it decides alone which remain"
    assert all(hit.rerank is not None for hit in hits)


def test_a_reranker_can_lift_what_no_phrasing_would_have_kept():
    searched = many("abcdef", reranker=Reranker(Prefers("text5")))
    query = {"?": near(5, 4, 3, 2, 1, 0)}
    assert texts(searched.retrieve(query, "en", top_k=2))[0] == "text5"


def test_what_was_not_reranked_stays_behind_what_was():
    """However little probability the cross-encoder leaves it."""
    searched = many("abcdefghijkl", reranker=Reranker(Prefers("text3")))
    hits = searched.retrieve({"?": near(*[3 - 0.1 * n for n in range(12)])}, "en", top_k=12)
    assert texts(hits)[0] == "text3"
    assert [hit.rerank for hit in hits[-2:]] == [None, None]


def test_a_reranker_drops_no_article_that_was_spoken_of():
    searched = many("abcdef", reranker=Reranker(Prefers("text2", "text3")))
    query = {"?": near(5, 4, 3, 2, 1, 0)}
    hits = searched.retrieve(query, "en", top_k=2, also=["f"])
    assert texts(hits) == ["text2", "text3", "text5"]


def test_another_language_is_searched_for_articles_without_a_version_in_the_query_language():
    """A Chinese query finds Chinese versions only, and articles that exist in English alone."""
    only_english = Passage("terms", "en", "Terms", "", "the terms", 0, 9)
    hits = retriever(passages=[PASSAGES[1], only_english, PASSAGES[2]]).retrieve("fee", "zh")
    assert {(h.passage.article, h.passage.lang) for h in hits} == {("fees", "zh"), ("terms", "en")}


def test_only_the_picked_article_is_searched_in_the_query_language_if_possible():
    title = PASSAGES[0].title
    hits = retriever().retrieve("fee", PASSAGES[0].lang, title=title)
    assert {(h.passage.title, h.passage.lang) for h in hits} == {(title, PASSAGES[0].lang)}
    assert retriever().retrieve("fee", "other", title=title)[0].passage.title == title
    assert retriever().retrieve("fee", "en", title="None of these") == []


def test_a_query_head_moves_queries_and_nothing_else():
    turn = np.zeros((4, 4), dtype=np.float32)
    turn[1, 0] = 9.0  # queries near "cards" move to "fees"
    head = QueryHead(turn, np.zeros(4, dtype=np.float32), "toy")
    assert retriever().retrieve("x", "en")[0].passage.article == "cards"
    assert retriever(head).retrieve("x", "en")[0].passage.article == "fees"


def test_a_span_embedder_can_change_the_order_and_scores_each_sentence(tmp_path):
    """The cosine prefers "cards", the span embedder "fees", whose one sentence has "fee"."""
    spans = open_span_indexes(snapshot(), [OneWordSpans()], tmp_path)
    assert set(spans) == {"en"}
    best, other = retriever(spans=spans).retrieve("?", "en")
    assert (best.passage.article, best.near, best.sentences) == ("fees", 2.0, (2.0,))
    assert (other.passage.article, other.near, other.sentences) == ("cards", 0.0, (0.0,))
    # No span embedder covers Chinese, so that its passages are searched without.
    (chinese,) = retriever(passages=PASSAGES[1:], spans=spans).retrieve("x", "zh")
    assert (chinese.near, chinese.sentences) == (0.0, ())


def test_what_the_span_embedder_finds_is_a_candidate_though_nothing_else_proposes_it(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("knowledge.retrieval.retriever.CANDIDATES", 1)
    spans = open_span_indexes(snapshot(), [OneWordSpans()], tmp_path)
    assert [h.passage.article for h in retriever().retrieve("?", "en")] == ["cards"]
    found = retriever(spans=spans).retrieve("?", "en")
    assert [h.passage.article for h in found] == ["fees", "cards"]


def test_an_article_is_found_by_its_messages(tmp_path):
    """Its passages are as before; customers have asked for it in these words."""
    messages = {("en", "cards"): ("unlike all", "gone"), ("en", "fees"): ("unlike it",)}
    known = snapshot(messages=messages)
    spans = open_span_indexes(known, [OneWordSpans()], tmp_path)
    best, other = Retriever(known, OneVector(), spans=spans).retrieve("?", "en")
    assert (best.passage.article, best.near, best.asked) == ("cards", 0.0, 1.0)
    assert (other.passage.article, other.near, other.asked) == ("fees", 2.0, -1.0)
    assert best.score > other.score
    unknown = open_span_indexes(snapshot(), [OneWordSpans()], tmp_path)
    hits = retriever(spans=unknown).retrieve("?", "en")
    assert [(h.passage.article, h.asked) for h in hits] == [("fees", 0.0), ("cards", 0.0)]


def test_what_its_messages_find_is_a_candidate_though_nothing_else_proposes_it(
    tmp_path, monkeypatch
):
    """In the language of the question only: the English messages speak for the English version."""
    monkeypatch.setattr("knowledge.retrieval.retriever.CANDIDATES", 1)
    room = Passage("rooms", "en", "Rooms", "", "a quiet room", 0, 12)
    chinese = dataclasses.replace(room, lang="zh", title="房间")
    vectors = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], np.float32)

    def found(**messages):
        known = dataclasses.replace(
            snapshot(
                passages=[*PASSAGES[:2], room],
                messages={("en", name): texts for name, texts in messages.items()},
            ),
            index=FaissIndex.build(vectors),
        )
        both = Article("rooms", "房间", "zh", "…", "p")
        known = dataclasses.replace(
            known, passages=(*known.passages, chinese), articles=(*known.articles, both)
        )
        spans = open_span_indexes(known, [OneWordSpans()], tmp_path)
        hits = Retriever(known, OneVector(), spans=spans).retrieve("?", "en")
        return {(h.passage.article, h.passage.lang) for h in hits}

    proposed = {("cards", "en"), ("fees", "en")}
    assert found() == proposed
    assert found(rooms=("where to sleep",)) == proposed | {("rooms", "en")}


def test_messages_are_no_text(tmp_path):
    """Neither a passage nor a sentence of an answer, and their words are no words of the page."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "card.md").write_text(
        "---\ntitle: Cards\nquestions:\n- wheres my bloody plastic\n- Is it lost?\n---\n"
        "A new card costs £5. It comes within 3 days."
    )
    (docs / "fee.md").write_text("---\nquestions: [hidden extras]\n---\nThe fee is £2.")
    embedder, spans = HashEmbedder(), CountingSpanEmbedder()
    known = build(docs, embedder, tmp_path / "state").snapshot
    assert [p.text for p in known.passages] == [
        "A new card costs £5. It comes within 3 days.", "The fee is £2.",
    ]  # fmt: skip
    indexes = open_span_indexes(known, [spans], tmp_path / "spans")
    assert spans.read == [p.text for p in known.passages], "read as passages, without messages"
    searched = Retriever(known, embedder, spans=indexes)
    assert "plastic" not in searched.article("en", "card").text
    asked = "wheres my bloody plastic"
    hits = searched.retrieve(asked, "en")
    assert hits[0].passage.article == "card"
    assert hits[0].asked > 0, "the message finds it"
    assert {hit.lexical for hit in hits} == {0.0}, "no word of it is on the page"
    (vector,) = embedder.encode_queries([asked])
    ranked = SentenceRanker(embedder).rank(asked, hits, vector)
    said = {"A new card costs £5.", "It comes within 3 days.", "The fee is £2."}
    assert {e.text for e in ranked.sentences} <= said
    assert {e.text for e in select(ranked, "en")} <= said


def test_each_kind_of_query_has_its_own_weights_or_the_nearest_ones():
    """Without weights for the intent those without it count; other languages have English ones."""
    kinds = ("en", "en, intent", "en, spans", "zh", "zh, spans", "zh, intent, spans")
    fusions = {kind: Fusion(float(n), 0, 0, 0, 0, 1, 0) for n, kind in enumerate(kinds)}
    calibration = Calibration("toy", fusions)

    def used(lang, **known):
        return kinds[int(calibration.for_query(lang, **known).dense)]

    assert used("en", intent=True, spans=False) == "en, intent"
    assert used("en", intent=True, spans=True) == "en, spans"
    assert used("zh", intent=True, spans=True) == "zh, intent, spans"
    assert used("zh", intent=True, spans=False) == "zh"
    assert used("other", intent=True, spans=False) == "en, intent"
    before = Calibration("toy", {"en": fusions["en"]})
    assert before.for_query("zh", intent=True, spans=True) == fusions["en"]


def test_a_calibration_is_loaded_as_it_was_saved(tmp_path):
    saved = Calibration("toy", {"en, spans": Fusion(1, 2, 3, 4, 5, 6, 7)}, own=True)
    saved.save(tmp_path / "calibration.json")
    assert Calibration.load(tmp_path / "calibration.json") == saved


def test_a_query_head_is_found_only_for_its_embedder(tmp_path):
    head = QueryHead(np.eye(4, dtype=np.float32), np.ones(4, dtype=np.float32), "toy")
    assert QueryHead.find(tmp_path, "toy") is None
    head.save(tmp_path)
    assert QueryHead.find(tmp_path, "other") is None
    loaded = QueryHead.find(tmp_path, "toy")
    assert np.allclose(loaded.apply(VECTORS[2]), head.apply(VECTORS[2]))
    (tmp_path / "weights" / "query-head.safetensors").write_bytes(b"damaged")
    with pytest.raises(IndexMismatchError, match="is damaged.*python -m tuning.query_head"):
        QueryHead.find(tmp_path, "toy")
