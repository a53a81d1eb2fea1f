"""What a tuned generator reads and may say, on real articles with a scripted generator."""

import pytest

from assistant.assistant import Assistant
from assistant.messages import Action
from assistant.writing.strategies import StrategyChoices
from assistant.writing.templates import PromptTemplate
from assistant.writing.writer import Writer
from tests.fakes import ScriptedGenerator

FEE = "How much does a replacement card cost?"
FACT = "A replacement for a lost card costs £5 and arrives within 5 working days."
HALF = "A replacement for a lost card costs £5."
DECLINE = PromptTemplate.load("answer_tuned", "en").decline


@pytest.fixture
def saying(parts):
    def build(text: str, **options) -> tuple[Assistant, ScriptedGenerator]:
        generator = ScriptedGenerator(text, **options)
        return Assistant(**parts, writer=Writer.open(generator), strategy="tuned"), generator

    return build


def test_a_tuned_generator_reads_the_sentences_that_the_encoder_chose(saying):
    assistant, generator = saying(FACT)
    reply = assistant.reply(FEE)
    assert (reply.text, reply.strategy, reply.generator) == (FACT, "tuned", "scripted")
    assert reply.template.startswith("answer_tuned.en@")
    (asked,) = generator.asked
    assert "£5" in asked[-1]["content"]
    assert len(asked[-1]["content"]) < 1200, "chosen sentences, not whole passages"
    assert asked[-1]["content"].endswith(f"Question: {FEE}")


def test_a_written_decline_is_never_shown_as_an_answer(saying):
    reply = saying(DECLINE)[0].reply(FEE)
    assert reply.action is Action.DECLINE
    assert DECLINE not in reply.text


def test_half_an_answer_says_that_the_rest_was_not_found(saying):
    reply = saying(f"{FACT} {DECLINE}")[0].reply(FEE)
    assert reply.action is Action.ANSWER
    assert reply.text.startswith(FACT)
    assert reply.text.endswith("about the rest of your question.")
    assert [said.citation for said in reply.support] == [1, None]


def test_what_the_check_refuses_becomes_extractive(saying):
    reply = saying("A replacement card costs £99.")[0].reply(FEE)
    assert (reply.action, reply.strategy, reply.generator) == (Action.ANSWER, "extractive", None)
    assert "£99" not in reply.text


def test_a_sentence_with_a_sum_that_the_generator_passed_over_is_added(saying):
    said = "The old card works until the last day of the month printed on it."
    reply = saying(said)[0].reply(FEE)
    assert reply.text.startswith(said)
    assert "£5" in reply.text[len(said) :]
    assert (reply.strategy, reply.generator) == ("tuned", "scripted")
    assert all(support.citation for support in reply.support)


def test_a_sentence_that_loses_a_value_gives_way_to_the_one_as_written(saying):
    reply = saying(HALF)[0].reply(FEE)
    assert (reply.strategy, reply.generator) == ("extractive", None)
    assert HALF not in reply.text
    assert "within 5 working days" in reply.text
    said = "The old card works until the last day of the month printed on it."
    reply = saying(f"{said} {HALF} {DECLINE}")[0].reply(FEE)
    assert reply.text.startswith(said)
    assert HALF not in reply.text
    assert "£5 and arrives within 5 working days" in reply.text
    assert reply.strategy == "tuned"
    assert "rest of your question" not in reply.text


def test_auto_follows_what_was_measured(parts):
    choices = StrategyChoices({"scripted": {"en": {"Lantern Bank": "tuned"}}})
    generator = ScriptedGenerator(FACT)
    assistant = Assistant(**{**parts, "choices": choices}, writer=Writer.open(generator))
    assert assistant.reply(FEE).strategy == "tuned"
    assistant.reply("取现金要手续费吗？")
    assert generator.adapters == [True, False], "nothing was measured in Chinese"
