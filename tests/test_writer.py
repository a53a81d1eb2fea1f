"""The prompt and the checks of a tuned generator, with real articles and a scripted generator."""

import pytest

from assistant.assistant import Assistant
from assistant.messages import Action
from assistant.writing.strategies import StrategyChoices
from assistant.writing.templates import PromptTemplate
from assistant.writing.writer import Writer
from tests.conftest import assistant_of
from tests.fakes import ScriptedGenerator

FEE = "How much does a replacement card cost?"
FACT = "A replacement for a lost card costs £5 and arrives within 5 working days."
HALF = "A replacement for a lost card costs £5."
DECLINE = PromptTemplate.load("answer_tuned", "en").decline


@pytest.fixture
def saying(parts):
    def build(text: str, **options) -> tuple[Assistant, ScriptedGenerator]:
        generator = ScriptedGenerator(text, **options)
        return assistant_of(parts, writer=Writer.open(generator), strategy="tuned"), generator

    return build


def test_a_tuned_generator_reads_the_sentences_of_the_extractive_answer(saying):
    assistant, generator = saying(FACT)
    reply = assistant.reply(FEE)
    assert reply.text.startswith(FACT)
    assert (reply.strategy, reply.generator) == ("tuned", "scripted")
    assert reply.template.startswith("answer_tuned.en@")
    (asked,) = generator.asked
    assert "£5" in asked[-1]["content"]
    assert len(asked[-1]["content"]) < 1200, "chosen sentences, not whole passages"
    assert asked[-1]["content"].endswith(f"Question: {FEE}")


def test_a_generated_decline_becomes_extractive(saying):
    reply = saying(DECLINE)[0].reply(FEE)
    assert (reply.action, reply.strategy, reply.generator) == (Action.ANSWER, "extractive", None)
    assert "£5" in reply.text
    assert DECLINE not in reply.text


def test_what_is_said_before_a_generated_decline_stays(saying):
    reply = saying(f"{FACT} {DECLINE}")[0].reply(FEE)
    assert (reply.action, reply.strategy) == (Action.ANSWER, "tuned")
    assert reply.text.startswith(FACT)
    assert DECLINE not in reply.text


def test_steps_are_quoted_whole(saying):
    assistant, generator = saying("Restart the phone.")
    reply = assistant.reply("The app keeps crashing, what can I do?")
    assert "\n2. Update the app" in reply.text
    assert reply.strategy == "extractive"
    assert not generator.asked


def test_an_unsupported_answer_becomes_extractive(saying):
    reply = saying("A replacement card costs £99.")[0].reply(FEE)
    assert (reply.action, reply.strategy, reply.generator) == (Action.ANSWER, "extractive", None)
    assert "£99" not in reply.text


def test_a_skipped_sentence_with_an_amount_is_added(saying):
    sentence = "The old card works until the last day of the month printed on it."
    reply = saying(sentence)[0].reply(FEE)
    assert reply.text.startswith(sentence)
    assert "£5" in reply.text[len(sentence) :]
    assert (reply.strategy, reply.generator) == ("tuned", "scripted")
    assert all(support.citation for support in reply.support)


def test_a_sentence_that_drops_a_value_is_replaced_with_the_quote(saying):
    reply = saying(HALF)[0].reply(FEE)
    assert (reply.strategy, reply.generator) == ("extractive", None)
    assert HALF not in reply.text
    assert "within 5 working days" in reply.text
    sentence = "The old card works until the last day of the month printed on it."
    reply = saying(f"{sentence} {HALF} {DECLINE}")[0].reply(FEE)
    assert reply.text.startswith(sentence)
    assert HALF not in reply.text
    assert "£5 and arrives within 5 working days" in reply.text
    assert reply.strategy == "tuned"


def test_auto_is_the_measured_strategy(parts):
    choices = StrategyChoices({"scripted": {"en": {"Lantern Bank": "tuned"}}})
    generator = ScriptedGenerator(FACT)
    assistant = assistant_of(parts, choices=choices, writer=Writer.open(generator))
    assert assistant.reply(FEE).strategy == "tuned"
    assistant.reply("取现金要手续费吗？")
    assert generator.adapters == [True, False], "there are no measurements in Chinese"
