"""The command that says how far the assistant can be trusted: the same figures as the page."""

import json

from assistant.quality import main
from assistant.reports.adapters import adapters
from assistant.reports.evaluations import evaluations
from assistant.store.database import Database
from assistant.store.tables import now
from assistant.store.team_tables import RunRow
from tests.conftest import desk_of
from tests.weighed_answers import WeighingAnswerer, sentences, talk

RESULT = {
    "summary": [
        {
            "set": "lantern-en",
            "strategy": "auto",
            "right": 0.9,
            "interval": "80%–95%",
            "answered wrongly": 0.05,
            "unanswerable declined": 1.0,
        }
    ]
}


def told(capsys, folder, *arguments):
    assert main([*arguments, "--state", str(folder)]) == 0
    return capsys.readouterr().out


def test_trust_and_caution(tmp_path, capsys):
    desk = desk_of(WeighingAnswerer(), tmp_path)
    talk(desk, {f"q {n}": (sentences(0.85), 1) for n in range(10)} | {"fair": (sentences(0.5), -1)})
    lines = told(capsys, tmp_path, "trust").splitlines()
    assert lines == [
        "50% to 60%: 1 judged, fewer than 10: too few to tell",
        "80% to 90%: 10 judged, 100% right, 95 % interval 72% to 100%",
    ]
    assert json.loads(told(capsys, tmp_path, "trust", "--json"))["buckets"][8]["right"] == 10
    lines = told(capsys, tmp_path, "caution", "--to", "9").splitlines()
    assert lines[0] == "caution 3: 11 of 11 messages are answered"
    assert "caution 9: 1 fewer, of which 1 with a thumb down and 0 with a thumb up" in lines
    assert main(["caution", "--to", "0", "--state", str(tmp_path)]) == 2
    assert "caution: " in capsys.readouterr().err


def test_runs_real_and_invented_apart(tmp_path, capsys):
    database = Database.open(f"sqlite:///{tmp_path}/frontdesk.db")
    with database.write() as session:
        for kind in ("questions", "demo questions"):
            row = {
                "on": "",
                "state": "passed",
                "author": "eve",
                "worker": "x:1:y",
                "created": now(),
            }
            session.add(RunRow(kind=kind, result=RESULT, **row))
        session.add(RunRow(kind="questions", result=None, **row))
    (real,), (demo,) = (evaluations(database, "questions", demo=d) for d in (False, True))
    assert (real.name, real.share, real.wrong, real.declined) == ("lantern-en", 0.9, 0.05, 1.0)
    assert real.run != demo.run
    assert "run 1, questions: lantern-en 90% (80%–95%)" in told(capsys, tmp_path, "runs")


def test_adapters(tmp_path, capsys):
    from assistant.config import load_settings

    folder = tmp_path / "sft" / "answers"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    noted = {"at": "2031-01-02T03:04:05+00:00", "candidate": str(folder), "verdict": "rejected"}
    noted |= {"reasons": ["no certain gain"], "broken": ["lost card"]}
    (tmp_path / "adapters").mkdir()
    (tmp_path / "adapters" / "decisions.jsonl").write_text(json.dumps(noted) + "\n")
    settings = load_settings(state=tmp_path)
    there = adapters(settings)
    assert (there.serving, there.former, there.is_fixed) == ("shipped", None, False)
    assert [(one.name, one.serves) for one in there.candidates] == [("answers", False)]
    shown = told(capsys, tmp_path, "adapters")
    assert "2031-01-02 03:04 answers: rejected\n  no certain gain\n  fails now: lost card" in shown
    # As ``python -m tuning.promote`` leaves it.
    serving = tmp_path / "adapters" / "abc"
    serving.mkdir()
    (serving / "adapter_model.safetensors").write_bytes(b"weights")
    pointer = {"serving": "abc", "former": None}
    (tmp_path / "adapters" / "serving.json").write_text(json.dumps(pointer))
    there = adapters(settings)
    assert (there.serving, there.former) == ("abc", "")
    assert [(one.name, one.serves) for one in there.candidates] == [("answers", True)]
