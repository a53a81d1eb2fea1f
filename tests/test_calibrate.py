"""Calibration: weights that are known, measures by hand, and the command on small data."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

import tuning.companies
from knowledge.build_index import BANK
from knowledge.retrieval.calibration import CALIBRATION_FILE, Calibration, Fusion
from tests.conftest import STATE
from tests.small_public_data import CLINC, CROSSWOZ, HELD_OUT, write_public_data
from tuning import calibrate, customer_messages
from tuning.metrics import calibration_error
from tuning.reliability import draw_reliability
from tuning.retrieval import asked_questions, fit_fusion
from tuning.retrieval.fit_fusion import SHARES, ScoredQuery, _weights, fit
from tuning.retrieval.scored_queries import bank_questions

ARTICLES = ("a", "b", "c")
TRUE = Fusion(dense=30.0, lexical=6.0, prior=4.0, near=0.3, asked=0.4, slope=0.5, bias=-14.0)


def zeros(count=3):
    return np.zeros(count, dtype=np.float32)


def drawn(count, fusion, seed=0):
    """Return queries whose right articles are drawn by the probabilities of known weights."""
    random = np.random.default_rng(seed)
    queries = []
    for _ in range(count):
        dense = random.uniform(0.7, 0.9, 3).astype(np.float32)
        lexical, prior = random.uniform(0, 1, (2, 3)).astype(np.float32)
        near = random.uniform(0, 10, 3).astype(np.float32)
        asked = random.uniform(-5, 5, 3).astype(np.float32)
        scores = (dense, lexical, prior, near, asked)
        chances = fusion.probabilities(*scores, ARTICLES)
        chances = np.append(chances, 1 - chances.sum())
        right = (*ARTICLES, None)[random.choice(4, p=chances)]
        queries.append(ScoredQuery("development", right, ARTICLES, *scores))
    return queries


def test_the_fit_finds_the_weights_that_drew_the_answers():
    fusion = fit(drawn(700, TRUE), with_intent=True, with_spans=True)
    assert fusion.dense == pytest.approx(TRUE.dense, rel=0.25)
    assert fusion.lexical == pytest.approx(TRUE.lexical, rel=0.25)
    assert fusion.prior == pytest.approx(TRUE.prior, rel=0.25)
    assert fusion.near == pytest.approx(TRUE.near, rel=0.25)
    assert fusion.asked == pytest.approx(TRUE.asked, rel=0.25)
    assert fusion.slope == pytest.approx(TRUE.slope, rel=0.25)
    for query in drawn(5, TRUE, seed=1):
        scores = (query.dense, query.lexical, query.prior, query.near, query.asked, ARTICLES)
        expected = TRUE.probabilities(*scores)
        assert fusion.probabilities(*scores) == pytest.approx(expected, abs=0.1)


def test_the_fit_finds_probabilities_that_come_true():
    """The right article is drawn with known odds; the fitted scores show those odds."""
    random = np.random.default_rng(0)
    queries = []
    for _ in range(600):
        dense = random.uniform(0.7, 0.9, size=3).astype(np.float32)
        odds = np.exp(30 * (dense - 0.8))
        answers = 1 / (1 + np.exp(-(12 * dense.max() - 9)))
        right = "abc"[random.choice(3, p=odds / odds.sum())] if random.random() < answers else None
        queries.append(ScoredQuery("development", right, ARTICLES, dense, *[zeros()] * 4))
    fusion = fit(queries, with_intent=False)
    assert fusion.dense == pytest.approx(30, rel=0.3)
    scores = fusion.probabilities(
        np.array([0.85, 0.75], np.float32), *[np.zeros(2)] * 4, ("a", "b")
    )
    expected = 1 / (1 + np.exp(-(12 * 0.85 - 9)))
    assert scores.sum() == pytest.approx(expected, abs=0.07)
    assert scores[0] / scores[1] == pytest.approx(np.exp(30 * 0.1), rel=0.6)


def test_without_the_intent_its_prior_has_no_weight():
    fusion = fit(drawn(60, TRUE), with_intent=False, with_spans=True)
    assert fusion.prior == 0
    assert fusion.near > 0
    assert fusion.asked > 0


def test_without_span_embedders_their_scores_have_no_weight():
    fusion = fit(drawn(60, TRUE), with_intent=True)
    assert fusion.near == fusion.asked == 0
    assert fusion.prior > 0


def test_of_several_articles_that_answer_the_first_candidate_is_the_right_one():
    queries = drawn(40, TRUE)
    several = [dataclasses.replace(q, right=q.right and f"nowhere|{q.right}") for q in queries]
    assert fit(several, with_intent=True) == fit(queries, with_intent=True)
    either = [dataclasses.replace(query, right="c|a") for query in queries]
    first = [dataclasses.replace(query, right="a") for query in queries]
    assert fit(either, with_intent=True) == fit(first, with_intent=True)


def test_an_article_that_is_no_candidate_counts_as_no_answer():
    queries = drawn(40, TRUE)
    unknown = [dataclasses.replace(q, right=q.right or "elsewhere") for q in queries]
    assert {query.right for query in unknown} == {*ARTICLES, "elsewhere"}
    assert fit(unknown, with_intent=True) == fit(queries, with_intent=True)


def test_each_kind_of_question_has_its_share_of_the_likelihood():
    kinds = ["companies", "companies", "near", "out_of_scope"]
    queries = [ScoredQuery(kind, None, ("a",), *[zeros(1)] * 5) for kind in kinds]
    total = SHARES["companies"] + SHARES["near"] + SHARES["out_of_scope"]
    expected = [SHARES["companies"] / 2] * 2 + [SHARES["near"], SHARES["out_of_scope"]]
    assert _weights(queries) == pytest.approx(np.array(expected) / total)


def test_no_question_is_measured_by_weights_that_were_fitted_on_it(monkeypatch):
    """The best hit counts, and its score is that of the other half's weights."""
    fitted = []

    def fake(queries, *, with_intent, with_spans):
        assert with_intent
        assert not with_spans
        fitted.append(queries)
        return Fusion(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, float(len(fitted)))

    monkeypatch.setattr(calibrate, "fit", fake)
    dense = np.array([0.1, 0.5, 0.2], dtype=np.float32)
    queries = [
        ScoredQuery("development", right, ARTICLES, dense, *[zeros()] * 4)
        for right in ("c|b", "a", None, "b")
    ]
    table = calibrate._table(queries, intent=True, spans=False)
    assert fitted == [queries[1::2], queries[0::2]]
    assert table[:, 1].tolist() == [1, 0, 0, 1]  # rows 0 and 2, then 1 and 3
    assert table[:, 2].tolist() == [1, 0, 1, 1]
    share = np.exp(0.5) / np.exp(dense).sum()
    answers = [1 / (1 + np.exp(-bias)) for bias in (1, 1, 2, 2)]
    assert table[:, 0] == pytest.approx(share * np.array(answers), rel=1e-5)


