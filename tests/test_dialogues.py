"""The canned dialogues on the real assistant, and how dialogues are played and reported."""

import dataclasses
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from assistant.errors import InvalidMessageError
from assistant.messages import Action, Citation, Reply, Support
from tuning import dialogues
from tuning.evaluate.dialogue_checks import ASSERTIONS, failed_assertions
from tuning.evaluate.dialogue_files import Dialogue, load_dialogues
from tuning.evaluate.dialogue_reports import pass_hat, summary, write_junit, write_page
from tuning.evaluate.played_dialogues import play, play_wordings

FOLDER = Path(__file__).parent / "dialogues"
CASES = load_dialogues(FOLDER / "passing")
# There may be no known failure; git keeps no empty folder.
FAILING = load_dialogues(FOLDER / "failing") if (FOLDER / "failing").is_dir() else []


# The others are played by ``python -m tuning.dialogues tests/dialogues/passing``.
CRITICAL = [(file, case) for file, case in CASES if case.metadata.critical]
# Those in which a later reply rests on what was quoted.
SEVERAL = [(file, case) for file, case in CASES if len(case.steps) > 1][:12]


@pytest.mark.parametrize(("file", "case"), CRITICAL, ids=[c.test_case for _, c in CRITICAL])
def test_critical_ones_pass(bank, file, case):
    (played,) = play(bank, [(file, case)])
    assert not played.failures


def test_passing_ones_have_no_reason_to_fail():
    assert not [case.test_case for _, case in CASES if case.metadata.reason]


@pytest.mark.parametrize("case", [c for _, c in FAILING], ids=lambda case: case.test_case)
def test_known_failures_say_why_and_can_be_checked(case):
    """They are not played here: ``python -m tuning.dialogues tests/dialogues/failing``."""
    assert case.metadata.reason.strip()
    for step in case.steps:
        for line in failed_assertions([_reply(), _reply()], step.assertions):
            assert "unknown assertion" not in line


def test_clients_that_keep_role_and_text_alone_get_the_same_replies(bank):
    whole = play(bank, SEVERAL, ["extractive"])
    plain = play(bank, SEVERAL, ["extractive"], plain_history=True)
    assert len(whole) == len(SEVERAL) > 5
    for one, other in zip(whole, plain, strict=True):
        assert _untimed(one.replies) == _untimed(other.replies), one.dialogue.test_case
        assert len(one.replies) == len(one.dialogue.steps)


def _untimed(replies):
    return [dataclasses.replace(reply, timings_ms={}) for reply in replies]


class ParrotAssistant:
    """Says what the customer says; takes no empty message."""

    def __init__(self):
        self.histories = []

    def reply(self, question, history, strategy):
        if not question:
            raise InvalidMessageError("expected a message, found an empty one")
        self.histories.append(list(history))
        return _reply(text=question)


@pytest.fixture
def parrot(monkeypatch):
    assistant = ParrotAssistant()
    monkeypatch.setattr("assistant.assistant.Assistant.from_config", lambda _: assistant)
    return assistant


def _written(path, *cases):
    content = {"test_cases": [case.model_dump(exclude_unset=True) for case in cases]}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


def _step(user="a", said="a", **values):
    return {"user": user, "assertions": [{"bot_uttered": {"text_matches": said}}], **values}


def test_the_command_reports_and_takes_plain_histories(tmp_path, parrot, capsys):
    file = _written(tmp_path / "a.yml", _case(_step(), _step()))
    reports = ["--html", str(tmp_path / "r.html"), "--junit", str(tmp_path / "r.xml")]
    assert dialogues.main([file, "--plain-history", *reports]) == 0
    assert parrot.histories[1][1].action is None
    assert "1 of 1 dialogues passed" in capsys.readouterr().out
    assert "1 of 1 dialogues passed" in (tmp_path / "r.html").read_text("utf-8")
    assert (tmp_path / "r.xml").is_file()


@pytest.mark.parametrize("plain", [False, True])
def test_the_history_carries_what_a_reply_decided_or_role_and_text_alone(parrot, plain):
    dialogue = _case(_step("how much?"), _step("how much?"))
    play(parrot, [(Path("x.yml"), dialogue)], plain_history=plain)
    first, (asked, replied) = parrot.histories
    assert first == []
    assert (asked.role, asked.text) == ("user", "how much?")
    assert (replied.role, replied.text) == ("assistant", "how much?")
    assert replied.action is (None if plain else Action.ANSWER)


