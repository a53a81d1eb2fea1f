"""Questions without an answer are found again, with what came nearest."""

from datetime import timedelta

import pytest

from assistant.desk import Desk
from assistant.messages import Action, Nearest, Reply
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.feedback import Feedback
from assistant.store.tables import now
from assistant.store.unanswered import unanswered
from tests.fakes import Echo

NEAR = Nearest("fees", "en", "Fees", 0.4, "A new card is £5.", 0.2)


class Deciding(Echo):
    """Does what a message says: "decline: …"."""

    def stream(self, question, history=()):
        reply = Reply("…", Action(question.partition(":")[0]), "x", "en", nearest=(NEAR,))
        yield reply.text
        yield reply


@pytest.fixture
def desk(store_url):
    database = Database.open(store_url)
    yield Desk(Deciding(), Conversations(database))
    database.close()


def test_what_was_declined_asked_back_or_judged_wrong_is_found(desk):
    database = desk.conversations.database
    conversation = desk.begin("x", "page")
    for text in (
        "decline: a",
        "answer: b",
        "clarify: c",
        "answer: d 4111 1111 1111 1111",
        "small_talk: e",
    ):
        list(desk.serve(conversation, text))
    Feedback(database).judge(conversation, 8, -1, "wrong")
    Feedback(database).judge(conversation, 4, 1)
    found = unanswered(database, now() - timedelta(minutes=1))
    assert [(u.question, u.action, u.thumb) for u in found] == [
        ("answer: d [card]", "answer", -1),
        ("clarify: c", "clarify", 0),
        ("decline: a", "decline", 0),
    ]
    assert found[0].nearest == (NEAR,)
    assert (found[0].conversation, found[0].number, found[0].lang) == (conversation, 8, "en")
    assert unanswered(database, now() + timedelta(minutes=1)) == []


@pytest.mark.parametrize(
    ("question", "lang"),
    [("do you lend money to buy a racehorse?", "en"), ("你们可以帮我买赛马吗？", "zh")],
)
def test_a_reply_keeps_what_came_nearest(bank, question, lang):
    reply = bank.reply(question)
    assert reply.action in (Action.DECLINE, Action.CLARIFY)
    assert 1 <= len(reply.nearest) <= 3
    assert all(0 <= near.found <= 1 and 0 <= near.answers <= 1 for near in reply.nearest)
    assert len({near.article for near in reply.nearest}) == len(reply.nearest)
    assert reply.nearest[0].lang == lang
    assert Reply.from_dict(reply.to_dict()).nearest == reply.nearest


def test_what_was_quoted_is_among_the_nearest(bank):
    reply = bank.reply("how much is a replacement card?")
    assert reply.action is Action.ANSWER
    assert reply.citations[0].article in {near.article for near in reply.nearest}
    assert max(near.answers for near in reply.nearest) > 0.5
