"""What a fine-tuned generator's decline is worth: cuts from data, routes from cuts."""

import json

import pytest

from assistant.adapters import DOUBTS, Doubts, doubts_of
from assistant.assistant import Assistant
from assistant.company import Company
from assistant.intents import IntentClassifier
from assistant.messages import Action, Message
from assistant.prompts import PromptTemplate
from knowledge.knowledge_base import KnowledgeBase
from tests.fakes import ScriptedGenerator
from tuning.answerability import Read, main, measured

ASKED = "Within how many days can I return shoes?"
TEXT = "Shoes can be sent back within 30 days."
DECLINE = PromptTemplate.load("answer_tuned", "en").decline


@pytest.fixture
def shop(tmp_path, embedder):
    """A company that nothing was fitted on: its judge, or else learned weights, decide."""
    docs = tmp_path / "shop"
    docs.mkdir()
    (docs / "returns.md").write_text(TEXT, encoding="utf-8")
    opened = {
        "company": Company.load(docs),
        "embedder": embedder,
        "knowledge": KnowledgeBase.open(docs, embedder, tmp_path),
        "intents": IntentClassifier.open(docs, embedder, tmp_path),
    }

    def build(doubt: float | None, strategy: str = "judged") -> tuple[Assistant, ScriptedGenerator]:
        generator = ScriptedGenerator("unused", doubt=doubt)
        return Assistant(**opened, generator=generator, strategy=strategy), generator

    return build


def test_sentences_stand_as_written_where_the_judge_has_no_doubt(shop):
    assistant, generator = shop(-5.0)
    reply = assistant.reply(ASKED)
    assert (reply.action, reply.text) == (Action.ANSWER, TEXT)
    assert (reply.strategy, reply.generator) == ("judged", None)
    assert generator.asked == [], "nothing is generated"
    ((prompt, judged),) = generator.weighed
    assert judged == DECLINE
    assert TEXT in prompt[-1]["content"]


@pytest.mark.parametrize("strategy", ["judged", "tuned"])
def test_a_likely_decline_is_one_and_a_less_likely_one_asks_back(shop, strategy):
    assistant, generator = shop(-0.1, strategy)
    reply = assistant.reply(ASKED)
    assert (reply.action, reply.reason, reply.citations) == (Action.DECLINE, "not_found", ())
    assert shop(-1.5, strategy)[0].reply(ASKED).action is Action.CLARIFY
    assert generator.asked == []


def test_a_generator_that_does_not_tell_changes_nothing(shop):
    assistant, _ = shop(None)
    judged = assistant.reply(ASKED)
    written = assistant.reply(ASKED, strategy="extractive")
    assert (judged.action, judged.text) == (written.action, written.text)


def test_the_judge_reads_the_conversation(shop):
    assistant, generator = shop(-5.0)
    assistant.reply(ASKED, [Message("user", "my boots pinch"), Message("assistant", "Oh no.")])
    prompt, _ = generator.weighed[0]
    assert "my boots pinch" in json.dumps(prompt)


def test_what_the_intent_settles_is_not_judged(shop):
    assistant, generator = shop(-0.1)
    assert assistant.reply("hello").action is Action.SMALL_TALK
    assert generator.weighed == []


def test_scores_that_know_the_company_decide_alone(parts):
    generator = ScriptedGenerator("unused", doubt=-0.1)
    assistant = Assistant(**parts, generator=generator, strategy="judged")
    assert assistant.reply("How much does a replacement card cost?").action is Action.ANSWER
    assert generator.weighed == []


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
