"""Messages that were written for passages: kept on disk, filtered, served, and written once."""

import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from knowledge import knowledge_base, search
from knowledge.build_index import build
from knowledge.documents import Article, Passage
from knowledge.knowledge_base import KnowledgeBase
from knowledge.models.span_embedder import PassageVectors
from knowledge.retrieval import expansions, span_store
from knowledge.retrieval.expansions import FILE, Expansion, ExpansionStore
from knowledge.retrieval.snapshot_store import SnapshotStore
from knowledge.retrieval.span_index import SpanIndex
from knowledge.retrieval.span_store import found_again, open_span_indexes
from knowledge.splitter import MAX_WORDS
from tests.fakes import CountingSpanEmbedder, FakeMessageWriter, HashEmbedder
from tests.test_span_store import snapshot
from tests.three_articles import CARD, FEE, ROOM, write_articles


def passage(text=CARD, **changed):
    whole = Passage("card", "en", "Card", "", text, 0, len(text))
    return dataclasses.replace(whole, **changed)


def expansion(*messages, writer="fake"):
    return Expansion(writer, messages)


# What is kept on disk.


def test_what_was_kept_is_read_again(tmp_path):
    folder = tmp_path / "new" / "folder"
    store = ExpansionStore(folder)
    assert store.of(passage()) is None
    store.add(passage(), expansion("how much", "多少钱"))
    store.add(passage(FEE), expansion())
    for known in (store, ExpansionStore(folder)):
        assert known.of(passage()) == expansion("how much", "多少钱")
        assert known.of(passage(FEE)) == expansion(), "nothing to say is an answer too"
        assert known.of(passage(ROOM)) is None
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_a_message_may_hold_any_mark(tmp_path):
    """Some split a text into lines where no new line is written."""
    odd = 'a\nb\r\nc\u2028d\u2029e\x85f\x0cg\x1eh "quoted" \\ \ud83d'.encode(
        "utf-8", "replace"
    ).decode()
    ExpansionStore(tmp_path).add(passage(), expansion(odd, "plain"))
    assert ExpansionStore(tmp_path).of(passage()) == expansion(odd, "plain")


@pytest.mark.parametrize(
    "changed",
    [{"text": f"{CARD} Or six."}, {"title": "Prices"}, {"heading": "Prices"}, {"lang": "zh"}],
    ids=lambda changed: next(iter(changed)),
)
def test_a_passage_that_changed_has_none(tmp_path, changed):
    """Whatever the writer reads of it; the other passage keeps its own."""
    store = ExpansionStore(tmp_path)
    store.add(passage(), expansion("how much"))
    store.add(passage(FEE), expansion("any fee"))
    assert store.of(passage(**changed)) is None
    assert store.of(passage(FEE)) == expansion("any fee")
    assert store.missing([passage(**changed), passage(FEE)], FakeMessageWriter()) == [
        passage(**changed)
    ]


def test_a_passage_that_moved_keeps_its_own(tmp_path):
    store = ExpansionStore(tmp_path)
    store.add(passage(), expansion("how much"))
    assert store.of(passage(start=9, end=34, article="cards")) == expansion("how much")


def test_another_writer_writes_all_again(tmp_path):
    """Until it has, what the former one wrote serves."""
    store = ExpansionStore(tmp_path)
    both = [passage(), passage(FEE)]
    for one in both:
        store.add(one, expansion("old"))
    assert store.missing(both, FakeMessageWriter()) == []
    other = FakeMessageWriter(name="other")
    assert store.missing(both, other) == both
    store.add(both[0], expansion("new", writer="other"))
    for known in (store, ExpansionStore(tmp_path)):
        assert known.missing(both, other) == both[1:]
        assert [known.of(one).messages for one in both] == [("new",), ("old",)]


def test_a_writer_is_asked_for_passages_in_its_languages(tmp_path):
    of_each = [passage(), passage("费用。", lang="zh"), passage("Le prix.", lang="other")]
    store = ExpansionStore(tmp_path)
    assert store.missing(of_each, FakeMessageWriter(languages=["zh"])) == of_each[1:2]
    assert store.missing(of_each, FakeMessageWriter()) == of_each[:2]


def cut(folder, keep):
    """Cut the last line off, as a process does that is killed while it writes."""
    file = folder / FILE
    content = file.read_bytes()
    start = content.rindex(b"{")
    file.write_bytes(content[: start + keep])


