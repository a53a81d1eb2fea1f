"""The gate: verdicts and reasons, and how an adapter is installed and rolled back."""

import json

import pytest

from assistant.config import Settings
from assistant.generators.adapters import FOLDER, SHIPPED, read_pointer, serving_adapter
from knowledge.models.model_files import GENERATOR_NAME
from tests.fakes import ScriptedAssistant
from tests.test_evaluate import judged
from tests.test_evaluate_conversations import turn
from tuning import gate, promote
from tuning.evaluate.conversations import Way
from tuning.gate import Decision, decide
from tuning.gate_measures import Measured, general, measure
from tuning.promote import install

QUESTIONS = 100
WRONG = {"right": False}
DECLINED = {"right": False, "action": "decline"}
# What the serving adapter does: 70 right, 10 wrong, 20 declined.
SERVING = [{}] * 70 + [WRONG] * 10 + [DECLINED] * 20


def measured(replies=SERVING, asked=QUESTIONS, **changed):
    replies = [judged(question=str(n), **fields) for n, fields in enumerate(replies)]
    by_question = {(reply.set, reply.question): reply for reply in replies}
    return Measured(by_question, asked, **{"general": 0.6, **changed})


def improved(declined=0, wrong=0):
    """Return the serving adapter's replies with so many of its failures turned right."""
    rest = [WRONG] * (10 - wrong) + [{}] * declined + [DECLINED] * (20 - declined)
    return [{}] * (70 + wrong) + rest


@pytest.mark.parametrize(
    ("changed", "verdict", "reason"),
    [
        ({}, "approved", "gain: score per question +0.280"),
        ({"replies": SERVING}, "rejected", "no certain gain: score per question +0.000"),
        (
            {"replies": improved(declined=1)},
            "rejected",
            "no certain gain: score per question +0.01",
        ),
        ({"replies": improved(wrong=1)}, "rejected", "no certain gain: score per question +0.040"),
        ({"replies": improved(wrong=10)}, "approved", "gain: score per question +0.400"),
        (
            {"replies": [{}] * 80 + [WRONG] * 20},
            "rejected",
            "no certain gain: score per question -",
        ),
        ({"general": 0.3}, "rejected", "general questions 30%, the serving adapter 60%"),
        (
            {"failed": ["lost card"]},
            "rejected",
            "a dialogue fails that passes with the serving adapter: lost card",
        ),
        ({"critical": ["fraud"]}, "blocked", "a critical dialogue fails: fraud"),
        ({"replies": [{"unsupported": 1}] * 100}, "blocked", "100 figures without support"),
        ({"replies": [{}] * 99}, "blocked", "1 questions lack one of the two replies"),
        ({"asked": 102}, "blocked", "2 questions lack one of the two replies"),
    ],
)
def test_the_verdict_and_its_reason(changed, verdict, reason):
    values = {"replies": improved(declined=20, wrong=2), **changed}
    decision = decide(measured(**values), measured(), 3.0)
    assert decision.verdict == verdict
    assert any(line.startswith(reason) for line in decision.reasons), decision


def test_the_dialogues_that_a_candidate_changes_are_named():
    new = measured(improved(declined=20, wrong=2), failed=["lost card", "fees"])
    decision = decide(new, measured(failed=["fees", "hours"]), 3.0)
    assert (decision.broken, decision.mended) == (["lost card"], ["hours"])


# The later turns with the serving adapter: 40 right, 20 wrong, 40 declined.
TURNS = ["right"] * 40 + ["answered wrongly"] * 20 + ["declined wrongly"] * 40


def with_turns(outcomes=TURNS, replies=SERVING, **changed):
    turns = [turn(n, outcome=outcome) for n, outcome in enumerate(outcomes, 1)]
    turns = {(said.set, said.line, said.number): said for said in turns}
    return measured(replies, **{"turns": turns, "turns_asked": len(TURNS), **changed})


