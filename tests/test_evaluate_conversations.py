"""Conversations: read, played with the replies that were given, judged, and counted."""

import json
import shutil
from pathlib import Path

import pytest

from assistant.config import BANK, Settings
from assistant.messages import Action, Citation, Message, Reply
from tests.fakes import ScriptedAssistant
from tests.test_evaluate import judged, played
from tests.test_evaluate_customers import lines
from tuning.evaluate import __main__ as evaluate
from tuning.evaluate.conversation_sets import (
    Conversation,
    ConversationSet,
    Turn,
    conversation_set_names,
    load_conversation_sets,
)
from tuning.evaluate.conversation_tables import conversation_rows, conversation_tables, kind_rows
from tuning.evaluate.conversations import (
    JudgedTurn,
    Way,
    outcome_of,
    play_and_judge,
    play_conversations,
)
from tuning.evaluate.report import write_report
from tuning.question_sets import QuestionsError

FEES = Citation(1, "fees", "en", "Fees", "A new card costs £5.", 0, 20)


def reply(text="A new card costs £5.", action=Action.ANSWER, citations=(FEES,)):
    return Reply(text=text, action=action, reason="", language="en", citations=citations)


DECLINED = reply("I do not know.", Action.DECLINE, ())


def asked(expect="answer", kind="follow_up", **changed):
    values = {
        "question": "and a new one", "kind": kind, "expect": expect,
        "articles": "fees|cards" if expect == "answer" else "",
        "facts": ("£5",) if expect == "answer" else (), "forbidden": (),
        "alone": "What does a new card cost?",
    }  # fmt: skip
    return Turn(**{**values, **changed})


def conversation(*turns, articles=BANK, line=1):
    return Conversation("shop-talks", "en", line, articles, turns)


def turn(number=1, **changed):
    values = {
        "set": "shop-talks", "lang": "en", "strategy": "tuned", "line": 1, "number": number,
        "kind": "follow_up" if number else "first", "expected": "fees: £5", "question": "and now",
        "reply": "£5", "action": "answer", "outcome": "right", "unsupported": 0,
        "first_word": 0.5, "alone": "What now?", "alone_reply": "£5", "alone_outcome": "right",
    }  # fmt: skip
    if not number:
        values |= {"alone": "", "alone_reply": "", "alone_outcome": ""}
    return JudgedTurn(**{**values, **changed})


# Reading


def row(question="how much", expect="answer", **changed):
    answered = {"doc": "fees", "facts": ["£5"]} if expect == "answer" else {}
    return {"question": question, "kind": "first", "expect": expect, **answered, **changed}


@pytest.fixture
def customers(tmp_path):
    """A folder of customers' conversations: eight with the bank in each language, two elsewhere."""
    folder = tmp_path / "customers"
    for name, text in (
        ("plumtree-software", "# Fees\n\nA card costs £5."),
        ("haitun-gouwu", "# 费用\n\n新卡五镑。"),
    ):
        (folder / "companies" / name / "docs").mkdir(parents=True)
        (folder / "companies" / name / "docs" / "fees.md").write_text(text, "utf-8")
        talk = [row(name), row("ta", "small_talk", alone="thanks")]
        (folder / "companies" / name / "talks.jsonl").write_text(lines(talk, talk), "utf-8")
    for lang in ("en", "zh"):
        talks = [[row(f"{lang} {n}"), row("more")] for n in range(8)]
        (folder / f"bank_talks_{lang}.jsonl").write_text(lines(*talks), "utf-8")
    return folder


def test_the_projects_conversations_are_one_set_for_the_bank_and_one_for_companies():
    sets = {entry.name: entry for entry in load_conversation_sets()}
    assert list(sets) == [
        "lantern-en-talks",
        "companies-en-talks",
        "lantern-zh-talks",
        "companies-zh-talks",
    ]
    assert set(sets) == conversation_set_names()
    for name, entry in sets.items():
        assert len(entry.conversations) >= 20
        companies = {talk.articles for talk in entry.conversations}
        assert (companies == {BANK}) if name.startswith("lantern") else (len(companies) == 3)
        assert {talk.lang for talk in entry.conversations} == {entry.lang}
        later = [said for talk in entry.conversations for said in talk.turns[1:]]
        assert len(later) > 100
        assert all(said.alone != said.question for said in later if said.expect == "answer")


