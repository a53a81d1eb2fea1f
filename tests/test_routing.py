"""One table of routes: each row, once."""

import pytest

from assistant.config import USUAL_CAUTION, Settings
from assistant.evidence.ranked_sentences import Evidence, RankedSentences
from assistant.intents.classifier import Prediction
from assistant.intents.risks import ORDINARY
from assistant.intents.turn_kinds import ASKS, KINDS
from assistant.messages import Action
from assistant.policy import FittedPolicy, GeneralPolicy
from assistant.routing import Router
from assistant.routing.rules import RULES
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


def ranking(answerable, *shares, best=None):
    """Return a ranking in which each article has one sentence with its share."""
    found = [Evidence(hit.passage, Span(0, 1), hit.score) for hit in hits(*shares or (1.0,))]
    return RankedSentences(sorted(found, key=lambda e: -e.score), answerable, best=best)


NAMES = [rule.name for rule in RULES]
# A company whose hits' scores were fitted on its own questions, and any other one.
PLAIN = {"policy": FittedPolicy, "injection": False, "failures": 0, "answerable": 0.9, "best": 0.6}
OTHERS = {"policy": GeneralPolicy}


def routed(
    asked,
    found,
    *,
    policy,
    injection,
    failures,
    answerable,
    best,
    shares=(),
    caution=USUAL_CAUTION,
    kinds=None,
    asked_back=False,
):
    """Decide as a turn does: without reading where that is enough."""
    router = Router(policy(caution))
    decided = router.before_reading(
        asked, found, injection=injection, failures=failures, kinds=kinds
    )
    return decided or router.after_reading(
        asked,
        found,
        ranking(answerable, *shares, best=best),
        failures=failures,
        expected=kinds is None and router.is_expected(asked, found),
        kinds=kinds,
        asked_back=asked_back,
    )


def later(**likely):
    """Return the kinds of a later message; what is not named asks."""
    return {**dict.fromkeys(KINDS, 0.0), "asks": 1 - sum(likely.values()), **likely}


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
        ({}, hits(0.9), {"answerable": 0.4, "best": 0.1}, Action.DECLINE, "not_found"),
        ({}, hits(0.9), {"failures": 2, "answerable": 0.4, "best": 0.1},
         Action.HANDOFF, "repeated_failure"),
        ({"score": 0.3}, hits(0.35, 0.3), {"best": 0.3}, Action.CLARIFY, "clarify"),
        ({"score": 0.3}, hits(0.15, 0.1), {"answerable": 0.6, "best": 0.3},
         Action.DECLINE, "not_found"),
        ({"score": 0.3}, hits(0.1, 0.05), {"best": 0.5}, Action.ANSWER, "answer"),
        ({"score": 0.3}, hits(0.9, 0.15), {"answerable": 0.1}, Action.CLARIFY, "clarify"),
        ({"article": "a0"}, hits(0.9, 0.15), {"answerable": 0.1, "best": 0.1},
         Action.CLARIFY, "clarify"),
        ({"article": "a0"}, hits(0.3, 0.15), {"answerable": 0.55, "best": 0.1},
         Action.ANSWER, "answer"),
        ({"score": 0.3}, hits(0.2, 0.15), OTHERS, Action.ANSWER, "answer"),
        ({"score": 0.3}, hits(0.9, 0.15), {**OTHERS, "best": 0.3}, Action.CLARIFY, "clarify"),
        ({"score": 0.3}, hits(0.9, 0.15), {**OTHERS, "answerable": 0.6, "best": 0.3},
         Action.DECLINE, "not_found"),
        # Where no network reads, the best hit's score is all that is known.
        ({"score": 0.3}, hits(0.9), {"best": None}, Action.ANSWER, "answer"),
        ({"score": 0.3}, hits(0.9, 0.9), {"best": None, "shares": (0.5, 0.5)},
         Action.CLARIFY, "clarify"),
        ({"score": 0.3}, hits(0.3), {"best": None, "answerable": 0.3}, Action.CLARIFY, "clarify"),
        ({"score": 0.3}, hits(0.3), {**OTHERS, "best": None, "answerable": 0.3},
         Action.DECLINE, "not_found"),
    ],
)  # fmt: skip
def test_table(given, found, options, action, reason):
    route = routed(prediction(**given), found, **{**PLAIN, **options})
    assert (route.action, route.reason) == (action, reason)
    assert route.rule in NAMES