@pytest.mark.parametrize(
    ("outcomes", "verdict", "reason"),
    [
        (TURNS, "approved", "no certain loss: score per later turn +0.000"),
        (["right"] * 60 + TURNS[60:], "approved", "no certain loss: score per later turn +0.800"),
        # Two more that are not right may be chance.
        (
            ["declined wrongly"] * 2 + TURNS[2:],
            "approved",
            "no certain loss: score per later turn -0.020",
        ),
        (
            ["declined wrongly"] * 20 + TURNS[20:],
            "rejected",
            "a certain loss: score per later turn -0.200",
        ),
        # As for questions, right ones do not make up for as many wrong ones.
        (
            TURNS[:60] + ["right"] * 20 + ["answered wrongly"] * 20,
            "rejected",
            "a certain loss: score per later turn -0.400",
        ),
        (TURNS[:-3], "blocked", "3 later turns lack one of the two replies"),
        ([], "blocked", "100 later turns lack one of the two replies"),
    ],
)
def test_a_candidate_must_not_lose_later_turns(outcomes, verdict, reason):
    """Its questions are a certain gain."""
    new = with_turns(outcomes, improved(declined=20, wrong=2))
    decision = decide(new, with_turns(), 3.0)
    assert decision.verdict == verdict
    assert any(line.startswith(reason) for line in decision.reasons), decision


def test_better_later_turns_alone_approve_nothing():
    decision = decide(with_turns(["right"] * 100), with_turns(), 3.0)
    assert decision.verdict == "rejected"
    assert [line.split(":")[0] for line in decision.reasons] == ["no certain gain"]


def test_later_turns_of_one_side_or_too_few_block():
    better = improved(declined=20, wrong=2)
    decision = decide(measured(better), with_turns(), 3.0)
    assert decision.reasons == ["100 later turns lack one of the two replies"]
    few = {"outcomes": TURNS[:29], "turns_asked": 29}
    decision = decide(with_turns(replies=better, **few), with_turns(**few), 3.0)
    assert decision.reasons == ["29 later turns, at least 30 are needed"]


def test_a_figure_without_support_in_a_later_turn_blocks():
    new = with_turns(replies=improved(declined=20))
    new.turns = {**new.turns, ("shop-talks", 1, 1): turn(1, unsupported=2)}
    assert decide(new, with_turns(), 3.0).reasons == ["2 figures without support"]
    assert new.summary()["outcomes of later turns"]["right"] == 40


def test_without_conversations_questions_alone_decide():
    decision = decide(measured(improved(declined=20)), measured(), 3.0)
    assert decision.verdict == "approved"
    assert len(decision.reasons) == 1


def test_both_adapters_play_the_english_conversations_without_asking_alone(monkeypatch, tmp_path):
    ways = []

    def plays(conversations, settings, strategies, limit, way):
        ways.append((conversations.name, strategies, limit, way))
        return [turn(n, set=conversations.name) for n in (0, 1)]

    monkeypatch.setattr("tuning.evaluate.judged_replies.evaluate", lambda *_: [])
    monkeypatch.setattr("tuning.evaluate.conversations.play_conversations", plays)
    monkeypatch.setattr("tuning.evaluate.dialogue_files.load_dialogues", lambda _: [])
    monkeypatch.setattr(
        "assistant.assistant.Assistant.from_config", lambda _: ScriptedAssistant([])
    )
    found = measure(Settings(state=tmp_path), "extractive", tmp_path, 2)
    names = ["lantern-en-talks", "companies-en-talks"]
    assert ways == [(name, ["extractive"], 2, Way(alone=False)) for name in names]
    assert list(found.turns) == [(name, 1, 1) for name in names]
    # Two conversations of each set.
    assert found.turns_asked > 8


@pytest.mark.parametrize("count", [1, 2, 29])
def test_few_questions_approve_nothing(count):
    """A bootstrap of one question has no width, whatever the truth is."""
    new, old = measured([{}] * count, count), measured([WRONG] * count, count)
    decision = decide(new, old, 3.0)
    assert decision.verdict == "blocked"
    assert decision.reasons == [f"{count} questions, at least 30 are needed"]