@pytest.mark.parametrize("keep", [1, 40, -4], ids=["brace", "half", "in a letter"])
def test_a_line_that_was_cut_off_costs_its_own_passage_alone(tmp_path, caplog, keep):
    store = ExpansionStore(tmp_path)
    store.add(passage(), expansion("how much"))
    store.add(passage(FEE), expansion("多少钱"))
    whole = (tmp_path / FILE).read_bytes()
    # Of "钱", one of three bytes is left.
    cut(tmp_path, whole.index("钱".encode()) + 1 - whole.rindex(b"{") if keep < 0 else keep)
    again = ExpansionStore(tmp_path)
    assert (again.of(passage()), again.of(passage(FEE))) == (expansion("how much"), None)
    (record,) = caplog.records
    assert f"{FILE}: 1 damaged lines" in record.getMessage()
    # The next line is whole, though the file ended within one.
    again.add(passage(ROOM), expansion("when"))
    again.add(passage(FEE), expansion("any fee"))
    last = ExpansionStore(tmp_path)
    found = [last.of(passage(text)).messages for text in (CARD, FEE, ROOM)]
    assert found == [("how much",), ("any fee",), ("when",)]


@pytest.mark.parametrize(
    "line",
    ["{", "null", "7", '"text"', "[]", "{}", '{"passage": "a", "writer": "b"}',
     '{"passage": "a", "writer": "b", "messages": null}', "\x00\x00\x00"],
)  # fmt: skip
def test_a_damaged_line_is_counted_and_left_out(tmp_path, caplog, line):
    store = ExpansionStore(tmp_path)
    store.add(passage(), expansion("how much"))
    with (tmp_path / FILE).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n{line}\n")
    assert ExpansionStore(tmp_path).of(passage()) == expansion("how much")
    assert "2 damaged lines" in caplog.text


def test_an_undamaged_file_is_read_without_a_warning(tmp_path, caplog):
    ExpansionStore(tmp_path).add(passage(), expansion("how much"))
    ExpansionStore(tmp_path / "none")
    ExpansionStore(tmp_path)
    assert caplog.records == []


def test_threads_lose_nothing_of_each_other(tmp_path, caplog, monkeypatch):
    """Each takes its time in the middle, so that the others may come between."""
    key = expansions._key
    monkeypatch.setattr(expansions, "_key", lambda of: time.sleep(0.001) or key(of))
    store = ExpansionStore(tmp_path)
    many = [passage(f"Passage {n}.") for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: store.add(one, expansion(one.text)), many))
    for known in (store, ExpansionStore(tmp_path)):
        assert [known.of(one) for one in many] == [expansion(one.text) for one in many]
    assert caplog.records == []


def test_what_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    store = ExpansionStore(tmp_path / "file")
    with pytest.raises(OSError, match="file"):
        store.add(passage(), expansion("how much"))
    assert store.of(passage()) is None


# Which messages serve: a question is (1, 0) or (0, 1), so that a passage's numbers are its cosines.

QUESTIONS = np.eye(2, dtype=np.float32)
EMBEDDER = SimpleNamespace(temperature=0.5)


def kept(*passages, written, margin=0.0):
    """Return the numbers of the questions that are kept, by article; a passage is (name, cosines)."""
    vectors = [
        PassageVectors(np.array(of, np.float32), np.zeros((0, 2), np.float32)) for _, of in passages
    ]
    index = SpanIndex(EMBEDDER, range(len(passages)), vectors)
    known = [passage(article=name) for name, _ in passages]
    asked = {number: QUESTIONS[list(numbers)] for number, numbers in written.items()}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(span_store, "NEARER", margin)
        found = list(found_again(index, known, asked))
    return [(name, rows.argmax(axis=1).tolist()) for name, rows in found]


def test_a_message_serves_if_it_finds_its_own_article_before_any_other():
    both = [("card", [0.9, 0.2]), ("fee", [0.1, 0.8])]
    assert kept(*both, written={0: [0, 1], 1: [0, 1]}) == [("card", [0]), ("fee", [1])]
    assert kept(*both, written={0: [1]}) == []