def test_of_customers_conversations_those_for_development_are_played(customers):
    english, chinese, software, shop = load_conversation_sets(None, customers)[4:]
    assert [talk.turns[0].question for talk in english.conversations] == ["en 3", "en 7"]
    assert [talk.line for talk in chinese.conversations] == [4, 8]
    assert (english.name, software.name) == (
        "lantern-en-customers-talks",
        "plumtree-software-talks",
    )
    assert [entry.lang for entry in (english, chinese, software, shop)] == ["en", "zh", "en", "zh"]
    assert [talk.line for talk in shop.conversations] == [1, 2]
    assert shop.conversations[0].articles == customers / "companies" / "haitun-gouwu" / "docs"
    first, later = software.conversations[0].turns
    assert (first.articles, first.facts, first.expected) == ("fees", ("£5",), "fees: £5")
    assert (later.expect, later.alone, later.expected) == ("small_talk", "thanks", "small_talk")


def test_sets_that_are_not_named_are_not_read(customers):
    (customers / "bank_talks_zh.jsonl").unlink()
    (only,) = load_conversation_sets(["lantern-en-customers-talks"], customers)
    assert only.name == "lantern-en-customers-talks"
    assert load_conversation_sets(["lantern-en"], customers) == []
    with pytest.raises(
        QuestionsError, match="bank_talks_zh.jsonl: expected conversations, found.*--no-conv"
    ):
        load_conversation_sets(None, customers)


@pytest.mark.parametrize(
    "wrong",
    ["{", "[]", "{}", '["how much"]', lines([row(expect="any")]), lines([{"question": "how much"}]),
     lines([row(company="nowhere")])],
)  # fmt: skip
def test_a_wrong_conversation_is_named_with_its_line(customers, wrong):
    file = customers / "companies" / "plumtree-software" / "talks.jsonl"
    file.write_text(lines([row()]) + wrong, "utf-8")
    if "nowhere" in wrong:
        shutil.rmtree(file.parent / "docs")
    with pytest.raises(QuestionsError, match="talks.jsonl:[12]: expected a list of turns"):
        load_conversation_sets(["plumtree-software-talks"], customers)


def test_a_file_without_development_conversations_is_an_error(customers):
    (customers / "bank_talks_en.jsonl").write_text(lines([row()]), "utf-8")
    with pytest.raises(
        QuestionsError, match="expected conversations of lantern-en-customers-talks"
    ):
        load_conversation_sets(["lantern-en-customers-talks"], customers)


# Judging

CLARIFIED = reply("Which one?", Action.CLARIFY, ())
HANDED_OVER = reply(action=Action.HANDOFF)
CHATTED = reply("You are welcome.", Action.SMALL_TALK, ())


@pytest.mark.parametrize(
    ("expected", "replied", "outcome"),
    [
        (asked(), reply(), "right"),
        (asked(), reply("It costs £6."), "answered wrongly"),
        (asked(), reply(citations=()), "answered wrongly"),
        (asked(articles=""), reply(citations=()), "right"),
        (asked(forbidden=("£5|five",)), reply(), "answered wrongly"),
        (asked(facts=()), reply("Anything."), "right"),
        (asked(), CLARIFIED, "asked back"),
        (asked(), DECLINED, "declined wrongly"),
        (asked(), HANDED_OVER, "declined wrongly"),
        (asked(), CHATTED, "declined wrongly"),
        (asked("clarify_or_answer", articles="fees", facts=("£5",)), CLARIFIED, "right"),
        (asked("clarify_or_answer", articles="fees", facts=("£5",)), reply(), "right"),
        (asked("clarify_or_answer", articles="fees", facts=("£6",)), reply(), "answered wrongly"),
        (asked("decline"), DECLINED, "right"),
        (asked("decline"), HANDED_OVER, "right"),
        (asked("decline"), reply(), "answered wrongly"),
        (asked("decline"), CLARIFIED, "asked back"),
        (asked("small_talk"), CHATTED, "right"),
        (asked("small_talk"), DECLINED, "declined wrongly"),
        (asked("handoff"), HANDED_OVER, "right"),
        (asked("handoff"), DECLINED, "declined wrongly"),
        (asked("handoff"), CLARIFIED, "asked back"),
        (asked("handoff"), reply(), "answered wrongly"),
    ],
)
def test_a_turn_is_judged_by_what_it_expects(expected, replied, outcome):
    assert outcome_of(expected, replied) == outcome


# Playing


