"""Several questions in one message, and what goes before an answer; the reader of questions is scripted."""

import dataclasses
import re

import pytest

from assistant.evidence.verdict import VERDICTS
from assistant.intents.classifier import IntentClassifier
from assistant.intents.question_reader import SHAPES, unread
from assistant.listener import Listener
from assistant.messages import Action, Message
from assistant.writing.writer import Writer
from knowledge.segmenter import Span
from tests.conftest import BANK, STATE, assistant_of
from tests.fakes import ScriptedGenerator

FEE = "How much does a replacement card cost?"
LIMIT = "how much cash can I take out a day"


class ScriptedReader:
    """Cuts a message at slashes; says of each what it was told; ``sides`` is a pattern of names."""

    def __init__(self, shape="figure", account=0.0, sides="(?!)"):
        self.shape, self.account, self.sides = shape, account, sides

    def read(self, message):
        asked = unread(message)
        shapes = {shape: float(shape == self.shape) for shape in SHAPES}
        parts, start = [], 0
        for piece in message.split("/"):
            parts.append(Span(start, start + len(piece)))
            start += len(piece) + 1
        sides = [Span(m.start(), m.end()) for m in re.finditer(self.sides, message)]
        return dataclasses.replace(
            asked, shapes=shapes, account=self.account, parts=parts, sides=sides
        )


class ScriptedVerdicts:
    def __init__(self, likeliest):
        self.likeliest, self.read_of = likeliest, []

    def read(self, question, chosen):
        self.read_of.append((question, [evidence.text for evidence in chosen]))
        return {verdict: 0.98 * (verdict == self.likeliest) for verdict in VERDICTS}


@pytest.fixture(scope="module")
def intents(embedder):
    return IntentClassifier.open(BANK, embedder, STATE)


@pytest.fixture
def reading(parts, embedder, intents):
    def build(reader, verdicts=None, **how):
        listener = Listener(embedder=embedder, intents=intents, questions=reader)
        return assistant_of({**parts, "listener": listener, "verdicts": verdicts}, **how)

    return build


def test_each_question_is_answered_under_its_own_words(reading):
    reply = reading(ScriptedReader()).reply(f"{FEE}/ and {LIMIT}")
    assert reply.action is Action.ANSWER
    first, second = reply.text.split("\n\n")
    assert first.startswith(f"“{FEE}”:")
    assert second.startswith(f"“{LIMIT}”:")
    assert "£5" in first
    assert "£500" in second
    assert all(said.citation for said in reply.support if not said.sentence.startswith("“"))
    assert len({citation.number for citation in reply.citations}) == len(reply.citations)


def test_the_same_sentence_is_not_said_twice(reading):
    reply = reading(ScriptedReader()).reply(f"{FEE}/so what is the cost of a replacement card")
    assert reply.text.count("£5") == 1
    assert reply.text.endswith("“so what is the cost of a replacement card”: see above.")


def test_a_question_that_nothing_answers_is_named(reading):
    reply = reading(ScriptedReader()).reply(f"{FEE}/who won the cup in 1990")
    assert "£5" in reply.text
    assert "I found nothing sure on “your second question”" in reply.text, "1990 is no fact of ours"
    reply = reading(ScriptedReader()).reply(f"who is the king of spain/{FEE}")
    assert reply.text.startswith("I found nothing sure on “who is the king of spain”")
    assert "£5" in reply.text


def test_if_no_question_is_answered_the_message_is_read_whole(reading):
    reply = reading(ScriptedReader()).reply("who is the king of spain/who won the cup")
    assert reply.action in (Action.DECLINE, Action.CLARIFY)
    assert "“who" not in reply.text


def test_a_statement_that_nothing_answers_is_read_with_its_question(reading):
    reply = reading(ScriptedReader("trouble")).reply(f"my uncle sings in the shower/{FEE}")
    assert "”:" not in reply.text


def test_of_many_questions_the_first_are_answered(reading):
    reply = reading(ScriptedReader()).reply("/".join([FEE, LIMIT, FEE, LIMIT, FEE]))
    assert reply.text.count("”:") == 3
    assert reply.text.endswith("please ask me the rest one by one.")


def test_the_second_question_follows_the_first(reading):
    reply = reading(ScriptedReader()).reply("how do I send money to the US/how long does it take")
    assert "how long does it take”:" in reply.text
    assert "day" in reply.text.split("\n\n", 1)[1]


def test_the_first_question_may_begin_with_a_name_that_joins_elsewhere(reading):
    reply = reading(ScriptedReader()).reply(f"Plus, what does it cost a month/ and {LIMIT}")
    assert reply.text.startswith("“Plus, what does it cost a month”")


@pytest.mark.parametrize(
    ("question", "names", "told"),
    [
        (
            "what does the post office charge for paying in cash, and what does a stamped "
            "statement cost, which is dearer",
            "post office|stamped statement",
            ("£1.50", "£3"),
        ),
        ("标准账户和Plus每月免费取现额度哪个高", "标准账户|Plus", ("200 英镑", "600 英镑")),
    ],
)
def test_a_comparison_tells_both_sides(reading, question, names, told):
    reply = reading(ScriptedReader("choice", sides=names)).reply(question)
    assert reply.action is Action.ANSWER
    assert all(figure in reply.text for figure in told)


