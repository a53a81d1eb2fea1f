"""Generations on disk are complete or absent, and only what changed is encoded again."""

import dataclasses
import datetime as dt
import errno
import os
import shutil
import subprocess
import sys
import time

import pytest

from knowledge.build_index import build
from knowledge.errors import IndexMismatchError, KnowledgeFolderError
from knowledge.knowledge_base import KnowledgeBase
from knowledge.retrieval import snapshot_files, snapshot_store
from knowledge.retrieval.snapshot import Snapshot
from knowledge.retrieval.snapshot_store import SnapshotStore
from tests.conftest import ROOT
from tests.fakes import CountingSpanEmbedder, HashEmbedder

TODAY = dt.date(2026, 6, 1)


class CountingEmbedder(HashEmbedder):
    """Records the passages that it encoded."""

    def __init__(self):
        self.passages = []

    def encode_passages(self, texts):
        self.passages += texts
        return super().encode_passages(texts)


@pytest.fixture
def folder(tmp_path):
    """Two articles, one with another version for next year."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "card.md").write_text("A card costs five pounds.")
    (docs / "fee.md").write_text("---\nid: fee\nvalid_to: 2026-12-31\n---\nThe fee is two pounds.")
    (docs / "fee.2027.md").write_text("---\nid: fee\nvalid_from: 2027-01-01\n---\nThe fee is gone.")
    return docs


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def texts(snapshot):
    return [passage.text for passage in snapshot.passages]


def test_only_what_changed_is_encoded_again(folder, state):
    embedder = CountingEmbedder()
    first = build(folder, embedder, state, today=TODAY)
    assert (len(embedder.passages), first.embedded, first.published) == (2, 2, True)
    again = build(folder, embedder, state, today=TODAY)
    assert (len(embedder.passages), again.embedded, again.published) == (2, 0, False)
    (folder / "card.md").write_text("A card costs six pounds.")
    (folder / "new.md").write_text("Something new.")
    changed = build(folder, embedder, state, today=TODAY)
    assert changed.embedded == 2
    assert texts(changed.snapshot) == [
        "A card costs six pounds.", "The fee is two pounds.", "Something new.",
    ]  # fmt: skip
    # Reused vectors are still those of their own passages.
    for row, passage in enumerate(changed.snapshot.passages):
        expected = embedder.encode_queries([f"{passage.name}. {passage.text}"])
        assert (changed.snapshot.index.vectors([row]) == expected).all()


def test_a_removed_article_is_gone_after_the_next_build(folder, state):
    build(folder, HashEmbedder(), state, today=TODAY)
    (folder / "card.md").unlink()
    done = build(folder, HashEmbedder(), state, today=TODAY)
    assert (texts(done.snapshot), done.embedded) == (["The fee is two pounds."], 0)


def test_only_todays_version_is_searched(folder, state):
    next_year = build(folder, HashEmbedder(), state, today=dt.date(2027, 1, 1)).snapshot
    assert texts(next_year) == ["A card costs five pounds.", "The fee is gone."]
    assert next_year.is_current(dt.date(2028, 1, 1))
    assert not next_year.is_current(dt.date(2026, 12, 31))


def test_a_changed_calibration_is_published_without_encoding(folder, state, tmp_path):
    embedder = CountingEmbedder()
    first = build(folder, embedder, state, today=TODAY)
    (folder / "weights").mkdir()
    other = dataclasses.replace(first.snapshot.calibration, embedder="other")
    other.save(folder / "weights" / "calibration.json")
    second = build(folder, embedder, state, today=TODAY)
    assert second.published
    assert second.embedded == 0
    assert second.snapshot.calibration.embedder == "other"


def test_a_changed_message_is_published_without_encoding(folder, state):
    """Messages are no part of the passages; what is loaded has them as they were written."""
    build(folder, HashEmbedder(), state, today=TODAY)
    text = "---\nquestions:\n- how much\n- 多少钱\n---\nA card costs five pounds."
    (folder / "card.md").write_text(text)
    second = build(folder, HashEmbedder(), state, today=TODAY)
    assert (second.published, second.embedded) == (True, 0)
    loaded = SnapshotStore.of(folder, "hash", state).load("hash")
    questions = {article.id: article.questions for article in loaded.articles}
    assert questions == {"card": ("how much", "多少钱"), "fee": ()}
    assert not build(folder, HashEmbedder(), state, today=TODAY).published


def test_two_generations_are_kept(folder, state):
    for number in range(4):
        (folder / "card.md").write_text(f"Version {number}.")
        build(folder, HashEmbedder(), state, today=TODAY)
    store = SnapshotStore.of(folder, "hash", state)
    assert store.current() == "g000004"
    assert sorted(path.name for path in store.folder.glob("g*")) == ["g000003", "g000004"]


FILES = ["index.faiss", "passages.jsonl", "articles.jsonl", "calibration.json", "manifest.json"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["flipped", "truncated", "missing"])
def test_damage_is_detected_and_the_previous_generation_serves(folder, state, name, how):
    """Faiss loads some flipped bits without an error and then ranks differently."""
    build(folder, HashEmbedder(), state, today=TODAY)
    (folder / "card.md").write_text("Changed.")
    build(folder, HashEmbedder(), state, today=TODAY)
    store = SnapshotStore.of(folder, "hash", state)
    path = store.folder / "g000002" / name
    content = bytearray(path.read_bytes())
    if how == "missing":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    loaded = store.load("hash")
    assert loaded.generation == "g000001"
    assert "A card costs five pounds." in texts(loaded)
    # The next build repairs it.
    assert "Changed." in texts(build(folder, HashEmbedder(), state, today=TODAY).snapshot)


def test_every_single_flipped_bit_is_detected(folder, state):
    build(folder, HashEmbedder(), state, today=TODAY)
    store = SnapshotStore.of(folder, "hash", state)
    for name in FILES:
        path = store.folder / "g000001" / name
        content = path.read_bytes()
        for at in range(0, len(content), max(1, len(content) // 40)):
            damaged = bytearray(content)
            damaged[at] ^= 1 << (at % 8)
            path.write_bytes(damaged)
            with pytest.raises(IndexMismatchError):
                store.load("hash")
        path.write_bytes(content)
    assert store.load("hash").generation == "g000001"


def test_a_full_disk_leaves_the_old_generation(folder, state, monkeypatch):
    build(folder, HashEmbedder(), state, today=TODAY)
    (folder / "card.md").write_text("Changed.")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    store = SnapshotStore.of(folder, "hash", state)
    for module, step in (
        (snapshot_files, "_write_lines"),
        (snapshot_files, "force_to_disk"),
        (snapshot_store, "_point"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(module, step, full)
            with pytest.raises(OSError, match="No space left"):
                build(folder, HashEmbedder(), state, today=TODAY)
        assert not list(store.folder.glob(".building-*"))
        assert store.current() == "g000001"
        assert "A card costs five pounds." in texts(store.load("hash"))
    assert "Changed." in texts(build(folder, HashEmbedder(), state, today=TODAY).snapshot)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the machine has no /dev/full")
def test_a_really_full_disk_is_an_error_and_leaves_no_partial_file(folder, state, monkeypatch):
    """Writing to /dev/full fails as late as writing to a full disk."""
    build(folder, HashEmbedder(), state, today=TODAY)
    (folder / "card.md").write_text("Changed.")
    monkeypatch.setattr(
        snapshot_files.FaissIndex,
        "save",
        lambda _self, at: (at / "index.faiss").symlink_to("/dev/full"),
    )
    write = snapshot_files._write_lines

    def write_to_full(path, rows):
        path.symlink_to("/dev/full")
        write(path, rows)

    monkeypatch.setattr(snapshot_files, "_write_lines", write_to_full)
    with pytest.raises(OSError, match="No space left on device"):
        build(folder, HashEmbedder(), state, today=TODAY)
    assert SnapshotStore.of(folder, "hash", state).current() == "g000001"


KILLED = """
import sys, datetime as dt
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.fakes import HashEmbedder
from knowledge.build_index import build
number = 0
while True:
    number += 1
    Path({folder!r}, "card.md").write_text(f"Version {{number}} " + "word " * 2000)
    build(Path({folder!r}), HashEmbedder(), Path({state!r}), today=dt.date(2026, 6, 1))
    print(number, flush=True)