def test_turns_get_the_replies_that_were_given_and_are_asked_once_more_alone():
    assistant = ScriptedAssistant([reply(), DECLINED, reply(), CHATTED])
    later = asked(question="and a new one")
    turns = conversation(
        asked(kind="first", question="hello"), later, asked("small_talk", question="ta")
    )
    first, second, third = play_and_judge(assistant, turns, "extractive")
    first_asked, second_asked, alone, third_asked, last = assistant.asked
    assert first_asked == ("hello", [], "extractive")
    before = [Message("user", "hello"), reply().message()]
    assert second_asked == ("and a new one", before, "extractive")
    assert alone == (later.alone, [], "extractive")
    assert third_asked[1] == [*before, Message("user", "and a new one"), DECLINED.message()]
    assert last[:2] == ("What does a new card cost?", [])
    assert [said.outcome for said in (first, second, third)] == [
        "right",
        "declined wrongly",
        "right",
    ]
    assert (first.alone, first.alone_outcome, first.is_later) == ("", "", False)
    assert (second.alone_outcome, second.alone_reply) == ("right", "A new card costs £5. [fees]")
    assert second.is_later
    assert (second.set, second.line, second.number, second.kind) == (
        "shop-talks",
        1,
        1,
        "follow_up",
    )
    assert first.first_word >= 0


def test_a_plain_history_keeps_role_and_text_and_alone_may_be_left_out():
    assistant = ScriptedAssistant([reply()])
    way = Way(plain_history=True, alone=False)
    _, later = play_and_judge(assistant, conversation(asked(), asked()), "tuned", way)
    assert len(assistant.asked) == 2
    assert assistant.asked[1][1][1] == Message("assistant", "A new card costs £5.")
    assert later.alone_outcome == later.alone == ""


def test_figures_without_support_are_counted():
    unsupported = ScriptedAssistant([reply("It costs £5, or £7 by courier.")])
    (only,) = play_and_judge(unsupported, conversation(asked()), "tuned")
    assert (only.unsupported, only.outcome) == (1, "right")


def test_a_set_opens_one_assistant_per_company(monkeypatch, tmp_path, capsys):
    """Conversations with the same company may stand apart in the file."""
    (tmp_path / "docs").mkdir()
    opened = []

    def open_assistant(settings):
        opened.append(settings.knowledge)
        return ScriptedAssistant([reply()])

    monkeypatch.setattr("assistant.assistant.Assistant.from_config", open_assistant)
    places = [BANK, tmp_path / "docs", BANK, BANK]
    talks = [conversation(asked(), asked(), articles=a, line=n) for n, a in enumerate(places, 1)]
    entry = ConversationSet("shop-talks", "en", talks)
    strategies = ["extractive", "tuned"]
    turns = play_conversations(entry, Settings(), strategies, limit=3)
    assert opened == [BANK, tmp_path / "docs"]
    # The fake has no generator, so it cannot word an answer.
    assert [(said.line, said.number) for said in turns] == [
        (1, 0),
        (1, 1),
        (3, 0),
        (3, 1),
        (2, 0),
        (2, 1),
    ]
    assert {said.strategy for said in turns} == {"extractive"}
    assert "shop-talks: 100%" in capsys.readouterr().err


# Counting


def test_later_turns_are_counted_by_set_beside_the_same_alone():
    group = [turn(0, first_word=0.25), turn(0, outcome="asked back", first_word=0.25)]
    group += [turn()] * 3 + [turn(outcome="answered wrongly", first_word=2.0)] * 5
    group += [turn(outcome="asked back", alone_outcome="answered wrongly")]
    group += [turn(outcome="declined wrongly", alone_outcome="asked back")]
    (cells,) = conversation_rows([*group, turn(0, set="only-first")])
    assert cells["later turns"] == 10
    assert [cells[name].value for name in ("right", "answered wrongly", "asked back")] == [
        0.3,
        0.5,
        0.1,
    ]
    assert [cells[f"{name} alone"].value for name in ("right", "answered wrongly")] == [0.8, 0.1]
    assert str(cells["right"]) == "30% (11%–60%)"
    assert cells["right / right alone"] == pytest.approx(0.375)
    assert (cells["first word s"], cells["of a first turn s"]) == ("1.25", "0.25")


@pytest.mark.parametrize("alone", ["asked back", ""])
def test_there_is_no_ratio_if_nothing_came_out_right_alone_or_nothing_was_asked(alone):
    (cells,) = conversation_rows([turn(alone_outcome=alone)])
    assert cells["right / right alone"] == "–"
    assert str(cells["right alone"]) == ("0% (0%–79%)" if alone else "–")
    assert cells["of a first turn s"] == "–"


