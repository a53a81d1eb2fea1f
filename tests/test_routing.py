"""One table of routes: each row, once."""

import pytest

from assistant.config import USUAL_CAUTION, Settings
from assistant.intents import Prediction
from assistant.messages import Action
from assistant.routing import THRESHOLDS, Router
from knowledge.documents import Hit, Passage


def prediction(
    intent="lost_card",
    score=0.9,
    action=Action.ANSWER,
    language="en",
    out_of_scope=0.0,
    article="cards",
):
    return Prediction(
        intent=intent,
        score=score,
        action=action,
        article=article,
        runner_up="other",
        runner_up_score=0.05,
        out_of_scope=out_of_scope,
        language=language,
        articles={},
    )


def hits(*scores):
    return [Hit(Passage(f"a{n}", "en", f"A{n}", "", "x", 0, 1), s) for n, s in enumerate(scores)]


# Whoever asks, of the company whose questions the hits' scores were fitted on.
PLAIN = {"injection": False, "failures": 0, "own": True, "answerable": 0.9}
OTHERS = {"own": False}


def routed(asked, found, *, injection, failures, own, answerable, caution=USUAL_CAUTION):
    """Decide as a turn does: without reading where that is enough."""
    router = Router(caution)
    known = {"failures": failures, "own": own}
    decided = router.before_reading(asked, found, injection=injection, **known)
    return decided or router.after_reading(asked, found, answerable=answerable, **known)


OOS = {"intent": "out_of_scope", "action": Action.DECLINE, "out_of_scope": 0.9}


@pytest.mark.parametrize(
    ("given", "found", "options", "action", "reason"),
    [
        ({}, hits(0.9), {}, Action.ANSWER, "answer"),
        ({}, hits(0.9), {"injection": True}, Action.REFUSE, "injection"),
        ({"language": "other"}, hits(0.9), {}, Action.DECLINE, "other_language"),
        ({"intent": "greeting", "action": Action.SMALL_TALK}, [], {}, Action.SMALL_TALK, "greeting"),
        ({"intent": "abuse", "action": Action.REFUSE}, hits(0.9), {}, Action.REFUSE, "abuse"),
        (
            {"intent": "complaint", "action": Action.HANDOFF},
            hits(0.9),
            {},
            Action.HANDOFF,
            "complaint",
        ),
        ({"intent": "greeting", "action": Action.SMALL_TALK, "score": 0.4}, hits(0.9), {},
         Action.ANSWER, "answer"),
        (OOS, hits(0.1), {}, Action.DECLINE, "out_of_scope"),
        (OOS, hits(0.9), {}, Action.ANSWER, "answer"),
        ({}, [], {}, Action.DECLINE, "not_found"),
        ({}, hits(0.01), {}, Action.DECLINE, "not_found"),
        ({}, hits(0.01), {"failures": 2}, Action.HANDOFF, "repeated_failure"),
        ({"score": 0.3}, hits(0.35, 0.3), {}, Action.CLARIFY, "clarify"),
        ({"score": 0.3}, hits(0.2, 0.15), {}, Action.DECLINE, "not_found"),
        ({"score": 0.3}, hits(0.9, 0.15), {"answerable": 0.1}, Action.CLARIFY, "clarify"),
        ({"article": "a0"}, hits(0.9, 0.15), {"answerable": 0.1}, Action.CLARIFY, "clarify"),
        ({"article": "a0"}, hits(0.3, 0.15), {"answerable": 0.4}, Action.ANSWER, "answer"),
        ({"score": 0.3}, hits(0.2, 0.15), {**OTHERS, "answerable": 0.5}, Action.CLARIFY, "clarify"),
        ({"score": 0.3}, hits(0.2, 0.15), {**OTHERS, "answerable": 0.9}, Action.ANSWER, "answer"),
        ({"score": 0.3}, hits(0.9, 0.15), {**OTHERS, "answerable": 0.1}, Action.DECLINE, "not_found"),
    ],
)  # fmt: skip
def test_table(given, found, options, action, reason):
    route = routed(prediction(**given), found, **{**PLAIN, **options})
    assert (route.action, route.reason) == (action, reason)


def test_clarify_offers_the_best_articles_once_each():
    found = hits(0.35, 0.34, 0.3, 0.2)
    found.insert(1, found[0])
    route = routed(prediction(score=0.3), found, **PLAIN)
    assert route.choices == ("A0", "A1", "A2")


def test_a_sure_intent_whose_article_was_found_is_answered_though_the_words_are_few():
    found = [Hit(Passage("cards", "en", "Cards", "", "x", 0, 1), 0.35)]
    route = routed(prediction(), found, **PLAIN)
    assert route.action is Action.ANSWER


@pytest.mark.parametrize("options", [{"own": True}, {"own": False}])
def test_the_dearer_a_wrong_answer_the_surer_it_must_be(options):
    def action(caution):
        known = {**PLAIN, **options, "answerable": 0.8}
        return routed(prediction(score=0.3), hits(0.6), **known, caution=caution).action

    assert action(1) is Action.ANSWER
    assert action(USUAL_CAUTION) is Action.ANSWER
    assert action(20) is Action.CLARIFY


def test_the_usual_caution_leaves_the_table_and_ten_times_of_it_ten_times_the_odds():
    assert Settings().caution == USUAL_CAUTION
    usual = THRESHOLDS["en"]
    same, dear = usual.with_caution(USUAL_CAUTION), usual.with_caution(10 * USUAL_CAUTION)
    assert same.clear_any == pytest.approx(usual.clear_any)
    odds = [at.clear_any / (1 - at.clear_any) for at in (usual, dear)]
    assert odds[1] == pytest.approx(10 * odds[0])
    assert (dear.floor, dear.sure, dear.strange) == (usual.floor, usual.sure, usual.strange)