@pytest.mark.parametrize(("said", "code"), [("a", 1), ("b", 0)])
def test_the_command_tells_which_known_failures_pass_now(tmp_path, parrot, capsys, said, code):
    file = _written(tmp_path / "a.yml", _case(_step(said=said), reason="It says b."))
    reports = ["--html", str(tmp_path / "r.html"), "--junit", str(tmp_path / "r.xml")]
    figures = tmp_path / "r.json"
    assert dialogues.main([file, *reports, "--json", str(figures)]) == code
    told = json.loads(figures.read_text("utf-8"))
    assert [row["dialogues"] for row in told["dialogues"]] == ["en (1)"]
    assert len(told["surprises"]) == code
    out = capsys.readouterr().out
    suite = ET.parse(tmp_path / "r.xml").getroot()  # noqa: S314  # our own
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "known to fail: It says b." in page
    if code:
        assert f"PASSED {file}: t\n    passes now: move it to passing\n1 of 1" in out
        assert suite.find("testcase/failure").text == "passes now: move it to passing"
    else:
        assert f"KNOWN {file}: t: It says b.\n0 of 1 dialogues passed, 1 failed as known" in out
        assert (suite.attrib["failures"], suite.attrib["skipped"]) == ("0", "1")
        assert suite.find("testcase/skipped").attrib["message"] == "It says b."


PARAPHRASED = _step("a1", paraphrases=["a2", "b3", "a4", "a5"])


def test_the_command_plays_critical_dialogues_in_five_wordings(tmp_path, parrot, capsys):
    file = _written(
        tmp_path / "a.yml",
        _case(_step(), PARAPHRASED, test_case="one", critical=True),
        _case(_step(), test_case="two", critical=True),
        _case(_step(), test_case="three"),
    )
    reports = ["--html", str(tmp_path / "r.html"), "--junit", str(tmp_path / "r.xml")]
    assert dialogues.main([file, "--paraphrases", *reports]) == 1
    out = capsys.readouterr().out
    assert f"FAILED {file}: one (wording 3)\n    step 2: bot_uttered" in out
    lines = out.splitlines()[-6:]
    assert lines[0] == "9 of 10 runs passed"
    assert lines[1:3] == ["4 of 5: one", "5 of 5: two, without paraphrases"]
    assert lines[3].startswith("pass^1 = 90%")
    assert lines[4].startswith("pass^5 = 50%")
    assert "arXiv 2406.12045" in lines[5]
    page = (tmp_path / "r.html").read_text("utf-8")
    assert all(line in page for line in (*lines, "one (wording 2)", "<b>b3</b>"))
    runs = ET.parse(tmp_path / "r.xml").getroot().findall("testcase")  # noqa: S314  # our own
    assert [run.attrib["name"] for run in runs[:2]] == ["one (wording 1)", "one (wording 2)"]


def test_each_run_uses_one_wording_and_the_usual_one_of_other_steps(parrot):
    runs = play_wordings(parrot, [(Path("x.yml"), _case(_step(), PARAPHRASED, critical=True))])
    said = [[reply.text for reply in run.replies] for run in runs]
    assert said == [["a", "a1"], ["a", "a2"], ["a", "b3"], ["a", "a4"], ["a", "a5"]]


def test_a_wording_of_a_known_failure_that_passes_is_no_surprise(parrot):
    case = _case(PARAPHRASED, critical=True, reason="It says b.")
    runs = play_wordings(parrot, [(Path("x.yml"), case)])
    assert [entry.surprises for entry in runs] == [[]] * 5
    assert summary(runs)[0] == "4 of 5 runs passed, 1 failed as known"


def test_wordings_need_a_critical_dialogue(tmp_path, parrot, capsys):
    assert dialogues.main([_written(tmp_path / "a.yml", _case(_step())), "--paraphrases"]) == 2
    assert "Expected dialogues with critical: true" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("k", "expected"), [(1, (5 + 4 + 0) / 15), (2, (1 + 6 / 10 + 0) / 3), (5, 1 / 3)]
)
def test_pass_hat_is_how_likely_k_runs_all_pass(k, expected):
    assert pass_hat([5, 4, 0], k) == pytest.approx(expected)


def test_enough_of_every_kind_in_both_languages():
    kinds = {(c.metadata.language, c.metadata.bucket) for _, c in CASES}
    assert len(CASES) >= 25
    for bucket in ("plain", "paraphrase", "follow_up", "out_of_scope", "handoff", "small_talk"):
        assert {("en", bucket), ("zh", bucket)} <= kinds


def _reply(**changes):
    citation = Citation(1, "fees", "en", "Fees", "It costs £5.", 0, 12)
    values = {
        "text": "It costs £5.",
        "action": Action.ANSWER,
        "reason": "answer",
        "language": "en",
        "intent": "fee",
        "intent_score": 0.8,
        "citations": (citation,),
        "support": (Support("It costs £5.", 1),),
    }
    return Reply(**{**values, **changes})


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ({"intent_was": {"name": "fee", "min_score": 0.5}}, {"intent_was": {"name": "other"}}),
        ({"intent_was": {"name": "fee"}}, {"intent_was": {"name": "fee", "min_score": 0.9}}),
        ({"action_was": "answer"}, {"action_was": "decline"}),
        ({"reason_was": "answer"}, {"reason_was": "no_evidence"}),
        ({"cited": {"article": "fees"}}, {"cited": {"article": "cards"}}),
        ({"bot_uttered": {"text_matches": "£5"}}, {"bot_uttered": {"text_matches": "£6"}}),
        (
            {"bot_did_not_utter": {"text_matches": "£6"}},
            {"bot_did_not_utter": {"text_matches": "£5"}},
        ),
        ({"all_supported": True}, {"all_supported": False}),
        ({"language_is": "en"}, {"language_is": "zh"}),
        ({"no_personal_data": True}, {"no_personal_data": False}),
    ],
)
def test_every_assertion_can_pass_and_fail(right, wrong):
    assert list(failed_assertions([_reply()], [right])) == []
    assert len(list(failed_assertions([_reply()], [wrong]))) == 1


