"""The demo: what it invents, that it is marked, and that nothing of it stays."""

import dataclasses
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import func, select

from assistant.demo.fill import Demo, fill, remove
from assistant.demo.messages import LANGUAGES, bank_messages, company_messages
from assistant.demo.plan import WAYS, drawn
from assistant.messages import Action, Nearest
from assistant.reports.evaluations import DIALOGUES, evaluations
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.handoffs import Handoffs
from assistant.store.outbox import Outbox
from assistant.store.tables import (
    Base,
    ConversationRow,
    FeedbackRow,
    HandoffRow,
    MessageRow,
    OutboxRow,
    now,
)
from assistant.store.unanswered import unanswered
from knowledge.documents import Article
from tests.page_server import Answerer

MESSAGES = {lang: bank_messages(lang) for lang in LANGUAGES}
# Draws what is no secret.
CHANCE = Random(1)  # noqa: S311
SMALL = Demo(seed=3, count=80, distinct=20)


class Scripted(Answerer):
    """The scripted answerer, which knows some probabilities and people's wishes."""

    def stream(self, question, history=()):
        *pieces, reply = super().stream(question, history)
        near = Nearest("account-fees", reply.language, "Fees", 0.9, "£5", 0.6)
        wishes = ("human", "real person", "agent", "someone", "真人", "让人")
        if any(wish in question for wish in wishes):
            reply = dataclasses.replace(reply, action=Action.HANDOFF, reason="talk_to_a_person")
        yield from pieces
        yield dataclasses.replace(reply, nearest=(near,))


@pytest.fixture
def database(store_url):
    return Database.open(store_url)


def counts(database):
    with database.read() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
        }


def real_one(database, action=Action.DECLINE):
    """Keep a real conversation; return its id."""
    answerer, conversations = Scripted(), Conversations(database)
    conversation = conversations.start("page")
    asked = conversations.ask(conversation, "how much is a card?")
    *_, reply = answerer.stream("how much is a card?")
    reply = dataclasses.replace(reply, action=action)
    conversations.answer(asked.id, reply, answerer.article, answerer.versions())
    return conversation


def test_there_are_many_messages_in_each_language():
    for lang, said in MESSAGES.items():
        assert len(set(said.questions)) >= 60, lang
        assert len(said.unanswered) >= 5
        assert all(len(group) >= 2 for group in said.unanswered)


def test_it_is_filled_and_removed_wholly(database):
    real_one(database)
    before = counts(database)
    told = []
    assert fill(database, Scripted(), MESSAGES, SMALL, lambda *how: told.append(how)) == 80
    after = counts(database)
    assert after["conversation"] == before["conversation"] + 80
    assert after["message"] > 160
    for table in ("handoff", "feedback", "citation", "article_version", "run"):
        assert after[table] > before[table], table
    assert after["outbox"] == after["deleted"] == after["audit"] == 0
    assert told[-1][0] == told[-1][1] == len(told)
    assert remove(database) == 80
    assert counts(database) == before
    assert remove(database) == 0


def test_every_conversation_is_marked_and_real_ones_are_not(database):
    real = real_one(database)
    fill(database, Scripted(), MESSAGES, SMALL)
    with database.read() as session:
        rows = list(session.scalars(select(ConversationRow)))
        assert {row.id for row in rows if not row.is_demo} == {real}
        languages = {row.language for row in rows if row.is_demo}
        assert languages == {"en", "zh"}
        assert {row.rating for row in rows} > {None, 5}
        thumbs = set(session.scalars(select(FeedbackRow.thumb)))
        assert thumbs == {1, -1}
        agents = set(session.scalars(select(MessageRow.author))) - {""}
        assert len(agents) > 1


def test_a_second_fill_replaces_the_first(database):
    fill(database, Scripted(), MESSAGES, SMALL)
    first = counts(database)
    fill(database, Scripted(), MESSAGES, dataclasses.replace(SMALL, count=40))
    second = counts(database)
    assert (first["conversation"], second["conversation"]) == (80, 40)
    assert first["run"] == second["run"]


def test_a_seed_gives_the_same_conversations(database):
    until = now()
    found = []
    for seed in (1, 1, 2):
        fill(database, Scripted(), MESSAGES, dataclasses.replace(SMALL, seed=seed), until=until)
        with database.read() as session:
            rows = session.execute(
                select(
                    MessageRow.conversation_id, MessageRow.number, MessageRow.text,
                    MessageRow.created,
                ).order_by(MessageRow.conversation_id, MessageRow.number)
            )  # fmt: skip
            found.append([tuple(row) for row in rows])
    assert found[0] == found[1] != found[2]


def test_real_figures_are_unchanged(database):
    real_one(database)
    since = now() - timedelta(days=30)
    handoffs = Handoffs(database)
    before = (len(unanswered(database, since)), handoffs.usual_wait(), handoffs.all())
    fill(database, Scripted(), MESSAGES, SMALL)
    assert (len(unanswered(database, since)), handoffs.usual_wait(), handoffs.all()) == before
    assert evaluations(database, DIALOGUES) == []
    assert evaluations(database, DIALOGUES, demo=True)


def test_what_waits_in_the_demo_rings_nobody(database):
    outbox = Outbox(database)
    handoffs = Handoffs(database, outbox.tell)
    fill(database, Scripted(), MESSAGES, dataclasses.replace(SMALL, count=150, days=1))
    with database.write() as session:
        waiting = session.scalars(select(HandoffRow).where(HandoffRow.state == "waiting")).all()
        assert waiting
        for row in waiting:
            row.created -= timedelta(days=1)
        number = waiting[0].id
    assert handoffs.late(timedelta(minutes=1)) == handoffs.all(["waiting"]) == []
    handoffs.take(number, "ann")
    handoffs.close(number, "ann")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(OutboxRow)) == 0


def test_times_are_those_of_people():
    plans = drawn(MESSAGES, CHANCE, now(), "Europe/London", count=1000, days=14, distinct=60)
    assert {plan.way for plan in plans} == set(WAYS)
    night = sum(2 <= plan.begins.hour < 5 for plan in plans)
    day = sum(9 <= plan.begins.hour < 12 for plan in plans)
    assert night < 20
    assert day > 200
    assert all(now() - timedelta(days=15) < plan.begins < now() for plan in plans)
    assert len({plan.said[0] for plan in plans if plan.way == "quiet"}) <= 60


def test_another_company_is_asked_about_its_articles():
    articles = [Article("a", "Returning Shoes", "en", "Within 45 days.", "a.md")]
    said = company_messages("en", articles)
    assert said.questions == ["returning shoes?"]
    assert company_messages("zh", articles) is None
    plans = drawn({"en": said}, CHANCE, now(), "UTC", count=50, days=3, distinct=60)
    assert {plan.lang for plan in plans} == {"en"}