def test_the_same_questions_are_compared():
    """The same shares of other questions are no gain; pairs in another order are the same pairs."""
    shuffled = measured()
    shuffled.replies = dict(reversed(shuffled.replies.items()))
    assert decide(shuffled, measured(), 3.0).gain == 0
    other = measured()
    other.replies = {("other", question): reply for (_, question), reply in other.replies.items()}
    assert decide(other, measured(), 3.0).reasons == ["200 questions lack one of the two replies"]


def test_caution_weighs_wrong_answers():
    """Ten more right answers for five more wrong ones are a gain for the bold alone."""
    bolder = measured([{}] * 90 + [WRONG] * 15 + [DECLINED] * 15, 120)
    serving = measured([{}] * 70 + [DECLINED] * 20 + [WRONG] * 10 + [DECLINED] * 20, 120)
    assert decide(bolder, serving, 0.5).verdict == "approved"
    assert decide(bolder, serving, 20).verdict == "rejected"


def test_a_decision_holds_the_gain_and_its_interval():
    decision = decide(measured(improved(declined=20)), measured(), 3.0)
    low, high = decision.interval
    assert 0 < low < decision.gain == 0.2 < high


def adapter(folder, weights=b"1"):
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(weights)
    return folder


def test_installing_swaps_and_rolling_back_restores(tmp_path, capsys):
    state = tmp_path / "state"
    settings = Settings(state=state)
    assert serving_adapter(settings, GENERATOR_NAME) == SHIPPED[GENERATOR_NAME.lower()]
    first = install(adapter(tmp_path / "a", b"1"), state)
    assert serving_adapter(settings, GENERATOR_NAME) == state / FOLDER / first
    second = install(adapter(tmp_path / "b", b"2"), state)
    assert read_pointer(state) == {"serving": second, "former": first}
    assert promote.main(["--rollback", "--state", str(state)]) == 0
    assert serving_adapter(settings, GENERATOR_NAME) == state / FOLDER / first
    assert f"{first} serves again" in capsys.readouterr().out
    assert install(tmp_path / "a", state) == first
    assert read_pointer(state)["serving"] == first


def test_a_full_disk_leaves_what_serves(tmp_path, monkeypatch):
    state = tmp_path / "state"
    first = install(adapter(tmp_path / "a", b"1"), state)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copytree", full)
    with pytest.raises(OSError, match="No space"):
        install(adapter(tmp_path / "b", b"2"), state)
    assert read_pointer(state)["serving"] == first


def test_rolling_back_without_a_promotion_says_so(tmp_path, capsys):
    assert promote.main(["--rollback", "--state", str(tmp_path)]) == 2
    assert "expected a promotion to roll back" in capsys.readouterr().err