"""


def test_killed_builds_never_leave_a_broken_index(folder, state, tmp_path):
    """Builds are killed at various moments; the index stays intact and the next build succeeds."""
    build(folder, HashEmbedder(), state, today=TODAY)
    script = tmp_path / "builds.py"
    script.write_text(KILLED.format(root=str(ROOT), folder=str(folder), state=str(state)))
    store = SnapshotStore.of(folder, "hash", state)
    for moment in range(6):
        process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(0.013 * moment)
        process.kill()
        process.wait()
        loaded = store.load("hash")
        assert loaded.generation == store.current()
        assert len(loaded.passages) >= 2
    build(folder, HashEmbedder(), state, today=TODAY)
    assert not list(store.folder.glob(".building-*"))


def test_a_serving_assistant_switches_to_the_new_generation(folder, state):
    embedder = HashEmbedder()
    base = KnowledgeBase.open(folder, embedder, state)
    before = base.current()
    assert base.current() is before
    (folder / "card.md").write_text("A card costs nothing now.")
    build(folder, embedder, state)
    after = base.current()
    assert after is not before
    assert "A card costs nothing now." in texts(after.snapshot)
    # A retriever that is in use keeps the old text.
    assert "A card costs five pounds." in texts(before.snapshot)


def test_after_a_switch_the_span_embedder_has_read_the_new_passages(folder, state):
    """And no passage twice: their vectors lie next to the index."""
    spans = CountingSpanEmbedder()
    base = KnowledgeBase.open(folder, HashEmbedder(), state, span_embedders=[spans])
    assert spans.read == ["A card costs five pounds.", "The fee is two pounds."]
    (folder / "card.md").write_text("A card costs nothing now.")
    build(folder, HashEmbedder(), state)
    (hit,) = base.current().retrieve("costs nothing", "en", top_k=1)
    assert hit.passage.text == "A card costs nothing now."
    assert len(hit.sentences) == 1
    assert spans.read[2:] == ["A card costs nothing now."]
    KnowledgeBase.open(folder, HashEmbedder(), state, span_embedders=[spans])
    assert len(spans.read) == 3
    assert SnapshotStore.of(folder, "hash", state).current() == "g000002"


def test_a_damaged_generation_does_not_reach_a_serving_assistant(folder, state, caplog):
    embedder = HashEmbedder()
    base = KnowledgeBase.open(folder, embedder, state)
    before = base.current()
    (folder / "card.md").write_text("Changed.")
    build(folder, embedder, state)
    store = SnapshotStore.of(folder, "hash", state)
    (store.folder / "g000002" / "passages.jsonl").write_text("{}")
    assert base.current() is before
    shutil.rmtree(store.folder / "g000001")
    assert base.current() is before
    # Loading is tried once, not at every message.
    assert len(caplog.records) <= 1


def test_an_article_that_expires_today_is_gone_tomorrow(folder, state, monkeypatch):
    """The assistant renews its index when the day changes, without a build command."""

    class Clock(dt.date):
        day = dt.date(2026, 12, 31)

        @classmethod
        def today(cls):
            return cls.day

    monkeypatch.setattr("knowledge.knowledge_base.dt.date", Clock)
    monkeypatch.setattr("knowledge.build_index.dt.date", Clock)
    base = KnowledgeBase.open(folder, HashEmbedder(), state)
    assert "The fee is two pounds." in texts(base.current().snapshot)
    Clock.day = dt.date(2027, 1, 1)
    assert "The fee is gone." in texts(base.current().snapshot)


def test_a_failed_renewal_is_not_retried_at_every_message(folder, state, monkeypatch, caplog):
    base = KnowledgeBase.open(folder, HashEmbedder(), state)
    before = base.current()
    caplog.clear()
    for path in folder.iterdir():
        path.unlink()
    monkeypatch.setattr(Snapshot, "is_current", lambda _self, _day: False)
    assert [base.current() for _ in range(3)] == [before] * 3
    assert len(caplog.records) == 1
    later = time.monotonic() + 61
    monkeypatch.setattr("knowledge.knowledge_base.time.monotonic", lambda: later)
    base.current()
    assert len(caplog.records) == 2


def test_an_index_of_another_format_is_refused_and_rebuilt(folder, state, monkeypatch, capsys):
    """As after an update that changed what is stored."""
    with monkeypatch.context() as before:
        before.setattr(snapshot_files, "FORMAT", snapshot_files.FORMAT - 1)
        build(folder, HashEmbedder(), state, today=TODAY)
    expected = "Expected an index of format 7 in .*, found format 6, which another version of"
    with pytest.raises(IndexMismatchError, match=f"{expected}.*Rebuild it with"):
        SnapshotStore.of(folder, "hash", state).load("hash")
    rebuilt = build(folder, HashEmbedder(), state, today=TODAY)
    assert (rebuilt.published, rebuilt.embedded) == (True, 2)
    assert capsys.readouterr().err.endswith(
        "another version of Frontdesk wrote. Rebuilding it now.\n"
    )


def test_another_embedder_and_a_missing_index_are_errors_that_name_the_command_to_rebuild(
    folder, state
):
    store = build(folder, HashEmbedder(), state) and SnapshotStore.of(folder, "hash", state)
    with pytest.raises(
        IndexMismatchError, match="was built with hash, but .* with other. Rebuild it"
    ):
        store.load("other")
    empty = SnapshotStore(state / "none")
    with pytest.raises(IndexMismatchError, match="found none. Rebuild it with"):
        empty.load("hash")
    assert empty.current() is None


def test_a_folder_that_became_empty_keeps_the_old_index(folder, state):
    build(folder, HashEmbedder(), state)
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(KnowledgeFolderError, match="found none"):
        build(folder, HashEmbedder(), state)
    assert SnapshotStore.of(folder, "hash", state).load("hash").passages
