"""Figures of conversations made by the real path, against SQL written apart from the reports."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from assistant.company import DAYS, People
from assistant.reports.conversation_list import Wanted, count, found
from assistant.reports.figures import Spread, compared, figures
from assistant.reports.opening_hours import OpeningHours
from assistant.reports.outcomes import OUTCOMES, tenths
from assistant.reports.period import Period, day_begins
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.feedback import Feedback
from assistant.store.repeats import Asked, is_repeated, is_same, words_of
from assistant.store.summaries import refresh
from assistant.store.tables import ConversationRow, HandoffRow, MessageRow, now
from tests.conftest import ROOT, desk_of
from tests.page_server import Answerer

# What is said in a conversation, the thumb that its first reply gets, and what becomes of it.
SAID = (
    (("How much is a card?",), 0, "quiet"),
    (("How much is a card?", "thanks"), 0, "confirmed"),
    (("How much is a letter?",), 1, "confirmed"),
    (("How much is a letter?",), -1, "unhappy"),
    (("How much is a letter?", "a letter, how much is?"), 0, "unhappy"),
    (("卡丢了怎么办？", "请问卡丢了怎么办"), 0, "unhappy"),
    (("thanks", "thanks"), 0, "confirmed"),
    (("I want a person", "thanks"), 0, "handed"),
    (("I am angry",), 0, "quiet"),
)
# The outcome in words of SQL that share nothing with the summaries: the first line that applies.
BY_HAND = """
select case
  when exists (select 1 from feedback f join message m on m.id = f.message_id
               where m.conversation_id = c.id and f.thumb = -1) or c.id in (select id from asked_again)
    then 'unhappy'
  when exists (select 1 from handoff h where h.conversation_id = c.id)
    or exists (select 1 from message m where m.conversation_id = c.id and m.action = 'handoff')
    then 'handed'
  when exists (select 1 from message m where m.conversation_id = c.id and m.action = 'decline')
    then 'declined'
  when exists (select 1 from feedback f join message m on m.id = f.message_id
               where m.conversation_id = c.id and f.thumb = 1)
    or exists (select 1 from message m where m.conversation_id = c.id and m.action = 'small_talk'
               and {reason} = 'thanks')
    then 'confirmed'
  when (select role from message m where m.conversation_id = c.id and role <> 'note'
        order by number desc limit 1) = 'user' or c.updated > :quiet
    then 'open'
  else 'quiet' end as outcome, count(*)
