"""The evaluation: outcomes, intervals, tables and pages, and the meaning of `auto`."""

import json
from pathlib import Path

import pytest

from assistant.config import Settings
from assistant.writing.strategies import FILE, QUOTED, SHIPPED_FILE, WORDED, StrategyChoices
from tuning.evaluate import __main__ as evaluate
from tuning.evaluate.auto_strategy import write_choices
from tuning.evaluate.dialogue_files import DIALOGUES, Dialogue, load_dialogues
from tuning.evaluate.judged_replies import JudgedReply, ask_and_judge
from tuning.evaluate.played_dialogues import PlayedDialogue, play
from tuning.evaluate.report import figures, write_report
from tuning.evaluate.tables import dialogue_table, gain_rows, gain_table, summarise
from tuning.metrics import gain_interval, share_interval
from tuning.question_sets import (
    BANK,
    DATA,
    QuestionsError,
    QuestionSet,
    load_question_sets,
    read_questions,
)


def judged(strategy="tuned", **changed):
    values = {
        "set": "shop", "company": "any", "lang": "en", "strategy": strategy, "bucket": "plain",
        "question": "how much?", "expected": "fees: £5", "reply": "It costs £5.",
        "action": "answer", "worded": True, "answerable": True, "right": True, "facts": True,
        "right_article": True, "unsupported": 0, "right_language": True, "first_word": 0.5,
        "complete": 1.0,
    }  # fmt: skip
    return JudgedReply(**{**values, **changed})


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, "right"),
        ({"right": False}, "answered wrongly"),
        ({"action": "handoff"}, "right"),
        ({"right": False, "action": "clarify"}, "asked back"),
        ({"right": False, "action": "decline"}, "declined wrongly"),
        ({"answerable": False, "right": False}, "answered wrongly"),
        ({"answerable": False, "right": False, "action": "decline"}, "right"),
    ],
)
def test_outcomes(changed, outcome):
    assert judged(**changed).outcome == outcome


def test_the_interval_holds_the_share_and_narrows_with_questions():
    low, high = share_interval([True] * 8 + [False] * 2)
    assert low < 0.8 < high
    wide, narrow = high - low, share_interval([True] * 800 + [False] * 200)
    assert narrow[1] - narrow[0] < wide / 5


def test_the_interval_of_a_share_is_wilsons():
    """Values of statsmodels' proportion_confint(method="wilson")."""
    assert share_interval([True] * 24) == pytest.approx((0.8620, 1.0), abs=1e-4)
    assert share_interval([False] * 24) == pytest.approx((0.0, 0.1380), abs=1e-4)
    assert share_interval([True] * 8 + [False] * 2) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert share_interval([]) == (0.0, 1.0)


def test_the_interval_of_a_gain_pairs_the_questions():
    """What both get right or wrong adds no doubt; a gain on a few questions may be chance."""
    low, high = gain_interval([1] * 10 + [0] * 90)
    assert 0 < low < 0.1 < high < 0.2
    assert gain_interval([1] * 10 + [0] * 90) == (low, high)
    low, high = gain_interval([1] * 2 + [0] * 98)
    assert low == 0 < high


def test_strategies_are_compared_with_the_first_one_on_the_same_questions():
    first = [judged("few_shot", question=str(n), right=n < 50) for n in range(100)]
    better = [judged("tuned", question=str(n), right=n < 60) for n in range(100)]
    part = [judged("extractive", question=str(n)) for n in range(10)]
    unanswerable = [judged("tuned", question="none", answerable=False)]
    other = [judged("extractive", set="other")]
    tuned, extractive = gain_rows([*first, *better, *part, *unanswerable, *other])
    assert (tuned["strategy"], tuned["compared with"]) == ("tuned", "few_shot")
    assert (tuned["questions"], tuned["gain"]) == (100, 0.1)
    assert 0 < tuned["low"] < 0.1 < tuned["high"]
    assert (extractive["questions"], extractive["gain"]) == (10, 0)
    assert "| shop | tuned | few_shot | 100 | +10% | +" in gain_table([*first, *better])
    assert gain_table(first) == ""


def test_the_table_counts_every_question_once():
    group = [judged(), judged(right=False), judged(right=False, action="decline")]
    group += [judged(answerable=False, right=False, action="decline"), judged(unsupported=2)]
    (row,) = summarise(group).rows
    assert row["right"] == 0.5
    assert row["answered wrongly"] == row["declined wrongly"] == 0.25
    assert row["unanswerable declined"] == 1.0
    assert row["figures without support"] == 2
    assert row["buckets"] == {"plain": "2 of 4"}


