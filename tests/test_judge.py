"""What a fine-tuned generator's decline is worth: cuts from data, routes from cuts."""

import json

import pytest

from assistant.adapters import DOUBTS, Doubts, doubts_of
from assistant.assistant import Assistant
from assistant.messages import Action, Message
from assistant.prompts import PromptTemplate
from tests.fakes import ScriptedGenerator
from tuning.answerability import Read, main, measured

FEE = "How much does a replacement card cost?"
DECLINE = PromptTemplate.load("answer_tuned", "en").decline


@pytest.fixture
def doubting(parts):
    def build(doubt: float | None) -> tuple[Assistant, ScriptedGenerator]:
        generator = ScriptedGenerator("unused", doubt=doubt)
        return Assistant(**parts, generator=generator, strategy="judged"), generator

    return build


def test_sentences_stand_as_written_where_the_judge_has_no_doubt(doubting):
    assistant, generator = doubting(-5.0)
    reply = assistant.reply(FEE)
    assert (reply.action, reply.strategy, reply.generator) == (Action.ANSWER, "judged", None)
    assert "£5" in reply.text
    assert generator.asked == [], "nothing is generated"
    ((prompt, judged),) = generator.weighed
    assert judged == DECLINE
    assert "£5" in prompt[-1]["content"]


def test_a_likely_decline_is_one(doubting):
    reply = doubting(-0.1)[0].reply(FEE)
    assert (reply.action, reply.reason, reply.citations) == (Action.DECLINE, "not_found", ())


def test_a_generator_that_does_not_tell_changes_nothing(doubting):
    assistant, _ = doubting(None)
    judged = assistant.reply(FEE)
    written = assistant.reply(FEE, strategy="extractive")
    assert (judged.text, judged.citations) == (written.text, written.citations)


def test_what_the_intent_settles_is_not_judged(doubting):
    assistant, generator = doubting(-0.1)
    assert assistant.reply("hello").action is Action.SMALL_TALK
    assert generator.weighed == []


def test_the_judge_reads_the_conversation(doubting):
    assistant, generator = doubting(-5.0)
    assistant.reply(FEE, [Message("user", "I lost my card"), Message("assistant", "Freeze it.")])
    prompt, _ = generator.weighed[0]
    assert "I lost my card" in json.dumps(prompt)


def test_cuts_lose_the_stated_shares_of_what_can_be_answered():
    answered = [Read("a", -float(n), True) for n in range(1, 101)]
    others = [Read("b", -1.5, False), Read("b", -8.5, False), Read("b", -90.0, False)]
    limits, told = measured([*answered, *others], declined=0.02, asked_back=0.1)
    assert limits.ask_back < limits.decline < 0
    assert told["answerable declined"] == pytest.approx(0.02)
    assert told["answerable asked back or declined"] == pytest.approx(0.1)
    assert told["unanswerable declined"] == pytest.approx(1 / 3, abs=1e-3)
    assert told["unanswerable asked back or declined"] == pytest.approx(2 / 3, abs=1e-3)
    assert 0.5 < told["auroc"] < 1


def test_shares_in_the_wrong_order_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["nowhere", "--declined", "0.5"])
    assert "0 <= declined <= asked back <= 1" in capsys.readouterr().err


def test_cuts_are_read_from_beside_the_weights(tmp_path):
    assert doubts_of(tmp_path) == doubts_of(None) == {}
    limits = {"thresholds": {"en": {"ask_back": -2.0, "decline": -1.0}}}
    (tmp_path / DOUBTS).write_text(json.dumps(limits), encoding="utf-8")
    assert doubts_of(tmp_path) == {"en": Doubts(ask_back=-2.0, decline=-1.0)}