def test_any_passage_of_its_article_may_be_what_it_finds():
    three = [("card", [0.1, 0.1]), ("fee", [0.5, 0.5]), ("card", [0.9, 0.2])]
    assert kept(*three, written={0: [0, 1]}) == [("card", [0])]


def test_an_article_with_the_same_words_is_no_worse():
    same = [("card", [0.5, 0.1]), ("copy", [0.5, 0.1])]
    assert kept(*same, written={0: [0], 1: [0]}) == [("card", [0]), ("copy", [0])]


def test_alone_an_article_keeps_all():
    assert kept(("card", [-0.5, 0.0]), written={0: [0, 1]}) == [("card", [0, 1])]


def test_a_margin_is_in_cosines_divided_by_the_temperature():
    """Those of the first question differ by 0.25, of the second one by 0.5."""
    both = [("card", [0.5, 0.75]), ("fee", [0.25, 0.25])]
    assert kept(*both, written={0: [0, 1]}, margin=0.5) == [("card", [0, 1])]
    assert kept(*both, written={0: [0, 1]}, margin=0.51) == [("card", [1])]
    assert kept(*both, written={0: [0, 1]}, margin=1.01) == []


def nearer(indexes, question, *articles, lang="en"):
    """Return how near a question is to the messages of articles, best first."""
    found = indexes[lang].search(question)
    return [name for name in found.best_asked(9) if name in articles or not articles]


def test_messages_that_were_written_join_those_of_the_front_matter(tmp_path):
    """And those of all passages of an article join each other."""
    store, reader = ExpansionStore(tmp_path / "store"), CountingSpanEmbedder()
    own = [passage(), passage(FEE, article="fee"), passage(ROOM)]
    articles = [
        Article("card", "Card", "en", CARD, "c.md", questions=("wheres my plastic",)),
        Article("fee", "Fee", "en", FEE, "f.md", questions=("hidden extras",)),
    ]
    store.add(own[0], expansion("card costs"))
    store.add(own[2], expansion("open at noon"))
    known = snapshot(*own, articles=articles)
    indexes = open_span_indexes(known, [reader], tmp_path / "spans", expansions=store)
    for asked in ("wheres my plastic", "card costs", "open at noon"):
        (best, other) = indexes["en"].search(asked).asked(["card", "fee"])
        assert best > other, asked
        assert best - other == pytest.approx(2.0, abs=1.0)
    assert nearer(indexes, "hidden extras") == ["fee", "card"]
    assert reader.asked[:4] == [
        "wheres my plastic", "hidden extras", "card costs", "open at noon",
    ]  # fmt: skip


def test_a_message_that_finds_another_article_does_not_serve(tmp_path):
    store = ExpansionStore(tmp_path / "store")
    own = [passage(), passage(FEE, article="fee")]
    store.add(own[0], expansion("the fee is two pounds"))
    indexes = open_span_indexes(
        snapshot(*own), [CountingSpanEmbedder()], tmp_path / "spans", expansions=store
    )
    assert nearer(indexes, "the fee is two pounds") == []
    store.add(own[0], expansion("the fee is two pounds", "a card costs"))
    indexes = open_span_indexes(
        snapshot(*own), [CountingSpanEmbedder()], tmp_path / "spans", expansions=store
    )
    assert nearer(indexes, "a card costs") == ["card"]


def test_messages_are_encoded_once(tmp_path):
    store, reader = ExpansionStore(tmp_path / "store"), CountingSpanEmbedder()
    store.add(passage(), expansion("a card costs"))
    for _ in range(2):
        open_span_indexes(snapshot(passage()), [reader], tmp_path / "spans", expansions=store)
    assert reader.asked == ["a card costs"]
    store.add(passage(), expansion("a card costs", "five pounds"))
    open_span_indexes(snapshot(passage()), [reader], tmp_path / "spans", expansions=store)
    assert reader.asked == ["a card costs", "five pounds"]


def test_messages_serve_the_language_of_their_passage(tmp_path):
    store = ExpansionStore(tmp_path / "store")
    both = [passage(), passage("补卡 收费", lang="zh")]
    store.add(both[1], expansion("收费"))
    indexes = open_span_indexes(
        snapshot(*both), [CountingSpanEmbedder()], tmp_path / "spans", expansions=store
    )
    assert (nearer(indexes, "收费"), nearer(indexes, "收费", lang="zh")) == ([], ["card"])


# What a knowledge base does with a writer.