def test_picks_are_counted_separately():
    asked = {"right": False, "action": "clarify", "pick": "Fees"}
    group = [judged(), judged(**asked, right_after_pick=True), judged(**asked)]
    group += [judged(right=False)]
    unknown = {**asked, "answerable": False}
    group += [judged(**unknown), judged(**unknown, right_after_pick=True)]
    (row,) = summarise(group).rows
    assert row["right"] == 0.25
    assert row["right after a pick"] == row["asked back"] == 0.5
    assert row["unanswerable declined"] == 1.0
    assert row["unanswerable quoted after a pick"] == 0.5


def test_a_customer_picks_the_right_article_or_none(bank):
    """The real assistant; if nothing answers the question, the customer picks the first choice."""
    row = {
        "question": "what does it cost", "history": [], "article": "business-fees",
        "facts": ["£9"], "forbidden": [], "bucket": "plain", "lang": "en",
    }  # fmt: skip
    questions = QuestionSet("bank", "Lantern Bank", "en", [row], BANK)
    known = ask_and_judge(bank, questions, "extractive", row)
    assert (known.outcome, known.pick) == ("asked back", "Business plans and fees")
    assert known.right_after_pick
    assert "[business-fees]" in known.reply_after_pick
    missed = ask_and_judge(bank, questions, "extractive", {**row, "article": "overdraft"})
    assert (missed.pick, missed.right_after_pick) == ("None of these", False)
    led_on = ask_and_judge(bank, questions, "extractive", {**row, "article": None})
    assert (led_on.pick, led_on.right_after_pick) == ("Lantern Plus, the paid plan", False)


def test_the_banks_labels_name_articles_that_hold_the_facts(bank):
    for questions in load_question_sets(["lantern-en", "lantern-zh"]):
        for row in questions.rows:
            for name in (row["article"] or "").split("|") if row["article"] else []:
                article = bank.article(questions.lang, name)
                assert article, (row["question"], name)
                text = article.text.lower()
                held = [any(v.lower() in text for v in fact.split("|")) for fact in row["facts"]]
                assert all(held), (row["question"], name)


def played(name="a", lang="en", strategy="tuned", critical=False, failures=()):
    metadata = {"language": lang, "bucket": "plain", "critical": critical}
    dialogue = Dialogue.model_validate({"test_case": name, "metadata": metadata, "steps": []})
    return PlayedDialogue(dialogue, Path("a.yml"), strategy, [], list(failures), 1.0)


def test_the_page_is_self_contained_and_shows_failures(tmp_path):
    bad = judged(question="and now?", right=False, reply="<b>£6</b>")
    failed = played("lost card", critical=True, failures=["step 1: cited: <i>"])
    write_report([judged(), bad, judged("extractive")], [failed], tmp_path)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "data:image/png;base64," in page
    assert "http" not in page.replace("http-equiv", "")
    assert "&lt;b&gt;£6&lt;/b&gt;" in page
    assert "tuned: lost card (en, plain, critical)" in page
    assert "step 1: cited: &lt;i&gt;" in page
    stored = json.loads((tmp_path / "evaluation.json").read_text("utf-8"))
    shown = figures([judged(), bad, judged("extractive")], [failed])
    shown = json.loads(json.dumps(shown))
    assert shown == {name: stored[name] for name in shown}
    assert [q["outcome"] for q in stored["questions"]] == ["right", "answered wrongly", "right"]
    (gain,) = stored["gains"]
    assert (gain["strategy"], gain["compared with"], gain["questions"]) == (
        "extractive",
        "tuned",
        1,
    )
    assert "<td>+0% to +0%</td>" in page
    assert stored["played"][0]["failures"] == ["step 1: cited: <i>"]


def test_auto_is_the_strategy_with_the_best_score(tmp_path):
    """A wrong answer counts against a strategy as the settings' caution says."""
    replies = [judged("tuned", right=n < 9) for n in range(10)]
    replies += [
        judged("extractive", right=n < 7, action="answer" if n < 7 else "decline")
        for n in range(10)
    ]
    replies += [
        judged("tuned", company="Lantern Bank"),
        judged("extractive", company="Lantern Bank", right=False),
    ]
    replies += [judged("tuned", company="Tie"), judged("extractive", company="Tie")]
    settings = Settings(state=tmp_path)
    best = {"any": "extractive", "Lantern Bank": "tuned", "Tie": "extractive"}
    assert write_choices(replies, settings) == {"en": best}
    bold = Settings(state=tmp_path / "bold", caution=1)
    assert write_choices(replies, bold) == {"en": {**best, "any": "tuned"}}
    choices = StrategyChoices.load(tmp_path)
    assert choices.choose("SmolLM2-135M-Instruct", "en", "Lantern Bank") == "tuned"
    assert choices.choose("SmolLM2-135M-Instruct", "en", "Other") == "extractive"
    assert choices.choose("never-measured", "en", "Other") == "few_shot"