def test_a_threshold_of_the_table_is_one_of_every_policy():
    for rule in RULES:
        for name in rule.thresholds:
            for policy in (FittedPolicy, GeneralPolicy):
                assert 0 < getattr(policy, name) < 1, (rule.name, name)


NOTHING = {"answerable": 0.4, "best": 0.1}


@pytest.mark.parametrize(
    ("given", "options", "rule"),
    [
        ({}, {"injection": True}, "order"),
        ({"language": "other"}, {}, "language"),
        ({"intent": "greeting", "action": Action.SMALL_TALK}, {}, "intent"),
        ({"intent": "out_of_scope", "action": Action.DECLINE, "out_of_scope": 0.9}, {}, "outside"),
        ({}, NOTHING, "unread"),
        ({"score": 0.3}, {"best": 0.3}, "unclear"),
        ({}, {}, "clear"),
        ({}, {"kinds": "person"}, "person"),
        ({}, {"kinds": "closing"}, "aside"),
        ({}, {"kinds": "pushback", **NOTHING}, "pushback"),
    ],
)
def test_the_rule_that_decided_is_named(given, options, rule):
    kinds = later(**{options["kinds"]: 0.9}) if "kinds" in options else None
    found = routed(prediction(**given), hits(0.35), **{**PLAIN, **options, "kinds": kinds})
    assert found.rule == rule


def test_no_decline_comes_three_times():
    replies = []
    for failures in range(3):
        given = {**PLAIN, **NOTHING, "failures": failures}
        replies.append(routed(prediction(score=0.3), hits(0.35), **given))
    assert [route.reason for route in replies] == [
        "not_found",
        "not_found_again",
        "repeated_failure",
    ]


def test_a_decline_names_the_nearest_article_where_one_is_near():
    near = {**PLAIN, "answerable": 0.4, "best": 0.1}
    far = {**PLAIN, "answerable": 0.1, "best": 0.1}
    found = hits(0.35, 0.3)
    assert routed(prediction(score=0.3), found, **near, shares=(0.2, 0.8)).near == "A1"
    assert routed(prediction(score=0.3), found, **far, shares=(0.2, 0.8)).near == ""


GREETING = {"intent": "greeting", "action": Action.SMALL_TALK}


@pytest.mark.parametrize(
    ("given", "kinds", "options", "action", "reason"),
    [
        ({}, later(), {}, Action.ANSWER, "answer"),
        # Neither an intent nor the out-of-scope score alone ends what an article answers.
        (OOS, later(), {}, Action.ANSWER, "answer"),
        (GREETING, later(), {}, Action.ANSWER, "answer"),
        (OOS, later(), NOTHING, Action.DECLINE, "out_of_scope"),
        (GREETING, later(closing=0.7), NOTHING, Action.SMALL_TALK, "greeting"),
        ({}, later(closing=0.9), {}, Action.SMALL_TALK, "thanks"),
        ({}, later(closing=0.5), {}, Action.ANSWER, "answer"),
        ({}, later(closing=0.5), NOTHING, Action.SMALL_TALK, "thanks"),
        ({}, later(person=0.9), {}, Action.HANDOFF, "talk_to_a_person"),
        ({}, later(person=0.5), {}, Action.ANSWER, "answer"),
        ({}, later(person=0.5), NOTHING, Action.HANDOFF, "talk_to_a_person"),
        ({}, later(pushback=0.9), {}, Action.ANSWER, "answer"),
        ({}, later(pushback=0.9), NOTHING, Action.HANDOFF, "repeated_failure"),
        ({}, later(), {"best": 0.3}, Action.CLARIFY, "clarify"),
        ({}, later(), {"best": 0.3, "asked_back": True}, Action.DECLINE, "not_found"),
        ({}, later(), {"injection": True}, Action.REFUSE, "injection"),
    ],
)  # fmt: skip
def test_table_of_later_messages(given, kinds, options, action, reason):
    route = routed(
        prediction(**(given or {"score": 0.3})), hits(0.5), **{**PLAIN, **options}, kinds=kinds
    )
    assert (route.action, route.reason) == (action, reason)


