"""The canned dialogues on the real assistant, and how dialogues are played and reported."""

import dataclasses
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from assistant.messages import Action, Citation, Reply, Support
from tuning import dialogues
from tuning.evaluate.dialogue_checks import ASSERTIONS, failed_assertions
from tuning.evaluate.dialogue_files import Dialogue, load_dialogues
from tuning.evaluate.dialogue_reports import write_junit, write_page
from tuning.evaluate.played_dialogues import play

FOLDER = Path(__file__).parent / "dialogues"
CASES = load_dialogues(FOLDER / "passing")


@pytest.mark.parametrize(("file", "case"), CASES, ids=[c.test_case for _, c in CASES])
def test_passing(bank, file, case):
    (played,) = play(bank, [(file, case)])
    assert not played.failures


def test_clients_that_keep_role_and_text_alone_get_the_same_replies(bank):
    whole = play(bank, CASES, ["extractive"])
    plain = play(bank, CASES, ["extractive"], plain_history=True)
    assert len(whole) == len(CASES)
    for one, other in zip(whole, plain, strict=True):
        assert _untimed(one.replies) == _untimed(other.replies), one.dialogue.test_case
        assert len(one.replies) == len(one.dialogue.steps)


def _untimed(replies):
    return [dataclasses.replace(reply, timings_ms={}) for reply in replies]


@pytest.mark.parametrize("plain", [False, True])
def test_the_history_carries_what_a_reply_decided_or_role_and_text_alone(plain):
    class Recorder:
        def __init__(self):
            self.histories = []

        def reply(self, question, history, strategy):
            self.histories.append(list(history))
            return _reply()

    recorder = Recorder()
    step = {"user": "how much?", "assertions": []}
    dialogue = _case().model_copy(update={"steps": [_case().steps[0].model_validate(step)] * 2})
    play(recorder, [(Path("x.yml"), dialogue)], plain_history=plain)
    first, (asked, replied) = recorder.histories
    assert first == []
    assert (asked.role, asked.text) == ("user", "how much?")
    assert (replied.role, replied.text) == ("assistant", "It costs £5.")
    assert replied.action is (None if plain else Action.ANSWER)


def test_the_command_reports_and_takes_plain_histories(tmp_path, monkeypatch, bank, capsys):
    options = []

    def recorded(assistant, cases, **given):
        options.append(given)
        return play(assistant, cases[:1], **given)

    monkeypatch.setattr("assistant.assistant.Assistant.from_config", lambda _: bank)
    monkeypatch.setattr("tuning.evaluate.played_dialogues.play", recorded)
    reports = ["--html", str(tmp_path / "r.html"), "--junit", str(tmp_path / "r.xml")]
    assert dialogues.main([str(FOLDER / "passing"), "--plain-history", *reports]) == 0
    assert options == [{"plain_history": True}]
    assert "1 of 1 dialogues passed" in capsys.readouterr().out
    assert "1 of 1 dialogues passed" in (tmp_path / "r.html").read_text("utf-8")
    assert (tmp_path / "r.xml").is_file()


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
    assert list(failed_assertions(_reply(), [right])) == []
    assert len(list(failed_assertions(_reply(), [wrong]))) == 1


def test_the_list_above_is_complete():
    assert set(ASSERTIONS) == {
        "intent_was", "action_was", "cited", "bot_uttered", "bot_did_not_utter",
        "all_supported", "language_is", "no_personal_data",
    }  # fmt: skip


def test_personal_data_in_a_reply_is_found():
    leaking = _reply(text="jo@x.org", citations=(), support=(Support("jo@x.org", None),))
    assert list(failed_assertions(leaking, [{"no_personal_data": True}]))


def test_the_companys_own_number_is_no_personal_data_in_other_words():
    quote = "Without the app, call +44 20 7946 0123, day or night."
    own = (Citation(1, "lost", "en", "Lost", quote, 0, len(quote)),)
    for number, failures in (("+44 20 7946 0123", 0), ("+44 20 7946 0999", 1)):
        said = f"Call {number} and we freeze it."
        reply = _reply(text=said, citations=own, support=(Support(said, 1),))
        assert len(list(failed_assertions(reply, [{"no_personal_data": True}]))) == failures


def test_unknown_assertion_is_a_failure():
    (line,) = failed_assertions(_reply(), [{"bot_smiled": True}])
    assert "unknown assertion 'bot_smiled'; known are intent_was" in line


def _case(**metadata):
    return Dialogue.model_validate(
        {
            "test_case": "t",
            "metadata": {"language": "en", "bucket": "plain", **metadata},
            "steps": [{"user": "", "assertions": []}],
        }
    )


def test_a_case_that_raises_has_failed_and_reports_show_it(bank, tmp_path):
    (played,) = play(bank, [(Path("x.yml"), _case())])
    assert "InvalidMessageError" in played.failures[0]
    write_junit([played], tmp_path / "r.xml")
    write_page([played], tmp_path / "r.html")
    assert ET.parse(tmp_path / "r.xml").getroot().attrib["failures"] == "1"  # noqa: S314  # our own
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "0 of 1 dialogues passed" in page
    assert "http" not in page


@pytest.mark.parametrize("content", ["", "test_cases: []", "test_cases: [{test_case: a}]", "a: ["])
def test_unreadable_dialogues(tmp_path, content):
    (tmp_path / "a.yml").write_text(content)
    with pytest.raises(ValueError, match="xpected"):
        load_dialogues(tmp_path)
