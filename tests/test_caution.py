"""What another caution would have done with what customers asked."""

import itertools
from datetime import timedelta

import pytest

from assistant.desk import Desk
from assistant.evidence.ranked_sentences import RankedSentences
from assistant.messages import Action, Message, Weighed
from assistant.policy import FittedPolicy, GeneralPolicy, Policy
from assistant.reports.caution import Change, StoredDecision, preview
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.tables import MessageRow, now
from tests.weighed_answers import WeighingAnswerer, sentences, talk


@pytest.fixture
def desk(store_url):
    database = Database.open(store_url)
    yield Desk(WeighingAnswerer(), Conversations(database))
    database.close()


def test_a_preview_computed_by_hand(desk):
    """At a caution of 3 an answer needs 0.45; at 9, three times its odds: 27/38 = 0.71; at 1, 0.21."""
    talk(
        desk,
        {
            "sure": (sentences(0.9), 1),
            "fair and wrong": (sentences(0.6), -1),
            "fair and right": (sentences(0.7), 1),
            "fair": (sentences(0.5), 0),
            "poor": (sentences(0.3), -1),
            "hopeless": (sentences(0.1), 0),
            "doubtful": (sentences(0.9, answerable=0.4), 0),
            "several questions": (Weighed(0.6, 0.9, 0.5, decides="part"), -1),
            "older": (None, -1),
            "picked": (Weighed(0.1, 0.2, 0.1, decides="nothing"), -1),
        },
    )
    database = desk.conversations.database
    more = preview(database, (3.0, 9.0))
    assert (more.replies, more.unknown) == (10, 2)
    # sure, three fair ones, and the picked one, whatever the caution.
    assert more.answered == 5
    assert more.more == Change()
    assert more.fewer == Change(3, thumbs_down=1, thumbs_up=1)
    # Odds of 1/3 of those of 0.5 make 0.25 of the doubtful one's threshold.
    less = preview(database, (3.0, 1.0))
    assert less.fewer == Change()
    assert less.more == Change(2, thumbs_down=1, thumbs_up=0)
    same = preview(database, (3.0, 3.0))
    assert (same.more, same.fewer) == (Change(), Change())


def test_only_the_last_days_count(desk):
    held = talk(desk, {"old": (sentences(0.6), 0), "new": (sentences(0.6), 0)})
    with desk.conversations.database.write() as session:
        (row,) = session.query(MessageRow).filter_by(
            conversation_id=held["old"], role="assistant"
        )  # fmt: skip
        row.created = now() - timedelta(days=31)
    assert preview(desk.conversations.database, (3.0, 9.0)).replies == 1
    assert preview(desk.conversations.database, (3.0, 9.0), days=40).replies == 2
    assert preview(desk.conversations.database, (3.0, 9.0), demo=True).replies == 0


@pytest.mark.parametrize("policy", [FittedPolicy, GeneralPolicy])
@pytest.mark.parametrize("caution", [0.5, 3.0, 20.0])
def test_what_is_kept_decides_as_the_turn_did(policy, caution):
    likely = (0.0, 0.2, 0.44, 0.45, 0.5, 0.7, 0.95, 1.0)
    decides = policy(caution)
    for best, answerable, expected, later in itertools.product(
        (None, *likely), likely, (False, True), (False, True)
    ):
        ranked = RankedSentences((), answerable, best=best)
        weighed = Weighed(best, answerable, ranked.best_article, expected, later)
        action = decides.decide(ranked, expected=expected, later=later)
        assert Policy(caution).would_answer(weighed) == (action is Action.ANSWER)


# Clear, unclear and strange first messages, a word, several questions, and later ones.
ASKED = (
    "How much does a replacement card cost?",
    "my payment did not work",
    "what is the limit",
    "can I take the card to the moon",
    "fees",
    "Do you lend for houses, and how old must I be?",
    "how do I make my money grow",
    "我的卡丢了怎么办？",
    "提现要多久",
)
LATER = ("and how long does that take?", "what if I am abroad?", "why")


def test_what_is_kept_foretells_another_caution(bank):
    """Of whatever it claims to know; each message is asked again with the other caution."""
    policy = bank.finder.policy
    first = bank.reply("I lost my card")
    history = [Message("user", "I lost my card"), first.message()]
    turns = [(text, []) for text in ASKED] + [(text, history) for text in LATER]
    told = 0
    try:
        for text, before in turns:
            policy.weigh(3.0)
            kept = bank.consider(text, before)
            for caution in (1.0, 9.0, 100.0):
                policy.weigh(caution)
                action = bank.consider(text, before).route.action
                decided = StoredDecision(kept.weighed, kept.route.action is Action.ANSWER, 0)
                foretold = decided.would_answer(type(policy)(caution))
                told += foretold is not None
                assert foretold in (None, action is Action.ANSWER), (text, caution)
    finally:
        policy.weigh(3.0)
    assert told >= 30