def test_a_side_of_which_nothing_is_known_is_named(reading):
    reply = reading(ScriptedReader("choice", sides="replacement card|bus to Mars")).reply(
        "what costs more, a replacement card or the bus to Mars"
    )
    assert "“replacement card”:" in reply.text
    assert "£5" in reply.text
    assert "I found nothing sure on “bus to Mars”" in reply.text


def test_the_questions_of_a_message_are_not_about_what_was_said_before_it(reading):
    assistant = reading(ScriptedReader())
    asked = "how much interest does the flexible savings account pay"
    history = [Message("user", asked), assistant.reply(asked).message()]
    reply = assistant.reply(f"{FEE}/what do you charge for it in space", history)
    assert "£5" in reply.text
    assert "AER" not in reply.text


def test_in_chinese(reading):
    reply = reading(ScriptedReader()).reply("补卡多少钱/另外一天能取多少现金")
    assert reply.text.startswith("关于“补卡多少钱”：")
    assert "关于“一天能取多少现金”：" in reply.text


def test_what_only_an_account_can_tell_is_said_so(reading):
    reply = reading(ScriptedReader(account=0.9)).reply("How long does a transfer to the US take?")
    assert (reply.action, reply.reason) == (Action.ANSWER, "account")
    assert reply.text.startswith("I can't see your account")
    assert reply.text.endswith("just say so.")
    assert reply.citations
    reply = reading(ScriptedReader(account=0.9)).reply("has my cat been fed by your branch manager")
    assert (reply.action, reply.reason) == (Action.DECLINE, "account_unread")
    assert not reply.citations


@pytest.mark.parametrize(
    ("verdict", "first"), [("yes", "Yes."), ("no", "No."), ("depends", "It depends.")]
)
def test_yes_or_no_goes_first_and_is_backed_by_the_best_sentence(reading, verdict, first):
    verdicts = ScriptedVerdicts(verdict)
    reply = reading(ScriptedReader("yes_no"), verdicts).reply("is a spare card free?")
    assert reply.text.startswith(f"{first} ")
    assert reply.support[0].citation is not None
    ((question, said),) = verdicts.read_of
    assert question == "is a spare card free?"
    assert all(sentence in reply.text for sentence in said)


def test_an_open_question_and_one_of_another_form_get_no_first_word(reading):
    for reader, verdicts in (
        (ScriptedReader("yes_no"), ScriptedVerdicts("open")),
        (ScriptedReader("figure"), ScriptedVerdicts("yes")),
        (ScriptedReader("yes_no"), None),
    ):
        reply = reading(reader, verdicts).reply("is a spare card free?")
        assert not reply.text.startswith(("Yes", "No", "It depends"))
        assert reply.citations


def test_the_generators_own_yes_is_dropped_and_ours_goes_first(reading):
    written = "Yes, a spare card costs £5."
    how = {"writer": Writer.open(ScriptedGenerator(written)), "strategy": "zero_shot"}
    asked = "is a spare card free?"
    reply = reading(ScriptedReader("yes_no"), ScriptedVerdicts("no"), **how).reply(asked)
    assert reply.text.startswith("No. A spare card costs £5.")
    reply = reading(ScriptedReader("yes_no"), ScriptedVerdicts("open"), **how).reply(asked)
    assert reply.text.startswith("A spare card costs £5.")


def test_a_generator_that_writes_nothing_leaves_no_lone_yes(reading):
    how = {"writer": Writer.open(ScriptedGenerator("It costs £99.")), "strategy": "zero_shot"}
    reply = reading(ScriptedReader("yes_no"), ScriptedVerdicts("no"), **how).reply(
        "is a spare card free?"
    )
    assert reply.strategy == "extractive"
    assert reply.text.count("No.") == 1


def test_each_question_may_be_worded(reading):
    written = "A replacement for a lost card costs £5."
    how = {"writer": Writer.open(ScriptedGenerator(written)), "strategy": "zero_shot"}
    reply = reading(ScriptedReader(), **how).reply(f"{FEE}/{LIMIT}")
    assert (reply.strategy, reply.generator) == ("zero_shot", "scripted")
    assert written in reply.text
    assert "£500" in reply.text, "quoted, since nothing that was written fits"


def test_trouble_is_met_with_a_word_of_sympathy(reading):
    reply = reading(ScriptedReader("trouble")).reply("terrible, I lost my card and I am so upset")
    assert reply.text.startswith("Sorry to hear that.")
    calm = reading(ScriptedReader("how")).reply("how do I report a lost card")
    assert not calm.text.startswith("Sorry")


def test_a_later_message_may_hold_two_questions(reading):
    assistant = reading(ScriptedReader())
    first = assistant.reply(FEE)
    history = [Message("user", FEE), first.message()]
    reply = assistant.reply(f"how long does it take/{LIMIT}", history)
    assert "5 working days" in reply.text
    assert "£500" in reply.text


def test_each_question_gets_its_first_word_once_if_the_generator_writes_nothing(reading):
    how = {"writer": Writer.open(ScriptedGenerator("It costs £99.")), "strategy": "zero_shot"}
    assistant = reading(ScriptedReader("yes_no"), ScriptedVerdicts("no"), **how)
    reply = assistant.reply(f"is a spare card free?/{LIMIT}")
    assert reply.text.count("No.") == 2
    assert reply.strategy == "extractive"