@pytest.mark.parametrize("file", [SHIPPED_FILE, None], ids=["shipped", "written"])
def test_a_file_of_choices_holds_nothing_else_and_names_strategies_that_exist(tmp_path, file):
    if file is None:
        write_choices(
            [judged("tuned"), judged("extractive", right=False)], Settings(state=tmp_path)
        )
        file = tmp_path / FILE
    content = json.loads(file.read_text("utf-8"))
    assert set(content) == {"choices"}
    chosen = [
        strategy
        for languages in content["choices"].values()
        for companies in languages.values()
        for strategy in companies.values()
    ]
    assert chosen
    assert set(chosen) <= {*WORDED, *QUOTED}


def test_question_sets_are_valid_and_unknown_to_training():
    from tuning.companies import load_companies, load_company

    sets = {entry.name: entry for entry in load_question_sets()}
    known = {c.trade for part in ("train", "dev") for c in load_companies(part)}
    for name in ("pennywhistle-optics", "jingyifang-xiyi"):
        company = load_company(sets[name].articles)
        assert company.trade not in known
        assert len(company.articles) >= 20
        answerable = [row for row in sets[name].rows if row["article"]]
        assert len(answerable) >= 60
        assert len(sets[name].rows) - len(answerable) >= 20
        texts = {
            article.id: f"{article.title} {article.text}".lower() for article in company.articles
        }
        for row in answerable:
            assert row["article"] in texts, row
            for fact in row["facts"]:
                held = any(variant in texts[row["article"]] for variant in fact.split("|"))
                assert held, row


def test_sets_across_languages_are_asked_by_name_alone():
    from knowledge.segmenter import language_of
    from tuning.companies import load_company

    names = ["jingyifang-xiyi-across", "pennywhistle-optics-across"]
    assert not set(names) & {entry.name for entry in load_question_sets()}
    for entry in load_question_sets(names):
        company = load_company(entry.articles)
        articles = {article.id: article for article in company.articles}
        assert {language_of(row["question"]) for row in entry.rows} == {entry.lang}
        assert company.lang != entry.lang
        answered = [row for row in entry.rows if row["article"]]
        assert (len(answered), len(entry.rows)) == (40, 48)
        assert all(set(row["article"].split("|")) <= set(articles) for row in answered)


@pytest.mark.parametrize("line", ["{", '{"question": "x"}', "[]"])
def test_a_wrong_question_is_named_with_its_line(tmp_path, line):
    file = tmp_path / "questions.jsonl"
    good = (DATA / "lantern_questions.en.jsonl").read_text("utf-8").splitlines()[0]
    file.write_text(f"{good}\n{line}")
    with pytest.raises(QuestionsError, match=r"questions.jsonl:2: expected the keys"):
        read_questions(file)


@pytest.mark.model
def test_the_command_evaluates_the_real_assistant(tmp_path, capsys):
    command = ["--strategies", "extractive", "--sets", "jingyifang-xiyi", "--limit", "3"]
    assert evaluate.main([*command, "--out", str(tmp_path), "--state", "var"]) == 0
    assert "| jingyifang-xiyi | extractive |" in capsys.readouterr().out
    assert (tmp_path / "report.html").is_file()


def test_dialogues_are_counted_by_language_and_strategy():
    entries = [
        played("a"),
        played("b", critical=True, failures=["x"]),
        played("c", "zh", "extractive", critical=True),
    ]
    *_, english, chinese = dialogue_table(entries).splitlines()
    assert english.startswith("| en (2) | tuned | 50% |")
    assert english.endswith("| 1 | 1.00 |")
    assert chinese.startswith("| zh (1) | extractive | 100% |")


def test_dialogues_that_all_pass_have_an_interval_with_a_width():
    """A bootstrap would say 100%–100%, as if no other dialogue could fail."""
    assert "| 100% | 86%–100% | 0 |" in dialogue_table([played(str(n)) for n in range(24)])


def test_dialogues_are_played_in_the_strategies_that_their_language_allows(bank):
    both = ["tuned", "extractive"]
    english = play(bank, load_dialogues(DIALOGUES / "bank_en.yml")[1:2], both)
    assert [entry.strategy for entry in english] == ["tuned", "extractive"]
    assert not any(entry.failures for entry in english)
    chinese = play(bank, load_dialogues(DIALOGUES / "bank_zh.yml")[:2], both)
    assert [entry.strategy for entry in chinese] == ["extractive"] * 2


@pytest.mark.parametrize(
    "wrong",
    [["--sets", "nowhere"], ["--strategies", "magic"], ["--dialogues", "nowhere"]],
)
def test_unknown_names_are_errors(wrong, capsys):
    assert evaluate.main(wrong) == 2
    assert "xpected" in capsys.readouterr().err