def test_clarify_offers_the_best_articles_once_each():
    found = hits(0.35, 0.34, 0.3, 0.2)
    found.insert(1, found[0])
    options = {**PLAIN, "best": 0.2, "shares": (0.3, 0.3, 0.2, 0.2)}
    route = routed(prediction(score=0.3), found, **options)
    assert route.choices == ("A0", "A1", "A2", "A3")


def test_clarify_offers_nothing_that_is_unlikely_beside_another():
    found = hits(0.35, 0.34, 0.3, 0.2)
    options = {**PLAIN, "best": 0.2, "shares": (0.0, 0.5, 0.45, 0.02)}
    route = routed(prediction(score=0.3), found, **options)
    assert route.choices == ("A1", "A2")


def test_clarify_offers_what_answers_likeliest_before_what_was_found_first():
    found = hits(0.35, 0.34, 0.3, 0.2, 0.1)
    options = {**PLAIN, "best": 0.2, "shares": (0.0, 0.1, 0.2, 0.0, 0.7)}
    route = routed(prediction(score=0.3), found, **options)
    assert route.choices == ("A4", "A2", "A1")


def test_one_likely_article_is_offered_beside_the_best_hit():
    found = hits(0.35, 0.34)
    options = {**PLAIN, "best": 0.2, "shares": (0.01, 0.99)}
    assert routed(prediction(score=0.3), found, **options).choices == ("A1", "A0")


@pytest.mark.parametrize("policy", [FittedPolicy, GeneralPolicy])
@pytest.mark.parametrize(
    ("answerable", "reason"), [(0.95, "answer"), (0.8, "nearest"), (0.01, "nearest")]
)
def test_what_was_picked_is_answered_and_doubt_is_told(policy, answerable, reason):
    route = Router(policy()).after_pick(ranking(answerable), failures=1)
    assert (route.action, route.reason) == (Action.ANSWER, reason)


@pytest.mark.parametrize("policy", [FittedPolicy, GeneralPolicy])
def test_more_caution_means_more_doubt_about_what_was_picked(policy):
    routers = [Router(policy(caution)) for caution in (1, 3, 20)]
    reasons = [router.after_pick(ranking(0.95), 0).reason for router in routers]
    assert reasons == ["answer", "answer", "nearest"]


def test_none_of_the_choices_is_declined_and_then_goes_to_a_person():
    nothing = RankedSentences((), 0.0)
    router = Router(GeneralPolicy())
    assert router.after_pick(nothing, failures=1).reason == "not_found_again"
    assert router.after_pick(nothing, failures=2).action is Action.HANDOFF


def test_a_sure_intent_whose_article_was_found_is_answered_though_the_words_are_few():
    found = [Hit(Passage("cards", "en", "Cards", "", "x", 0, 1), 0.35)]
    route = routed(prediction(), found, **PLAIN)
    assert route.action is Action.ANSWER


@pytest.mark.parametrize("policy", [FittedPolicy, GeneralPolicy])
def test_the_dearer_a_wrong_answer_the_surer_it_must_be(policy):
    def action(caution):
        known = {**PLAIN, "policy": policy, "answerable": 0.8}
        return routed(prediction(score=0.3), hits(0.6), **known, caution=caution).action

    assert action(1) is Action.ANSWER
    assert action(USUAL_CAUTION) is Action.ANSWER
    assert action(20) is Action.CLARIFY


@pytest.mark.parametrize("policy", [FittedPolicy, GeneralPolicy])
def test_the_usual_caution_keeps_the_thresholds_and_ten_times_of_it_has_ten_times_the_odds(policy):
    assert Settings().caution == USUAL_CAUTION
    usual, dear = policy(), policy(10 * USUAL_CAUTION)
    threshold = policy.clear_article
    assert usual._raised(threshold) == pytest.approx(threshold)
    raised = dear._raised(threshold)
    assert raised / (1 - raised) == pytest.approx(10 * threshold / (1 - threshold))


