"""The trust curve: of answers given at a probability, how many were right."""

import pytest

from assistant.desk import Desk
from assistant.messages import Weighed
from assistant.reports.trust import bucket_of, judged_answers, trust_curve
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.tables import ConversationRow, now
from tests.weighed_answers import WeighingAnswerer, sentences, talk


@pytest.fixture
def desk(store_url):
    database = Database.open(store_url)
    yield Desk(WeighingAnswerer(), Conversations(database))
    database.close()


def test_a_curve_computed_by_hand(desk):
    """12 answers at 0.85, 9 of them right; 3 at 0.5, 1 right; one of each that counts nowhere."""
    said = {f"high {n}": (sentences(0.85), 1 if n < 9 else -1) for n in range(12)}
    said |= {f"low {n}": (sentences(0.5), 1 if n < 1 else -1) for n in range(3)}
    said |= {
        "not judged": (sentences(0.85), 0),
        "a declined one": (sentences(0.2), -1),
        "without a probability": (None, 1),
    }
    talk(desk, said)
    trust = trust_curve(desk.conversations.database)
    assert (trust.judged, trust.unknown) == (15, 1)
    high, low = trust.buckets[8], trust.buckets[5]
    assert (high.judged, high.right, high.is_enough) == (12, 9, True)
    assert high.expected == pytest.approx(0.85)
    # Wilson by hand: (p + z²/2n ± z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n) with p = 0.75, n = 12.
    assert high.interval == (pytest.approx(0.4677, abs=1e-3), pytest.approx(0.9111, abs=1e-3))
    assert (low.judged, low.right, low.is_enough) == (3, 1, False)
    assert sum(bucket.judged for bucket in trust.buckets) == 15
    assert trust.buckets[0].interval == (0.0, 1.0)


def test_where_nothing_read_sentences_the_article_counts(desk):
    talk(desk, {"cosines": (Weighed(None, 0.95, 0.72, decides="answer"), 1)})
    assert trust_curve(desk.conversations.database).buckets[7].judged == 1


def test_invented_conversations_are_counted_apart(desk):
    held = talk(desk, {"a": (sentences(0.9), 1), "b": (sentences(0.9), -1)})
    with desk.conversations.database.write() as session:
        session.get(ConversationRow, held["b"]).is_demo = True
    real, demo = (trust_curve(desk.conversations.database, demo=d) for d in (False, True))
    assert [(t.judged, t.buckets[9].right) for t in (real, demo)] == [(1, 1), (1, 0)]


def test_the_answers_of_a_bucket_are_named_page_by_page(desk):
    held = talk(desk, {f"q {n}": (sentences(n / 10), 1) for n in (5, 6, 7, 10)})
    database = desk.conversations.database
    assert [one.question for one in judged_answers(database, 9)] == ["q 10"]
    (one,) = judged_answers(database, 6)
    assert (one.question, one.conversation, one.answers) == ("q 6", held["q 6"], 0.6)
    assert not judged_answers(database, 6, offset=1)
    assert not judged_answers(database, 6, since=now())
    assert [bucket_of(value) for value in (0.0, 0.1, 0.3, 0.7, 0.999, 1.0)] == [0, 1, 3, 7, 9, 9]