@pytest.fixture
def folder(tmp_path):
    """Three articles with a passage each."""
    return write_articles(tmp_path / "docs")


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def opened(folder, state):
    spans = [CountingSpanEmbedder()]
    return KnowledgeBase.open(folder, HashEmbedder(), state, span_embedders=spans)


def written(base):
    """Return the messages by article; None where nothing was written."""
    return {p.article: known and known.messages for p, known in base.expansions()}


def finds(base, question):
    """Return the articles by whose messages a question is found, best first."""
    return base.current()._spans["en"].search(question).best_asked(9)  # the messages alone


WRITTEN = {"card": ("A card costs five pounds.",), "fee": ("The fee is two pounds.",)}
WRITTEN["room"] = ("Rooms open at noon.",)


def test_all_passages_are_written_for_once(folder, state):
    base, writer = opened(folder, state), FakeMessageWriter()
    assert written(base) == dict.fromkeys(WRITTEN)
    assert base.expand(writer) == 3
    assert (writer.read, written(base)) == ([CARD, FEE, ROOM], WRITTEN)
    assert base.expand(writer) == 0
    again = opened(folder, state)
    assert again.expand(writer) == 0
    assert (len(writer.read), written(again)) == (3, WRITTEN)


def test_what_was_written_serves_now_and_the_next_time(folder, state):
    told = {CARD: ["card price"], FEE: ["any fee"]}
    base = opened(folder, state)
    assert finds(base, "card price") == []
    before = base.current()
    base.expand(FakeMessageWriter(told))
    assert finds(base, "card price")[0] == finds(opened(folder, state), "card price")[0] == "card"
    (hit,) = base.current().retrieve("card price", "en", top_k=1)
    assert (hit.passage.article, hit.asked > 0) == ("card", True)
    assert before.retrieve("card price", "en", top_k=1)[0].asked == 0.0
    assert before.snapshot is base.current().snapshot, "no new generation"


def test_messages_are_no_text(folder, state):
    """Neither of a passage nor of an article."""
    base = opened(folder, state)
    base.expand(FakeMessageWriter({CARD: ["a card costs sixpence"]}))
    assert [p.text for p in base.current().passages] == [CARD, FEE, ROOM]
    assert base.current().article("en", "card").text == CARD


def test_messages_serve_while_others_are_written(folder, state, monkeypatch):
    monkeypatch.setattr(knowledge_base, "SERVED_EVERY", 2)
    base, found = opened(folder, state), []

    class Watched(FakeMessageWriter):
        def write(self, passage):
            found.append(sorted(finds(base, "pounds")))
            return super().write(passage)

    base.expand(Watched())
    assert found == [[], [], ["card", "fee"]]
    assert sorted(finds(base, "pounds")) == ["card", "fee", "room"], "the last ones too"


def test_a_writer_without_a_message_is_not_asked_again(folder, state):
    base, writer = opened(folder, state), FakeMessageWriter({})
    assert (base.expand(writer), base.expand(writer)) == (3, 0)
    assert written(base) == dict.fromkeys(WRITTEN, ())
    assert finds(base, CARD) == []


def test_a_text_that_changed_is_written_for_again_and_the_others_serve(folder, state):
    base, writer = opened(folder, state), FakeMessageWriter()
    base.expand(writer)
    (folder / "card.md").write_text("A card costs nothing now.")
    build(folder, HashEmbedder(), state)
    for one in (base, opened(folder, state)):
        assert written(one) == {**WRITTEN, "card": None}
        assert sorted(finds(one, "pounds")) == ["fee", "room"]
    assert base.expand(writer) == 1
    assert writer.read[3:] == ["A card costs nothing now."]
    assert "card" in finds(base, "nothing now")


def test_a_text_that_changed_back_has_its_messages_again(folder, state):
    base, writer = opened(folder, state), FakeMessageWriter()
    base.expand(writer)
    for text in ("Changed.", CARD):
        (folder / "card.md").write_text(text)
        build(folder, HashEmbedder(), state)
    assert written(base) == WRITTEN


def test_another_writer_writes_all_passages_again(folder, state):
    base = opened(folder, state)
    base.expand(FakeMessageWriter())
    other = FakeMessageWriter({CARD: ["card price"]}, name="other")
    assert base.expand(other) == 3
    assert written(opened(folder, state)) == {"card": ("card price",), "fee": (), "room": ()}
    assert finds(base, "card price") == ["card"], "what the former one wrote is gone"