@pytest.mark.parametrize("policy", [FittedPolicy, GeneralPolicy])
def test_caution_moves_neither_floors_nor_intents(policy):
    dear = {**PLAIN, "policy": policy, "caution": 60.0, "answerable": 0.75}
    # Above its own floor each policy asks; it does not decline.
    assert routed(prediction(score=0.3), hits(0.26), **dear).reason == "clarify"
    assert Router(policy(60.0)).is_settled(prediction(action=Action.SMALL_TALK, score=0.61))
    assert policy(60.0).is_strange(prediction(out_of_scope=policy.strange), hits(0.59), ORDINARY)


def test_a_question_whether_the_assistant_is_a_person_is_no_wish_for_one():
    router = Router(GeneralPolicy())
    risks = {**ORDINARY, "ordinary": 0.5, "person": 0.5}

    def routed_at(given, risks=risks):
        return router.before_reading(given, hits(0.3), injection=False, failures=0, risks=risks)

    chat = prediction(intent="who_are_you", action=Action.SMALL_TALK)
    assert routed_at(chat).reason == "who_are_you"
    assert routed_at(prediction()).rule == "person"


def test_a_sure_wish_for_a_person_is_met_at_any_turn_and_before_an_insult():
    router = Router(GeneralPolicy())
    sure = {**ORDINARY, "ordinary": 0.3, "person": 0.7}
    chat = prediction(intent="who_are_you", action=Action.SMALL_TALK)
    for kinds in (None, ASKS):
        route = router.before_reading(
            chat, hits(0.9), injection=False, failures=0, kinds=kinds, risks=sure
        )
        assert (route.action, route.rule) == (Action.HANDOFF, "person")
    assert router.of_risk({**ORDINARY, "insult": 0.65, "person": 0.7}) is None
    assert router.of_risk({**ORDINARY, "insult": 0.65, "person": 0.3}).rule == "insult"


def test_what_is_surely_outside_is_declined_whatever_was_found():
    router = Router(FittedPolicy())
    outside = {**ORDINARY, "ordinary": 0.2, "outside": 0.8}
    for kinds in (None, ASKS):
        route = router.before_reading(
            prediction(article=None),
            hits(0.99),
            injection=False,
            failures=0,
            kinds=kinds,
            risks=outside,
        )
        assert (route.action, route.reason) == (Action.DECLINE, "out_of_scope")
        assert router.before_reading(
            prediction(), hits(0.99), injection=False, failures=0, kinds=kinds, risks=outside
        ) is None  # fmt: skip
    odd = {**ORDINARY, "ordinary": 0.7, "outside": 0.3}
    assert router.before_reading(
        prediction(), hits(0.99), injection=False, failures=0, risks=odd
    ) is None  # fmt: skip


def test_what_is_outside_for_one_company_is_the_trade_of_another():
    outside = {**ORDINARY, "ordinary": 0.1, "outside": 0.9}
    found = {"injection": False, "failures": 0, "risks": outside}
    assert (
        Router(GeneralPolicy()).before_reading(prediction(article=None), hits(0.9), **found) is None
    )
    declined = Router(GeneralPolicy()).before_reading(prediction(article=None), hits(0.3), **found)
    assert declined.action is Action.DECLINE


def test_nothing_is_asked_back_about_what_is_likely_outside():
    unclear = ranking(0.8, 0.5, 0.45, best=0.3)
    odd = {**ORDINARY, "ordinary": 0.7, "outside": 0.3}
    router = Router(FittedPolicy())
    asked = router.after_reading(prediction(), hits(0.9, 0.8), unclear, failures=0)
    assert asked.action is Action.CLARIFY
    declined = router.after_reading(prediction(), hits(0.9, 0.8), unclear, failures=0, risks=odd)
    assert (declined.action, declined.reason) == (Action.DECLINE, "out_of_scope")


def test_what_only_an_account_can_tell_is_answered_for_everybody_or_declined():
    router = Router(GeneralPolicy())
    sure = ranking(0.95, best=0.9)
    told = router.after_reading(prediction(), hits(0.9), sure, failures=0, account=0.9)
    assert (told.action, told.reason, told.rule) == (Action.ANSWER, "account", "account")
    poor = ranking(0.1, best=0.1)
    told = router.after_reading(prediction(), hits(0.9), poor, failures=0, account=0.9)
    assert (told.action, told.reason) == (Action.DECLINE, "account_unread")
