"""What a later message does, whatever it is about: the shipped weights, and the training."""

import json

import numpy as np
import pytest

from assistant.errors import IntentsError
from assistant.intents import turn_kinds as kinds_of_turns
from assistant.intents.turn_kinds import ASKS, KINDS, WEIGHTS, TurnKinds
from knowledge.models import model_files
from tests.fakes import HashEmbedder
from tuning import customer_talks, turn_kinds
from tuning.customer_messages import HelpCentre
from tuning.customer_talks import Talks, turns_of

CLEAR = (
    ("great, thanks a lot", "closing"),
    ("ok that's all, bye", "closing"),
    ("can i talk to a real person please", "person"),
    ("put me through to a human", "person"),
    ("and how much is the express delivery?", "asks"),
    ("what documents do i need for that", "asks"),
    ("谢谢你 没别的事了", "closing"),
    ("好的明白了 多谢", "closing"),
    ("转人工", "person"),
    ("我要跟真人客服说话", "person"),
    ("那寄到国外要多少钱？", "asks"),
    ("需要带什么证件", "asks"),
)


@pytest.fixture(scope="module")
def shipped(embedder):
    return TurnKinds.open(embedder)


@pytest.mark.parametrize(("text", "kind"), CLEAR)
def test_a_clear_message_is_of_its_kind(shipped, embedder, text, kind):
    found = shipped.predict(text, embedder.encode_queries([text])[0])
    assert max(found, key=found.get) == kind
    assert found[kind] > 0.5


def test_the_probabilities_of_all_kinds_add_up_to_one(shipped, embedder):
    for text in ("thanks", "没懂", "🙏", "?"):
        found = shipped.predict(text, embedder.encode_queries([text])[0])
        assert set(found) == set(KINDS)
        assert sum(found.values()) == pytest.approx(1, abs=1e-4)


def test_a_message_of_which_nothing_is_known_asks():
    assert set(ASKS) == set(KINDS)
    assert max(ASKS, key=ASKS.get) == "asks"
    assert sum(ASKS.values()) == 1


def test_for_another_embedder_there_are_no_weights():
    assert TurnKinds.open(HashEmbedder()) is None


def test_damaged_weights_are_named(tmp_path, monkeypatch, embedder):
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    monkeypatch.setattr(kinds_of_turns, "WEIGHTS", tmp_path)
    with pytest.raises(IntentsError, match="expected the files of a classifier"):
        TurnKinds.open(embedder)


def test_without_weights_there_are_none(tmp_path, monkeypatch):
    monkeypatch.setattr(kinds_of_turns, "WEIGHTS", tmp_path)
    assert TurnKinds.open(HashEmbedder()) is None


def test_the_card_tells_of_every_kind_in_both_languages():
    card = (WEIGHTS / "README.md").read_text(encoding="utf-8")
    for lang in ("en", "zh"):
        for kind in KINDS:
            assert f"| {lang} | {kind} | " in card
    assert sum(file.stat().st_size for file in WEIGHTS.iterdir()) < 1_000_000


WRITTEN = {
    "en": {
        "closing": ["thanks bye", "cheers bye"],
        "person": ["a human please", "a human now"],
        "asks": ["what does it cost", "when does it open"],
        "pushback": ["that is wrong", "wrong again"],
        "correction": ["no i meant mine", "i meant two"],
        "confirm": ["so it is free?", "so it is open?"],
    },
    "zh": {"closing": ["谢谢 再见"], "person": ["转 人工"], "asks": ["多少 钱"]},
}
SAID = {
    "first": ("when do rooms open", "answer"),
    "follow_up": ("what does that cost", "answer"),
    "small_talk": ("bye", "small_talk"),
    "person": ("human", "handoff"),
    "pushback": ("wrong", "answer"),
    "correction": ("i meant three", "answer"),
    "confirm": ("so it is shut?", "answer"),
}


def talk(**changed):
    rows = [
        {"question": text, "kind": kind, "expect": expect}
        for kind, (text, expect) in {**SAID, **changed}.items()
    ]
    return turns_of(rows)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Write a few messages of each kind; return the folder that the weights are written to."""
    for lang, by_kind in WRITTEN.items():
        rows = [{"text": t, "kind": kind} for kind, listed in by_kind.items() for t in listed]
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        (tmp_path / f"turn_kinds.{lang}.jsonl").write_text(lines, "utf-8")

    def talks(part, lang):
        foreign = talk(follow_up=("zebra crossing", "answer"))
        return [
            Talks(HelpCentre("shop", lang, (), ()), [talk()]),
            Talks(HelpCentre("theirs", lang, (), ()), [foreign], own=False),
        ]

    monkeypatch.setattr(turn_kinds, "DATA", tmp_path)
    monkeypatch.setattr(customer_talks, "talks_of", talks)
    monkeypatch.setattr(model_files, "open_embedder", lambda model, state: HashEmbedder())
    return tmp_path / "out"


def test_the_command_writes_weights_that_are_opened_and_a_card(small, monkeypatch, capsys):
    assert turn_kinds.main(["--output", str(small)]) == 0
    monkeypatch.setattr(kinds_of_turns, "WEIGHTS", small)
    found = TurnKinds.open(HashEmbedder())
    for kind, listed in WRITTEN["en"].items():
        vectors = HashEmbedder().encode_queries(listed)
        for text, vector in zip(listed, vectors, strict=True):
            scores = found.predict(text, vector)
            assert max(scores, key=scores.get) == kind, text
    # 12 + 3 messages and six later turns of its own in each language.
    assert "Trained on 27 messages" in (small / "README.md").read_text("utf-8")
    assert "en closing: messages 2, found" in capsys.readouterr().out


def test_other_peoples_messages_and_first_ones_do_not_train(small):
    """The weights hold words of what trained them."""
    assert turn_kinds.main(["--output", str(small)]) == 0
    terms = json.loads((small / "labels.json").read_text("utf-8"))["terms"]
    assert any("shut" in term for term in terms), "the later turns of this project do"
    assert not any("zebra" in term for term in terms)
    assert not any("rooms" in term for term in terms)


def test_the_kinds_of_written_conversations_have_the_names_of_the_weights():
    assert set(turn_kinds.NAMES.values()) | {"asks"} == set(KINDS)
    for lang in ("en", "zh"):
        assert {kind for _, kind in turn_kinds._written(lang)} <= set(KINDS)


def test_what_is_counted_of_a_kind():
    known = np.array([True, True, False, False])
    predicted = np.array([True, False, True, False])
    sure = np.array([True, False, False, False])
    assert turn_kinds._row(known, predicted, sure) == {
        "messages": 2,
        "found": 1,
        "predicted": 2,
        "sure": 1,
        "surely right": 1,
    }


def test_data_that_is_missing_is_named(small, capsys):
    (small.parent / "turn_kinds.zh.jsonl").unlink()
    assert turn_kinds.main(["--output", str(small)]) == 1
    assert "turn_kinds.zh.jsonl" in capsys.readouterr().err
    assert not small.exists()
