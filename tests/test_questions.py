"""What a message asks: rows of the training, cuts between questions, the shipped weights."""

import itertools
import json

import pytest

from assistant.intents.question_reader import (
    LABELS,
    SHAPES,
    QuestionReader,
    parts_of,
    sides_of,
    starts_of,
    text_of,
    unread,
)
from assistant.message.courtesies import unjoined
from knowledge.segmenter import Span
from tests.conftest import STATE
from tests.fakes import HashEmbedder
from tuning.questions import __main__ as questions_command
from tuning.questions import rows as rows_module
from tuning.questions.rows import cuts_of, marked, question_rows


def pieces(text, parts):
    places = [0, *cuts_of(text, parts), len(text)]
    return [text[start:end].strip() for start, end in itertools.pairwise(places)]


@pytest.mark.parametrize(
    ("text", "parts", "found"),
    [
        ("whats the fee how long does it take", ["whats the fee", "how long does a transfer take"], ["whats the fee", "how long does it take"]),
        ("what's the rate on the saver and can i miss a month", ["what's the rate on the saver", "can i miss a month of the saver"], ["what's the rate on the saver and", "can i miss a month"]),
        ("卡丢了，顺便问下怎么改手机号", ["卡丢了", "怎么改手机号"], ["卡丢了，", "顺便问下怎么改手机号"]),
        ("a? b? c?", ["a", "b", "c"], ["a?", "b?", "c?"]),
        ("one question, two halves", [], ["one question, two halves"]),
    ],
)  # fmt: skip
def test_a_message_is_cut_where_its_next_question_begins(text, parts, found):
    assert pieces(text, parts) == found


def test_fewer_words_than_parts_are_named():
    with pytest.raises(ValueError, match="at least 2 words"):
        cuts_of("fee", ["fee", "time"])


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        ("and how long does it take?", "how long does it take?"),
        ("has it been approved yet and", "has it been approved yet"),
        ("Oh, and also where do bikes go.", "where do bikes go"),
        ("how much is sand", "how much is sand"),
        ("密码忘了咋重置。另外", "密码忘了咋重置"),
        ("顺便问一下停车要钱不", "停车要钱不"),
        ("还钱怎么还", "还钱怎么还"),
        ("and", "and"),
    ],
)
def test_a_question_is_freed_from_what_joins_it(question, alone):
    assert unjoined(question) == alone


@pytest.mark.parametrize(
    ("text", "likely", "found"),
    [
        ("standard or Plus", "1111111100001111", ["standard", "Plus"]),
        # Pieces of one name, a single letter, one name alone, the same name twice, four names.
        ("打欧元去法国和打美元", "1110110111", ["打欧元去法国", "打美元"]),
        ("a card or a spare", "10111100001111111", ["a card", "a spare"]),
        ("only Plus", "000001111", []),
        ("Plus or plus", "111100001111", []),
        ("ab or cd or ef or gh", "11000011000011000011", []),
    ],
)
def test_names_of_what_is_compared(text, likely, found):
    tokens = [(float(mark), Span(n, n + 1)) for n, mark in enumerate(likely[: len(text)])]
    assert [side.of(text) for side in sides_of(text, tokens)] == found


def test_a_side_is_marked_after_the_one_before_it():
    text = "gold or gold plus"
    assert [s.start for s in marked(text, ["gold", "gold plus"])] == [0, 8]
    with pytest.raises(ValueError, match="expected 'silver'"):
        marked(text, ["gold", "silver"])


def test_parts_are_cut_where_it_is_likely():
    text = "fee? and time? and place?"
    cuts = [(0.9, 0), (0.8, 9), (0.3, 5), (0.7, 19)]
    assert parts_of(text, 0.9, cuts) == [Span(0, 9), Span(9, 19), Span(19, len(text))]
    assert parts_of(text, 0.2, cuts) == [Span(0, len(text))]
    likeliest = [(0.9, 0), (0.1, 5), (0.2, 9)]
    assert parts_of(text, 0.9, likeliest) == [Span(0, 9), Span(9, len(text))]
    assert parts_of("fee", 0.9, [(0.9, 0)]) == [Span(0, 3)]