@pytest.mark.parametrize("failure", [RuntimeError("killed"), KeyboardInterrupt()], ids=repr)
def test_stopped_half_way_it_continues_with_the_rest(folder, state, failure):
    base = opened(folder, state)
    with pytest.raises(type(failure)):
        base.expand(FakeMessageWriter(failing_after=2, failure=failure))
    assert written(base) == {**WRITTEN, "room": None}
    for one in (base, opened(folder, state)):
        assert written(one) == {**WRITTEN, "room": None}
    again, writer = opened(folder, state), FakeMessageWriter()
    assert sorted(finds(again, "pounds")) == ["card", "fee"]
    assert again.expand(writer) == 1
    assert (writer.read, written(again)) == ([ROOM], WRITTEN)


def test_killed_within_a_line_it_writes_that_passage_again(folder, state, caplog):
    opened(folder, state).expand(FakeMessageWriter())
    cut(SnapshotStore.of(folder, "hash", state).folder, 90)
    base, writer = opened(folder, state), FakeMessageWriter()
    assert "1 damaged lines" in caplog.text
    assert sorted(finds(base, "pounds")) == ["card", "fee"]
    assert base.expand(writer) == 1
    assert writer.read == [ROOM]
    assert written(opened(folder, state)) == WRITTEN


def test_two_writers_share_the_languages(folder, state):
    (folder / "zimmer.md").write_text("---\nlang: zh\n---\n补卡收费二十元。")
    base = opened(folder, state)
    english, chinese = (FakeMessageWriter(name=lang, languages=[lang]) for lang in ("en", "zh"))
    assert (base.expand(english), base.expand(chinese)) == (3, 1)
    assert (base.expand(english), base.expand(chinese)) == (0, 0)
    assert chinese.read == ["补卡收费二十元。"]


def test_without_span_embedders_messages_are_kept_for_later(folder, state):
    base = KnowledgeBase.open(folder, HashEmbedder(), state)
    assert base.expand(FakeMessageWriter({CARD: ["card price"]})) == 3
    assert base.current().retrieve("card price", "en", top_k=1)[0].asked == 0.0
    assert finds(opened(folder, state), "card price") == ["card"]


def test_a_page_of_200_000_characters_is_expanded(tmp_path, state, monkeypatch):
    monkeypatch.setattr(knowledge_base, "SERVED_EVERY", 1000)
    docs = tmp_path / "docs"
    docs.mkdir()
    lines = (f"Rule {n} says that member {n} pays {n} pounds a year." for n in range(4000))
    text = "\n\n".join(lines)
    (docs / "rules.md").write_text(text[:200_000])
    base, writer = opened(docs, state), FakeMessageWriter()
    count = base.expand(writer)
    assert count == len(base.current().passages) > 150
    assert max(len(read.split()) for read in writer.read) <= MAX_WORDS
    assert base.expand(writer) == 0
    assert finds(base, "rule 12") == ["rules"]


def test_a_page_that_is_one_sentence_of_200_000_characters_is_expanded(tmp_path, state):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "endless.md").write_text("word " * 40_000)
    base = opened(docs, state)
    assert base.expand(FakeMessageWriter()) == 1
    assert written(opened(docs, state)) == {"endless": ("word word word word word",)}


def test_search_lists_what_was_written(folder, state, capsys, monkeypatch):
    monkeypatch.setattr("knowledge.models.model_files.open_embedder", lambda *_: HashEmbedder())
    monkeypatch.setattr("knowledge.models.model_files.open_span_embedders", lambda *_, **__: [])
    base = opened(folder, state)
    with pytest.raises(RuntimeError):
        base.expand(FakeMessageWriter({CARD: ["card price", "how much"]}, failing_after=2))
    options = ["--folder", str(folder), "--state", str(state)]
    assert search.main(["--expansions", *options]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 of 3 passages have expansions.",
        "", "card (en), Card", "  card price", "  how much",
        "", "fee (en), Fee",
        "", "room (en), Room",
    ]  # fmt: skip
    assert search.main(["--expansions", "--folder", str(folder / "none")]) == 1
    with pytest.raises(SystemExit, match="2"):
        search.main(options)
