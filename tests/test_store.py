"""The store: conversations in SQLite and PostgreSQL."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from assistant.errors import BusyError, ConversationError, StoreError
from assistant.messages import Action, Citation, Reply, Support
from assistant.store import conversations as module
from assistant.store import team_tables  # noqa: F401  # their tables are compared too
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.deleted import forget_deleted
from assistant.store.feedback import Feedback
from assistant.store.quotes import quoted, version_of
from assistant.store.tables import Base, DeletedRow, MessageRow, now
from knowledge.documents import Article

ARTICLE = Article(
    id="fees", lang="en", title="Fees", text="A card costs £5. A letter costs £3.", path="fees.md"
)
QUOTE = Citation(1, "fees", "en", "Fees", "A card costs £5.", 0, 16)
REPLY = Reply(
    "A card costs £5.",
    Action.ANSWER,
    "answer",
    "en",
    citations=(QUOTE,),
    support=(Support("A card costs £5.", 1),),
    timings_ms={"total": 7.5},
)


def article(lang, name):
    return ARTICLE if (lang, name) == ("en", "fees") else None


@pytest.fixture
def kept(store_url):
    database = Database.open(store_url)
    yield Conversations(database)
    database.close()


def turn(kept, conversation, text="how much is a card?", reply=REPLY, key=""):
    asked = kept.ask(conversation, text, key)
    return asked, kept.answer(asked.id, reply, article, {"index": "abc"})


def test_the_migrations_make_the_tables_that_the_code_uses(kept):
    with kept.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": Base.metadata})
        assert compare_metadata(context, Base.metadata) == []


def test_a_conversation_comes_back_as_it_was(kept):
    conversation = kept.start("page")
    asked, said = turn(kept, conversation)
    first, second = kept.messages(conversation)
    assert (first.text, first.state, first.role) == ("how much is a card?", "answered", "user")
    assert second == said
    assert second.reply == replace(REPLY, number=2)
    assert asked.created.tzinfo is not None
    assert [m.text for m in kept.messages(conversation, after=1)] == [REPLY.text]


def test_the_history_of_a_turn_leaves_out_what_nobody_answered(kept):
    conversation = kept.start("api")
    turn(kept, conversation)
    lost = kept.ask(conversation, "and abroad?")
    kept.interrupt(lost.id)
    third = kept.ask(conversation, "and a letter?")
    history = kept.history(conversation, third.number)
    assert [m.text for m in history] == ["how much is a card?", REPLY.text]
    assert history[1] == REPLY.message()


def test_personal_data_is_masked_before_it_is_written(kept, store_url):
    conversation = kept.start("page")
    asked, said = turn(kept, conversation, "my card 4111 1111 1111 1111, mail eve@example.com")
    assert asked.text == "my card [card], mail [email]"
    Feedback(kept.database).judge(
        conversation, said.number, -1, "call +44 20 7946 0958", "write to eve@example.com"
    )
    with kept.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT reason, correction FROM feedback").all()
    assert rows == [("call [phone]", "write to [email]")]


def test_the_same_key_gives_the_same_reply(kept):
    conversation = kept.start("api")
    asked, _ = turn(kept, conversation, key="k1")
    again = kept.ask(conversation, "how much is a card?", "k1")
    assert again.id == asked.id
    assert again.state == "answered"
    assert again.reply == replace(REPLY, number=2)
    assert len(kept.messages(conversation)) == 2


def test_a_message_that_is_being_answered_is_not_answered_twice(kept, monkeypatch):
    conversation = kept.start("api")
    asked = kept.ask(conversation, "how much is a card?", "k1")
    with pytest.raises(BusyError, match="being answered"):
        kept.ask(conversation, "how much is a card?", "k1")
    monkeypatch.setattr(module, "DEADLINE", timedelta(0))
    assert kept.messages(conversation)[0].state == "interrupted"
    assert kept.ask(conversation, "how much is a card?", "k1").id == asked.id
    first = kept.answer(asked.id, REPLY, article, {})
    assert kept.answer(asked.id, REPLY, article, {}) == first, "one message, one reply"


def test_what_an_ended_process_left_undone_is_interrupted(kept, monkeypatch):
    conversation = kept.start("page")
    left, alive = (kept.ask(conversation, text) for text in ("a card?", "a letter?"))
    with kept.database.write() as session:
        host = kept.worker.split(":")[0]
        session.get(MessageRow, left.id).worker = f"{host}:4194304:x"
    Conversations(kept.database)
    states = {m.text: m.state for m in kept.messages(conversation)}
    # This process stands for one that has the number of an earlier one.
    assert states == {"a card?": "interrupted", "a letter?": "interrupted"}
    with kept.database.write() as session:
        row = session.get(MessageRow, alive.id)
        row.state, row.worker, row.created = "asked", f"{host}:1:x", now()
    Conversations(kept.database)
    assert kept.messages(conversation)[1].state == "asked", "another process still answers it"


def test_a_quote_keeps_its_article_as_it_was(kept):
    conversation = kept.start("page")
    _, said = turn(kept, conversation)
    (quote,) = quoted(kept.database, conversation, said.number)
    assert quote.text[quote.start : quote.end] == QUOTE.quote
    assert quote.version == version_of(ARTICLE)
    turn(kept, conversation)  # the same version is kept once
    gone = Reply(
        "x", Action.ANSWER, "answer", "en", citations=(Citation(1, "old", "en", "", "x", 0, 1),)
    )
    _, said = turn(kept, conversation, reply=gone)
    assert quoted(kept.database, conversation, said.number) == []


def test_feedback_replaces_what_was_thought_before(kept):
    conversation = kept.start("page")
    _, said = turn(kept, conversation)
    for thumb in (1, -1):
        Feedback(kept.database).judge(conversation, said.number, thumb, "no")
        assert kept.messages(conversation)[1].thumb == thumb
    with pytest.raises(ConversationError, match="Expected the number of a reply, found 1"):
        Feedback(kept.database).judge(conversation, 1, 1)
    Feedback(kept.database).rate(conversation, 4)


def test_a_deleted_conversation_is_gone_with_all_that_belongs_to_it(kept):
    conversation, other = kept.start("page"), kept.start("page")
    _, said = turn(kept, conversation)
    Feedback(kept.database).judge(conversation, said.number, 1)
    waiting = kept.ask(conversation, "and a letter?")
    turn(kept, other)
    kept.delete(conversation)
    with pytest.raises(ConversationError):
        kept.messages(conversation)
    with pytest.raises(ConversationError, match="deleted"):
        kept.answer(waiting.id, REPLY, article, {})
    count = "SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM {})"
    with kept.database.engine.connect() as connection:
        assert connection.exec_driver_sql(count.format("message", "feedback")).one() == (2, 0)
        assert connection.exec_driver_sql(count.format("citation", "article_version")).one() == (
            1,
            1,
        )
    kept.delete(other)
    kept.delete(other)
    with kept.database.engine.connect() as connection:
        assert connection.exec_driver_sql(count.format("message", "article_version")).one() == (
            0,
            0,
        )


def test_a_deleted_id_is_remembered_as_long_as_tokens_are_good(kept):
    conversation = kept.start("page")
    kept.delete(conversation)
    with kept.database.write() as session:
        session.get(DeletedRow, conversation).created -= timedelta(days=2)
    with kept.database.write() as session:
        forget_deleted(session, 3)
    with pytest.raises(ConversationError, match="one that was deleted"):
        kept.ask(conversation, "a card?", begins="page")
    with kept.database.write() as session:
        forget_deleted(session, 1)
    assert kept.ask(conversation, "a card?", begins="page").number == 1


def test_many_writers_lose_nothing_and_keep_the_order(kept):
    shared = kept.start("api")

    def talk(number):
        own = kept.start("api")
        for _ in range(5):
            turn(kept, own)
            turn(kept, shared, text=f"marker {number}")
        return own

    with ThreadPoolExecutor(8) as pool:
        own = list(pool.map(talk, range(8)))
    assert [m.number for m in kept.messages(shared)] == list(range(1, 81))
    assert all(len(kept.messages(one)) == 10 for one in own)


def test_an_unknown_conversation_is_an_error(kept):
    for call in (
        kept.messages,
        lambda c: kept.ask(c, "hi"),
        lambda c: Feedback(kept.database).rate(c, 1),
    ):
        with pytest.raises(ConversationError, match="Leave it out to begin a new one"):
            call("0" * 32)


def test_a_database_opens_again_and_a_wrong_address_is_an_error(store_url, tmp_path):
    first = Database.open(store_url)
    conversation = Conversations(first).start("page")
    first.close()
    second = Database.open(store_url)
    assert Conversations(second).messages(conversation) == []
    second.close()
    (tmp_path / "file").write_text("not a database" * 100)
    for url in (f"sqlite:///{tmp_path}/file/x.db", f"sqlite:///{tmp_path}/file", "nonsense://x"):
        with pytest.raises(StoreError, match="Expected a database that can be written, such as"):
            Database.open(url)


def test_a_full_disk_is_an_error_and_reading_goes_on(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/small.db")
    kept = Conversations(database)
    conversation = kept.start("page")
    turn(kept, conversation)

    def limit(pages):
        # Every connection of the pool: SQLite says the same as on a full disk.
        with database.write() as session:
            session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with sqlite3.connect(tmp_path / "small.db") as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    limit(pages)

    def fill():
        for _ in range(100):
            turn(kept, conversation, "x" * 3000)

    with pytest.raises(StoreError, match="Expected a database that can be written, found: .*full"):
        fill()
    known = kept.messages(conversation)
    assert len(known) >= 2
    limit(pages * 100)
    turn(kept, conversation)
    assert len(kept.messages(conversation)) == len(known) + 2
    database.close()


def test_a_folder_that_is_missing_is_made(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/new/state/frontdesk.db")
    assert Conversations(database).start("page")
    database.close()
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Expected a database"):
        Database.open(f"sqlite:///{tmp_path}/file/frontdesk.db")