def test_an_unread_message_asks_one_thing():
    asked = unread("fee?")
    assert (asked.account, asked.parts) == (0.0, [Span(0, 4)])
    assert asked.shapes["other"] == 1


def test_words_begin_questions_and_their_second_tokens_do_not(embedder):
    tokenizer = QuestionReader.open(embedder).network.tokenizer
    text = "what about my overdraft 和手机号"
    places = [place for _, place in starts_of(tokenizer, text_of(tokenizer, text))]
    assert {0, 5, 11, 14} <= set(places)
    assert 16 not in places, "inside a word"


def test_rows_of_both_parts_are_apart():
    train, dev = ({row.text.casefold() for row in question_rows(part)} for part in ("train", "dev"))
    assert len(train) > 1900
    assert len(dev) > 900
    assert not train & dev


def test_an_unknown_shape_is_named(tmp_path, monkeypatch):
    row = {"text": "a", "shape": "round", "account": False, "parts": []}
    (tmp_path / "questions.en.jsonl").write_text(json.dumps(row) + "\n")
    monkeypatch.setattr(rows_module, "DATA", tmp_path)
    with pytest.raises(ValueError, match="round"):
        question_rows("train")


@pytest.fixture(scope="module")
def shipped(embedder):
    return QuestionReader.open(embedder)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("is it free to pay in a cheque?", "yes_no"),
        ("how much can I send abroad", "figure"),
        ("how do I change my PIN", "how"),
        ("存支票收费吗", "yes_no"),
        ("跨境汇款多久能到", "when"),
        ("怎么改手机号", "how"),
    ],
)
def test_the_form_of_a_question_is_told(shipped, text, shape):
    shapes = shipped.read(text).shapes
    assert max(shapes, key=shapes.__getitem__) == shape


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("how much can I send abroad in one go, and how long does it take?", "how long"),
        ("卡丢了，顺便问下怎么改手机号", "怎么改"),
    ],
)
def test_two_questions_are_read_as_two(shipped, text, second):
    _, part = shipped.read(text).parts
    assert second in part.of(text)


@pytest.mark.parametrize(
    "text",
    [
        "my card was stolen on the bus and I need a new one, how much is it?",
        "does it work in Spain and France",
        "我16岁，想开个户，行吗",
    ],
)
def test_one_question_stays_one(shipped, text):
    assert len(shipped.read(text).parts) == 1


@pytest.mark.parametrize(
    ("text", "is_own"),
    [
        ("has my refund arrived?", True),
        ("我的工资到了吗", True),
        ("how do I see my balance", False),
        ("工资一般几点到账", False),
    ],
)
def test_what_only_an_account_can_tell(shipped, text, is_own):
    assert (shipped.read(text).account >= 0.5) == is_own


def test_for_another_embedder_there_are_no_weights():
    assert QuestionReader.open(HashEmbedder()) is None


@pytest.mark.slow
def test_the_command_writes_weights_that_serve(tmp_path, monkeypatch, embedder, capsys):
    rows = question_rows("train")
    few = [next(row for row in rows if row.shape == shape) for shape in SHAPES]
    few += [row for row in rows if row.cuts][:4] + [row for row in rows if row.account][:2]
    monkeypatch.setattr(rows_module, "question_rows", lambda _part: few)
    output = tmp_path / "questions"
    arguments = ["--config", "tuning/configs/questions.yaml", "--output", str(output)]
    arguments += ["--max-steps", "2", "--state", str(STATE)]
    assert questions_command.main(arguments) == 0
    reader = QuestionReader.open(embedder, output)
    assert set(reader.network.facts["labels"]) == set(LABELS)
    assert sum(reader.read("hello").shapes.values()) == pytest.approx(1, abs=1e-6)
    assert "| split rightly |" in (output / "README.md").read_text()
    assert "en: messages" in capsys.readouterr().out