def test_a_folder_without_an_adapter_is_blocked_and_noted(tmp_path, capsys):
    assert promote.main([str(tmp_path / "nothing"), "--state", str(tmp_path)]) == 1
    assert "blocked" in capsys.readouterr().out
    noted = json.loads((tmp_path / FOLDER / promote.DECISIONS).read_text().splitlines()[-1])
    assert noted["verdict"] == "blocked"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("caution: 0", "caution: "),
        ("colour: red", "unknown setting 'colour'"),
        (None, "found none"),
    ],
)
def test_bad_settings_are_one_line_and_no_decision(tmp_path, capsys, settings, reason):
    file = tmp_path / "settings.yml"
    if settings:
        file.write_text(settings)
    state = tmp_path / "state"
    assert promote.main(["any", "--state", str(state), "--config", str(file)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("promote: ")
    assert reason in line
    assert not state.exists()


def test_a_wrong_option_is_one_line_and_no_decision(tmp_path, capsys):
    assert promote.main(["any", "--state", str(tmp_path / "state"), "--caution", "0"]) == 2
    assert "caution: " in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_a_pointer_that_cannot_be_read_is_one_line(tmp_path, capsys):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "serving.json").write_text("{")
    assert promote.main(["--rollback", "--state", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("promote: ")
    assert not (tmp_path / FOLDER / promote.DECISIONS).exists()


def test_a_comparison_that_breaks_blocks_and_is_noted(tmp_path, monkeypatch, capsys):
    def broken(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(gate, "compare", broken)
    state = tmp_path / "state"
    assert promote.main([str(adapter(tmp_path / "a")), "--state", str(state)]) == 1
    assert "RuntimeError: out of memory" in capsys.readouterr().out
    (line,) = (state / FOLDER / promote.DECISIONS).read_text().splitlines()
    noted = json.loads(line)
    assert (noted["verdict"], noted["gain"], noted["interval"]) == ("blocked", None, None)
    assert not read_pointer(state)


def test_an_approved_candidate_that_cannot_be_installed_is_blocked(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gate, "compare", lambda *_: Decision("approved", []))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(promote, "install", full)
    state = tmp_path / "state"
    assert promote.main([str(adapter(tmp_path / "a")), "--state", str(state)]) == 1
    assert "blocked" in capsys.readouterr().out
    (line,) = (state / FOLDER / promote.DECISIONS).read_text().splitlines()
    assert json.loads(line)["verdict"] == "blocked"


def test_a_promoted_adapter_serves_its_own_model_alone(tmp_path):
    made = adapter(tmp_path / "a")
    base = json.dumps({"base_model_name_or_path": f"HuggingFaceTB/{GENERATOR_NAME}"})
    (made / "adapter_config.json").write_text(base)
    state = tmp_path / "state"
    promoted = state / FOLDER / install(made, state)
    settings = Settings(state=state)
    assert serving_adapter(settings, GENERATOR_NAME) == promoted
    assert serving_adapter(settings, "some/other-model") is None
    fixed = Settings(state=state, adapter=made)
    assert serving_adapter(fixed, "some/other-model") == made


def test_an_approved_candidate_serves(tmp_path, monkeypatch):
    decision = Decision("approved", ["gain"], 0.2, (0.1, 0.3))
    monkeypatch.setattr(gate, "compare", lambda *_: decision)
    candidate = adapter(tmp_path / "a")
    state = tmp_path / "state"
    told = tmp_path / "decision.json"
    assert promote.main([str(candidate), "--state", str(state), "--json", str(told)]) == 0
    assert json.loads(told.read_text())["reasons"] == ["gain"]
    assert (
        serving_adapter(Settings(state=state), GENERATOR_NAME).name
        == read_pointer(state)["serving"]
    )
    (line,) = (state / FOLDER / promote.DECISIONS).read_text().splitlines()
    noted = json.loads(line)
    assert (noted["verdict"], noted["gain"], noted["interval"]) == ("approved", 0.2, [0.1, 0.3])


def test_general_questions_are_asked_of_the_real_model(bank):
    assert general(bank.responder.generator, adapter=False) >= 0.5


def test_one_language_does_not_pay_for_another():
    """English gains 30 of 60, Chinese loses 12 of 60: together a certain gain."""
    languages = [{"lang": "en"}] * 60 + [{"lang": "zh"}] * 60
    before = [DECLINED] * 30 + [{}] * 30 + [{}] * 60
    after = [{}] * 60 + [DECLINED] * 12 + [{}] * 48
    old, new = (
        measured([{**fields, **lang} for fields, lang in zip(side, languages, strict=True)], 120)
        for side in (before, after)
    )
    decision = decide(new, old, 3.0)
    assert decision.gain > 0
    assert decision.verdict == "rejected"
    (reason,) = decision.reasons
    assert reason.startswith("a certain loss: score per question in zh -0.200")
    better = measured(
        [{**fields, **lang} for fields, lang in zip([{}] * 120, languages, strict=True)], 120
    )
    approved = decide(better, old, 3.0)
    assert approved.verdict == "approved"
    assert [r.split(":")[0] for r in approved.reasons] == ["gain"] + ["no certain loss"] * 2