from conversation c where not c.is_demo and c.created >= :first and c.created < :last group by 1
"""
REASON = {
    "sqlite": "json_extract(m.reply, '$.reason')",
    "postgresql": "m.reply ->> 'reason'",
}


@pytest.fixture
def desk(store_url, tmp_path):
    made = desk_of(Answerer(), tmp_path)
    made.conversations.database.close()
    database = Database.open(store_url)
    made.conversations = Conversations(database)
    made.handover.handoffs._database = database
    made.handover._conversations = made.conversations
    yield made
    database.close()


def say(desk, *texts, customer="", ago=timedelta(hours=2)):
    """Hold a conversation that was some time ago."""
    first, *others = texts
    conversation = f"{abs(hash((texts, ago, customer, now()))):032x}"[-32:]
    list(desk.serve(conversation, first, begins="page", customer=customer))
    for said in others:
        list(desk.serve(conversation, said))
    move(desk, conversation, ago)
    return conversation


def move(desk, conversation, ago):
    with desk.conversations.database.write() as session:
        row = session.get(ConversationRow, conversation)
        row.created, row.updated = row.created - ago, row.updated - ago
        for kind in (MessageRow, HandoffRow):
            for one in session.query(kind).filter_by(conversation_id=conversation):
                one.created -= ago


def judge(desk, conversation, thumb):
    Feedback(desk.conversations.database).judge(conversation, 2, thumb)


def week(desk):
    return figures(desk.conversations.database, Period.of({}, None), None)


def by_hand(desk, period, again):
    database = desk.conversations.database
    told = {"first": period.begins, "last": period.ends, "quiet": now() - timedelta(minutes=30)}
    if database.engine.dialect.name == "sqlite":
        told = {name: f"{moment:%Y-%m-%d %H:%M:%S.%f}" for name, moment in told.items()}
    query = BY_HAND.format(reason=REASON[database.engine.dialect.name])
    with database.write() as session:
        session.execute(text("create temporary table asked_again (id varchar(32))"))
        for one in again:
            session.execute(text("insert into asked_again values (:id)"), {"id": one})
        counts = dict(session.execute(text(query), told).all())
        session.execute(text("drop table asked_again"))
    return {name: counts.get(name, 0) for name in OUTCOMES}


def test_outcomes_equal_sql_written_by_hand(desk):
    again = []
    for texts, thumb, expected in SAID:
        conversation = say(desk, *texts)
        if thumb:
            judge(desk, conversation, thumb)
        elif expected == "unhappy":
            again.append(conversation)
    say(desk, "How much is a card?", ago=timedelta(0))
    lost = desk.conversations.start("page")
    desk.conversations.ask(lost, "and this?")
    move(desk, lost, timedelta(hours=3))
    told = week(desk)
    expected = [outcome for *_, outcome in SAID] + ["open", "open"]
    assert told.outcomes == {name: expected.count(name) for name in OUTCOMES}
    assert told.outcomes == by_hand(desk, told.period, again)
    assert round(sum(told.shares.values()), 6) == 100
    assert told.conversations == len(expected)
    for name, number in told.outcomes.items():
        wanted = Wanted({"outcome": name, **told.period.values})
        assert count(desk.conversations.database, wanted) == number
    assert told.moods["negative"] == 1
    assert [sum(outcomes.values()) for _, outcomes in told.steps][-2:].count(0) <= 1
    assert sum(sum(outcomes.values()) for _, outcomes in told.steps) == len(expected)


def test_a_decline_counts_before_thanks(desk):
    conversation = say(desk, "How much is a card?", "thanks")
    with desk.conversations.database.write() as session:
        reply = session.query(MessageRow).filter_by(conversation_id=conversation, number=2).one()
        reply.action = "decline"
        session.get(ConversationRow, conversation).updated -= timedelta(seconds=1)
    told = week(desk)
    assert told.outcomes["declined"] == 1
    assert told.outcomes == by_hand(desk, told.period, [])


def test_the_same_again_counts_across_the_conversations_of_a_customer_within_a_day(desk):
    say(desk, "How much is a card?", customer="42", ago=timedelta(hours=20))
    again = say(desk, "how much is a card", customer="42", ago=timedelta(hours=3))
    say(desk, "how much is a card", customer="43", ago=timedelta(hours=3))
    say(desk, "How much is a letter?", customer="42", ago=timedelta(hours=60))
    say(desk, "How much is a letter?", customer="42", ago=timedelta(hours=30))
    database = desk.conversations.database
    assert count(database, Wanted()) == 5
    assert [row.id for row in found(database, Wanted({"outcome": "unhappy"}))] == [again]


def test_what_changes_is_counted_anew(desk):
    conversation = say(desk, "How much is a card?")
    assert week(desk).outcomes["quiet"] == 1
    judge(desk, conversation, 1)
    assert week(desk).outcomes["confirmed"] == 1
    judge(desk, conversation, 0)
    assert week(desk).outcomes["quiet"] == 1
    list(desk.serve(conversation, "a person please"))
    assert week(desk).outcomes["handed"] == 1
    assert refresh(desk.conversations.database) == 0
    desk.conversations.delete(conversation)
    assert week(desk).conversations == 0


def test_invented_conversations_are_never_counted_with_real_ones(desk):
    invented = say(desk, "How much is a card?")
    say(desk, "How much is a letter?")
    with desk.conversations.database.write() as session:
        session.get(ConversationRow, invented).is_demo = True
    period, database = Period.of({}, None), desk.conversations.database
    assert figures(database, period, None).conversations == 1
    assert figures(database, period, None, demo=True).conversations == 1
    assert [row.id for row in found(database, Wanted(demo=True))] == [invented]


def test_seconds_to_the_first_word_and_to_a_person(desk):
    for number in range(1, 11):
        conversation = say(desk, "a person please" if number % 2 else "How much is a card?")
        with desk.conversations.database.write() as session:
            row = session.query(MessageRow).filter_by(conversation_id=conversation, number=2).one()
            row.reply = {**row.reply, "timings_ms": {"first_word": 100.0 * number}}
            session.get(ConversationRow, conversation).updated -= timedelta(seconds=1)
        handoff = desk.handover.handoffs.of(conversation)
        if handoff:
            taken = desk.handover.handoffs.take(handoff.id, "ann")
            with desk.conversations.database.write() as session:
                waited = timedelta(minutes=number)
                session.get(HandoffRow, taken.id).taken = taken.created + waited
    told = week(desk)
    assert told.first_word == Spread(10, 0.55, 0.9)
    assert told.to_person == Spread(5, 300.0, 540.0)
    assert count(desk.conversations.database, Wanted({"person": "taken"})) == 5


def test_each_period_is_compared_with_the_one_before(desk):
    say(desk, "How much is a card?")
    say(desk, "How much is a card?", ago=timedelta(days=8))
    say(desk, "How much is a card?", ago=timedelta(days=9))
    now_, before = compared(desk.conversations.database, Period.of({}, None), None)
    assert (now_.conversations, before.conversations) == (1, 2)


def test_the_command_prints_the_same(tmp_path):
    desk = desk_of(Answerer(), tmp_path)
    say(desk, "How much is a card?")
    command = [sys.executable, "-m", "assistant.figures", "--state", str(tmp_path), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert (told["now"]["conversations"], told["now"]["quiet_percent"]) == (1, 100.0)
    assert told["before"]["first_word_median_seconds"] is None


def test_shares_add_up_to_100():
    for counts in ([1, 1, 1], [1, 2, 4], [333, 333, 334, 1], [7]):
        shares = tenths({str(n): count for n, count in enumerate(counts)})
        assert round(sum(shares.values()), 6) == 100
    assert tenths({"a": 1, "b": 2}) == {"a": 33.3, "b": 66.7}
    assert tenths({"a": 0, "b": 0}) == {"a": 0.0, "b": 0.0}


LONDON = People(timezone="Europe/London", hours=dict.fromkeys(DAYS[:5], "09:00-17:00"))


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("2031-03-03 10:00", "2031-03-03 11:30", 1.5),  # Monday
        ("2031-03-03 16:00", "2031-03-04 10:00", 2),
        ("2031-03-07 16:00", "2031-03-10 09:30", 1.5),  # over a weekend
        ("2031-03-08 10:00", "2031-03-09 12:00", 0),
        ("2031-03-03 07:00", "2031-03-03 08:59", 0),
        ("2031-03-28 16:00", "2031-03-31 10:00", 2),  # the clocks go forward on Sunday
        ("2031-03-03 11:00", "2031-03-03 10:00", 0),
    ],
)
def test_time_to_a_person_counts_in_opening_hours_alone(since, until, hours):
    zone = ZoneInfo("Europe/London")
    first, last = (datetime.fromisoformat(said).replace(tzinfo=zone) for said in (since, until))
    found = OpeningHours(LONDON, min(first, last), max(first, last))
    assert found.seconds(first, last) == hours * 3600


def test_until_midnight_no_second_is_lost():
    always = People(timezone="UTC", hours=dict.fromkeys(DAYS, "00:00-24:00"))
    first = datetime(2031, 3, 3, 12, tzinfo=UTC)
    last = first + timedelta(days=3, hours=1)
    assert OpeningHours(always, first, last).seconds(first, last) == 73 * 3600
    assert OpeningHours(None, first, last).seconds(first, last) == 73 * 3600


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("How much is a card?", "how much is a card", True),
        ("How much is a card?", "a card - how much is?", True),
        ("How much is a replacement?", "how much is a replacment", True),
        ("How much is a card?", "How much is a letter?", False),
        ("How much is a card?", "How much is a card abroad?", False),
        ("fees in Spain", "fees in France", False),
        ("请问卡丢了怎么办？", "卡丢了怎么办呢", True),
        ("卡丢了怎么办", "卡坏了怎么办", False),
    ],
)
def test_the_same_question_in_the_same_words(first, second, same):
    assert is_same(words_of(first), words_of(second)) is same


def test_picks_are_no_questions():
    moment = now()
    assert not is_repeated([Asked("2", moment), Asked("2", moment + timedelta(minutes=1))])
    late = [Asked("lost my card", moment), Asked("lost my card", moment + timedelta(hours=25))]
    assert not is_repeated(late)


def test_periods():
    asked = Period.of({"from": "2031-03-01", "to": "2031-03-31"}, LONDON)
    assert (asked.days, asked.before.last) == (31, date(2031, 2, 28))
    assert asked.begins == datetime(2031, 3, 1, tzinfo=UTC)
    assert asked.ends == datetime(2031, 3, 31, 23, tzinfo=UTC)  # summer time
    assert len(asked.steps) == 31
    assert sum(step.days for step in Period.of({"days": "90"}, None).steps) == 90
    for forged in ({"from": "x"}, {"from": "2031-13-01"}, {"days": "9999999"}, {"to": "0001-01-01"},
                   {"from": "2031-03-02", "to": "2031-03-01"}, {"from": "1902-01-01"}):  # fmt: skip
        assert Period.of(forged, None).days == 7
    assert day_begins("never", None) is None