def test_kinds_are_counted_by_language_over_all_sets():
    group = [turn(0), turn(), turn(set="other"), turn(set="other", outcome="asked back")]
    group += [
        turn(kind="change", lang="zh", outcome="answered wrongly", alone_outcome="asked back")
    ]
    follow_up, first, change = kind_rows(group)
    assert (follow_up["language"], follow_up["kind"], follow_up["turns"]) == ("en", "follow_up", 3)
    assert follow_up["right"].value == pytest.approx(2 / 3)
    assert follow_up["asked back"].value == pytest.approx(1 / 3)
    assert (first["kind"], first["right alone"]) == ("first", "–")
    assert (change["language"], change["answered wrongly"].value) == ("zh", 1)
    assert change["right alone"].value == 0


def test_strategies_are_counted_apart():
    rows = conversation_rows([turn(), turn(strategy="extractive", outcome="asked back")])
    assert [(cells["strategy"], cells["right"].value) for cells in rows] == [
        ("tuned", 1),
        ("extractive", 0),
    ]
    assert len(kind_rows([turn(), turn(strategy="extractive")])) == 2


def test_tables_page_and_file_hold_the_conversations(tmp_path):
    turns = [turn(0), turn(), turn(outcome="asked back")]
    by_set, by_kind = conversation_tables(turns)
    assert "| shop-talks | tuned | 2 | 50% (9%–91%) | 0% (0%–66%) | 50% (9%–91%) | 100%" in by_set
    assert by_set.endswith("| 50% | 0.50 | 0.50 |")
    assert "| en | tuned | follow_up | 2 | 50%" in by_kind
    write_report([judged()], [played()], tmp_path, turns)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<h2>Later turns of conversations</h2>" in page
    assert "<h2>Turns of conversations by kind</h2>" in page
    stored = json.loads((tmp_path / "evaluation.json").read_text("utf-8"))
    assert stored["conversations"][0]["right"][0] == 0.5
    assert [cells["kind"] for cells in stored["kinds"]] == ["follow_up", "first"]
    assert stored["turns"][2]["outcome"] == "asked back"


def test_without_conversations_there_is_no_table_of_them(tmp_path):
    assert conversation_tables([]) == ["", ""]
    write_report([judged()], [], tmp_path)
    assert "conversations</h2>" not in (tmp_path / "report.html").read_text("utf-8")


# The command


@pytest.fixture
def calls(monkeypatch):
    """What the command asks and plays, without an assistant."""
    found = []

    def asks(questions, *_):
        found.append(("questions", questions.name))
        return [judged()]

    def plays(conversations, settings, strategies, limit, way):
        found.append((conversations.name, limit, way))
        return [turn(set=conversations.name)]

    def plays_dialogues(*_, plain_history):
        found.append(("dialogues", plain_history))
        return []

    monkeypatch.setattr(evaluate, "evaluate", asks)
    monkeypatch.setattr("tuning.evaluate.conversations.play_conversations", plays)
    monkeypatch.setattr("tuning.evaluate.played_dialogues.play", plays_dialogues)
    monkeypatch.setattr("assistant.assistant.Assistant.from_config", lambda _: None)
    return found


def test_the_command_plays_every_set_in_the_way_that_was_given(calls, tmp_path, capsys):
    out = ["--out", str(tmp_path)]
    assert evaluate.main(["--limit", "2", "--plain-history", *out]) == 0
    talks = [call for call in calls if call[0].endswith("-talks")]
    assert talks == [(name, 2, Way(plain_history=True)) for name in (
        "lantern-en-talks", "companies-en-talks", "lantern-zh-talks", "companies-zh-talks"
    )]  # fmt: skip
    assert calls[-1] == ("dialogues", True)
    assert "| lantern-zh-talks | tuned | 1 | 100% (21%–100%) |" in capsys.readouterr().out


def test_the_command_leaves_conversations_out(calls, tmp_path, capsys):
    assert evaluate.main(["--no-conversations", "--out", str(tmp_path)]) == 0
    assert not [call for call in calls if call[0].endswith("-talks")]
    assert calls[-1] == ("dialogues", False)
    assert "talks" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["companies-zh-talks"], [("companies-zh-talks", None, Way())]),
        (["lantern-en"], [("questions", "lantern-en")]),
    ],
)
def test_sets_of_either_kind_are_named(calls, tmp_path, names, found):
    assert evaluate.main(["--sets", *names, "--out", str(tmp_path)]) == 0
    assert calls == found
    assert Path(tmp_path, "report.html").is_file()


def test_a_set_of_conversations_is_unknown_where_none_are_played(calls, capsys):
    assert evaluate.main(["--sets", "lantern-en-talks", "--no-conversations"]) == 2
    assert "Expected question sets among" in capsys.readouterr().err
    assert calls == []
