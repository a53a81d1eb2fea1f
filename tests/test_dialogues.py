"""The canned dialogues on the real assistant, and the runner itself."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from assistant.messages import Action, Citation, Reply, Support
from tuning.dialogues import (
    CHECKS,
    Dialogue,
    check,
    load_dialogues,
    play_dialogue,
    write_junit,
    write_page,
)

FOLDER = Path(__file__).parent / "dialogues"
CASES = load_dialogues(FOLDER / "passing")


@pytest.mark.parametrize(("file", "case"), CASES, ids=[c.test_case for _, c in CASES])
def test_passing(bank, file, case):
    assert not play_dialogue(bank, file, case).failures


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
    assert list(check(_reply(), [right])) == []
    assert len(list(check(_reply(), [wrong]))) == 1


def test_the_list_above_is_complete():
    assert set(CHECKS) == {
        "intent_was", "action_was", "cited", "bot_uttered", "bot_did_not_utter",
        "all_supported", "language_is", "no_personal_data",
    }  # fmt: skip


def test_personal_data_in_a_reply_is_found():
    leaking = _reply(text="jo@x.org", citations=(), support=(Support("jo@x.org", None),))
    assert list(check(leaking, [{"no_personal_data": True}]))


def test_the_companys_own_number_is_no_personal_data_in_other_words():
    quote = "Without the app, call +44 20 7946 0123, day or night."
    own = (Citation(1, "lost", "en", "Lost", quote, 0, len(quote)),)
    for number, failures in (("+44 20 7946 0123", 0), ("+44 20 7946 0999", 1)):
        said = f"Call {number} and we freeze it."
        reply = _reply(text=said, citations=own, support=(Support(said, 1),))
        assert len(list(check(reply, [{"no_personal_data": True}]))) == failures


def test_unknown_assertion_is_a_failure():
    (line,) = check(_reply(), [{"bot_smiled": True}])
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
    outcome = play_dialogue(bank, Path("x.yml"), _case())
    assert "InvalidMessageError" in outcome.failures[0]
    write_junit([outcome], tmp_path / "r.xml")
    write_page([outcome], tmp_path / "r.html")
    assert ET.parse(tmp_path / "r.xml").getroot().attrib["failures"] == "1"  # noqa: S314  # our own
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "0 of 1 dialogues passed" in page
    assert "http" not in page


@pytest.mark.parametrize("content", ["", "test_cases: []", "test_cases: [{test_case: a}]", "a: ["])
def test_unreadable_dialogues(tmp_path, content):
    (tmp_path / "a.yml").write_text(content)
    with pytest.raises(ValueError, match="xpected"):
        load_dialogues(tmp_path)