def test_a_reply_repeats_the_one_before_it():
    first, second = _reply(), _reply(text="It costs £6.")
    new, repeated = [{"not_repeated": True}], [{"not_repeated": False}]
    for replies in ([first], [first, second], [first, second, first]):
        assert list(failed_assertions(replies, new)) == []
        assert len(list(failed_assertions(replies, repeated))) == 1
    assert list(failed_assertions([first, first], repeated)) == []
    assert len(list(failed_assertions([first, first], new))) == 1


def test_the_list_above_is_complete():
    assert set(ASSERTIONS) == {
        "intent_was", "action_was", "reason_was", "cited", "bot_uttered", "bot_did_not_utter",
        "not_repeated", "all_supported", "language_is", "no_personal_data",
    }  # fmt: skip


def test_personal_data_in_a_reply_is_found():
    leaking = _reply(text="jo@x.org", citations=(), support=(Support("jo@x.org", None),))
    assert list(failed_assertions([leaking], [{"no_personal_data": True}]))


def test_the_companys_own_number_is_no_personal_data_in_other_words():
    quote = "Without the app, call +44 20 7946 0123, day or night."
    own = (Citation(1, "lost", "en", "Lost", quote, 0, len(quote)),)
    for number, failures in (("+44 20 7946 0123", 0), ("+44 20 7946 0999", 1)):
        said = f"Call {number} and we freeze it."
        reply = _reply(text=said, citations=own, support=(Support(said, 1),))
        assert len(list(failed_assertions([reply], [{"no_personal_data": True}]))) == failures


def test_unknown_assertion_is_a_failure():
    (line,) = failed_assertions([_reply()], [{"bot_smiled": True}])
    assert "unknown assertion 'bot_smiled'; known are intent_was" in line


def _case(*steps, test_case="t", **metadata):
    return Dialogue.model_validate(
        {
            "test_case": test_case,
            "metadata": {"language": "en", "bucket": "plain", **metadata},
            "steps": steps,
        }
    )


def test_a_case_that_raises_has_failed_and_reports_show_it(parrot, tmp_path):
    (played,) = play(parrot, [(Path("x.yml"), _case(_step("")))])
    assert "InvalidMessageError" in played.failures[0]
    write_junit([played], tmp_path / "r.xml")
    write_page([played], tmp_path / "r.html")
    assert ET.parse(tmp_path / "r.xml").getroot().attrib["failures"] == "1"  # noqa: S314  # our own
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "0 of 1 dialogues passed" in page
    assert "http" not in page


def test_the_page_names_the_kinds_of_later_turns(parrot, tmp_path):
    case = _case(_step(), _step(), _step(), turns=["confirm", "thanks"])
    write_page(play(parrot, [(Path("x.yml"), case)]), tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.index("<small>confirm</small>") < page.index("<small>thanks</small>")


@pytest.mark.parametrize(
    ("steps", "metadata", "message"),
    [
        ([_step(), _step()], {"turns": []}, "t: expected one kind in metadata.turns for each step"),
        ([_step()], {"turns": ["thanks"]}, "which are 0, found 1"),
        ([_step(), _step()], {"turns": ["shout"]}, "Input should be 'follow_up', 'change'"),
        ([PARAPHRASED], {}, "t: expected critical: true"),
        ([_step(paraphrases=["b", "c", "d"])], {"critical": True}, "at least 4 items"),
        ([_step(paraphrases=list("bcdef"))], {"critical": True}, "at most 4 items"),
        ([_step(paraphrases=list("bcdb"))], {"critical": True}, "in other words, found 'b' twice"),
        ([_step(paraphrases=list("bcda"))], {"critical": True}, "in other words, found 'a' twice"),
    ],
)
def test_kinds_of_turns_and_paraphrases_fit_their_dialogue(steps, metadata, message):
    with pytest.raises(ValueError, match=message):
        _case(*steps, **metadata)


@pytest.mark.parametrize("content", ["", "test_cases: []", "test_cases: [{test_case: a}]", "a: ["])
def test_unreadable_dialogues(tmp_path, content):
    (tmp_path / "a.yml").write_text(content)
    with pytest.raises(ValueError, match="xpected"):
        load_dialogues(tmp_path)
