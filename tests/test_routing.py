"""One table of routes: each row, once."""

import pytest

from assistant.config import USUAL_CAUTION, Settings
from assistant.evidence.ranked_sentences import Evidence, RankedSentences
from assistant.intents.classifier import Prediction
from assistant.messages import Action
from assistant.routing import THRESHOLDS, Router
from knowledge.documents import Hit, Passage
from knowledge.segmenter import Span


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


def ranking(answerable, *shares):
    """Return a ranking in which each article has one sentence with its share."""
    found = [Evidence(hit.passage, Span(0, 1), hit.score) for hit in hits(*shares or (1.0,))]
    return RankedSentences(sorted(found, key=lambda e: -e.score), answerable)


# Whoever asks, of the company whose questions the hits' scores were fitted on.
PLAIN = {"injection": False, "failures": 0, "own": True, "answerable": 0.9}
OTHERS = {"own": False}


def routed(asked, found, *, injection, failures, own, answerable, shares=(), caution=USUAL_CAUTION):
    """Decide as a turn does: without reading where that is enough."""
    router = Router(caution)
    known = {"failures": failures, "own": own}
    decided = router.before_reading(asked, found, injection=injection, **known)
    return decided or router.after_reading(asked, found, ranking(answerable, *shares), **known)


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
        ({}, hits(0.01), {"answerable": 0.5}, Action.DECLINE, "not_found"),
        ({}, hits(0.01), {"failures": 2, "answerable": 0.5}, Action.HANDOFF, "repeated_failure"),
        ({"score": 0.3}, hits(0.35, 0.3), {}, Action.CLARIFY, "clarify"),
        ({"score": 0.3}, hits(0.2, 0.15), {"answerable": 0.5}, Action.DECLINE, "not_found"),
        ({"score": 0.3}, hits(0.2, 0.15), {}, Action.CLARIFY, "clarify"),
        ({"score": 0.3}, hits(0.9, 0.15), {"answerable": 0.1}, Action.CLARIFY, "clarify"),
        ({"article": "a0"}, hits(0.9, 0.15), {"answerable": 0.1}, Action.CLARIFY, "clarify"),
        ({"article": "a0"}, hits(0.3, 0.15), {"answerable": 0.4}, Action.ANSWER, "answer"),
        ({"score": 0.3}, hits(0.2, 0.15), {**OTHERS, "answerable": 0.5}, Action.CLARIFY, "clarify"),
        ({"score": 0.3}, hits(0.2, 0.15), {**OTHERS, "answerable": 0.9}, Action.ANSWER, "answer"),
        ({"score": 0.3}, hits(0.9, 0.15), {**OTHERS, "answerable": 0.1}, Action.DECLINE, "not_found"),
        ({"score": 0.3}, hits(0.9, 0.9), {**OTHERS, "shares": (0.5, 0.5)}, Action.CLARIFY, "clarify"),
    ],
)  # fmt: skip
def test_table(given, found, options, action, reason):
    route = routed(prediction(**given), found, **{**PLAIN, **options})
    assert (route.action, route.reason) == (action, reason)


def test_clarify_offers_the_best_articles_once_each():
    found = hits(0.35, 0.34, 0.3, 0.2)
    found.insert(1, found[0])
    route = routed(prediction(score=0.3), found, **PLAIN)
    assert route.choices == ("A0", "A1", "A2", "A3")


def test_clarify_offers_what_answers_likeliest_before_what_was_found_first():
    found = hits(0.35, 0.34, 0.3, 0.2, 0.1)
    options = {**PLAIN, "shares": (0.0, 0.1, 0.2, 0.0, 0.7)}
    route = routed(prediction(score=0.3), found, **options)
    assert route.choices == ("A4", "A2", "A0", "A1")


@pytest.mark.parametrize(
    ("answerable", "reason"), [(0.95, "answer"), (0.8, "nearest"), (0.01, "nearest")]
)
def test_what_was_picked_is_answered_and_doubt_is_told(answerable, reason):
    route = Router().after_pick(ranking(answerable), "en", failures=1)
    assert (route.action, route.reason) == (Action.ANSWER, reason)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_whoever_asks_more_also_doubts_more_of_what_was_picked(lang):
    reasons = [Router(caution).after_pick(ranking(0.95), lang, 0).reason for caution in (1, 3, 20)]
    assert reasons == ["answer", "answer", "nearest"]


def test_none_of_the_choices_is_declined_and_then_goes_to_a_person():
    nothing = RankedSentences((), 0.0)
    assert Router().after_pick(nothing, "en", failures=1).reason == "not_found"
    assert Router().after_pick(nothing, "en", failures=2).action is Action.HANDOFF


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