def test_the_report_by_hand(capsys):
    """Of three questions with an answer two are right; one of two others passes a floor of 0.3."""
    rows = [(0.9, 1, 1), (0.25, 1, 1), (0.4, 0, 1), (0.35, 0, 0), (0.05, 0, 0)]
    calibrate._report(np.array(rows, dtype=float))
    report = capsys.readouterr().out
    assert "first article right 0.667 of 3" in report
    # Each question is alone in its bin: |0.9 - 1|, |0.25 - 1|, 0.4, 0.35 and 0.05.
    assert f"expected calibration error {(0.1 + 0.75 + 0.4 + 0.35 + 0.05) / 5:.3f}" in report
    line = next(line for line in report.splitlines() if "floor 0.30" in line)
    assert "right ones refused 0.500, out of scope passed 0.500" in line
    assert "right in [0.30, 0.40): 0.00 of 1" in line


def test_scores_that_are_true_are_drawn_as_often_as_they_say():
    scores = np.array([0.0, 0.2, 0.9, 1.0])
    assert calibrate._perfect(scores).mean(axis=0) == pytest.approx(scores, abs=0.08)


def test_calibration_error_by_hand():
    """Ten hits of score 0.95 of which nine are right, ten of 0.15 of which none is."""
    scores = np.array([0.95] * 10 + [0.15] * 10)
    right = np.array([1.0] * 9 + [0.0] * 11)
    assert calibration_error(scores, right) == pytest.approx((0.05 + 0.15) / 2)


def test_a_reliability_diagram_by_hand():
    """Two bins with three predictions each, and one prediction that is too few."""
    scores = np.array([0.22, 0.25, 0.28, 0.91, 0.95, 0.99, 0.55])
    right = np.array([0, 0, 1, 1, 1, 1, 0])
    axis = Figure().subplots()
    draw_reliability(axis, scores, right, fewest=3, label="name")
    draw_reliability(axis, scores, right)
    few, every = (line.get_xydata() for line in axis.get_lines())
    assert few == pytest.approx(np.array([[0.25, 1 / 3], [0.95, 1.0]]))
    assert every == pytest.approx(np.array([[0.25, 1 / 3], [0.55, 0.0], [0.95, 1.0]]))


@pytest.fixture
def small_data(tmp_path, monkeypatch):
    """Small public data, a few of the project's questions, one company per language."""
    write_public_data(tmp_path / "data")
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path / "data"))
    questions, companies = asked_questions.project_questions, tuning.companies.load_companies("dev")
    monkeypatch.setattr(
        asked_questions, "project_questions", lambda name, lang: questions(name, lang)[::16]
    )
    few = [
        dataclasses.replace(company, pairs=company.pairs[::8])
        for company in (companies[0], next(c for c in companies if c.lang != companies[0].lang))
    ]
    monkeypatch.setattr(tuning.companies, "load_companies", lambda part: few)
    centres = customer_messages.help_centres
    monkeypatch.setattr(
        customer_messages,
        "help_centres",
        lambda part, lang: [
            dataclasses.replace(centre, messages=centre.messages[::8])
            for centre in centres(part, lang)
        ],
    )


@pytest.mark.usefixtures("small_data")
def test_the_banks_questions_are_of_development_sets_and_sorted_by_kind():
    english, chinese = (bank_questions(BANK, lang) for lang in ("en", "zh"))
    kinds = [kind for _, _, kind in english]
    assert kinds == sorted(kinds)
    by_kind = {kind: [row for row in english if row[2] == kind] for kind in set(kinds)}
    assert [text for text, _, _ in by_kind["banking77"]] == [HELD_OUT.lower()]
    assert [text for text, _, _ in by_kind["out_of_scope"]] == [CLINC["val"][0][1]]
    assert all(right is None for _, right, _ in by_kind["out_of_scope"])
    expected = {"customers", "development", "out_of_scope", "unanswered"}
    assert {kind for _, _, kind in chinese} == expected
    assert all(right for _, right, kind in chinese if kind == "customers")
    assert not any(right for _, right, kind in chinese if kind == "unanswered")
    strange = {text for text, _, kind in chinese if kind == "out_of_scope"}
    assert strange == set(CROSSWOZ[1::2])


@pytest.mark.model
@pytest.mark.usefixtures("small_data")
def test_the_command_fits_both_calibrations_and_draws_a_diagram(tmp_path, monkeypatch, capsys):
    saved = {}
    monkeypatch.setattr(Calibration, "save", lambda self, file: saved.update({file: self}))
    # Each start takes as long as the other, and there are 36 fits.
    monkeypatch.setattr(fit_fusion, "STARTS", fit_fusion.STARTS[:1])
    plot = tmp_path / "plot.png"
    assert calibrate.main(["--state", str(STATE), "--plot", str(plot)]) == 0
    assert plot.read_bytes().startswith(b"\x89PNG")
    anybody, bank = saved[CALIBRATION_FILE], saved[BANK / "weights" / CALIBRATION_FILE.name]
    assert (anybody.own, bank.own) == (False, True)
    report = capsys.readouterr().out
    kinds = {f"{lang}{spans}" for lang in ("en", "zh") for spans in ("", ", spans")}
    assert set(bank.fusions) == kinds, "none of the bank's answers depends on the intent"
    intents = {f"{lang}, intent{spans}" for lang in ("en", "zh") for spans in ("", ", spans")}
    assert set(anybody.fusions) == kinds | intents
    for company, calibration in (("any company", anybody), ("the bank", bank)):
        for kind, fusion in calibration.fusions.items():
            assert f"\n{company}, {kind}: {fusion}\n" in report
            assert "intent" in kind or fusion.prior == 0
            assert "spans" in kind or fusion.near == fusion.asked == 0


def test_a_dry_run_writes_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path))
    calls = []
    monkeypatch.setattr(calibrate, "_calibrate", lambda *args, **options: calls.append(options))
    assert calibrate.main(["--dry-run"]) == calibrate.main([]) == 0
    assert calls == [{"write": False}, {"write": True}]


def test_without_public_data_nothing_is_fitted(monkeypatch, capsys):
    monkeypatch.delenv("FRONTDESK_DATA", raising=False)
    assert calibrate.main([]) == 2
    message = capsys.readouterr().err
    assert message.startswith("calibrate: Expected the folder of public data sets")
    assert "Traceback" not in message
