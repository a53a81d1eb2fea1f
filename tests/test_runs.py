"""Jobs in processes of their own."""

import sys
import time

import pytest

from assistant.errors import BusyError, SettingsError
from assistant.store.database import Database
from assistant.store.runs import Runs
from assistant.store.team_tables import RunRow

WRITES = "import sys, json; print('一半'); open(sys.argv[1], 'w').write(json.dumps({'right': 3}))"


@pytest.fixture
def database(store_url):
    opened = Database.open(store_url)
    yield opened
    opened.close()


@pytest.fixture
def runs(database, tmp_path):
    return Runs(database, tmp_path / "runs")


def ended(runs, number):
    until = time.time() + 20
    while (run := runs.get(number)).state == "running":
        assert time.time() < until
        time.sleep(0.05)
    return run


def test_a_run_keeps_what_it_printed_and_its_figures(runs):
    number = runs.start("dialogues", [sys.executable, "-c", WRITES, "{result}"], "ann", on="7")
    run = ended(runs, number)
    assert (run.state, run.result, run.author, run.on) == ("passed", {"right": 3}, "ann", "7")
    assert "一半" in run.log
    assert run.ended > run.created
    assert [r.id for r in runs.latest("dialogues")] == [number]
    assert runs.latest("check") == []


def test_a_run_that_fails_says_so(runs):
    run = ended(runs, runs.start("check", [sys.executable, "-c", "raise SystemExit('bad')"], "ann"))
    assert (run.state, run.result) == ("failed", None)
    assert "bad" in run.log


def test_one_of_a_kind_at_a_time_until_it_is_stopped(runs):
    sleeps = [sys.executable, "-c", "import time; time.sleep(60)"]
    number = runs.start("check", sleeps, "ann")
    with pytest.raises(BusyError, match="check"):
        runs.start("check", sleeps, "bo")
    other = runs.start("dialogues", sleeps, "bo")
    for started in (number, other):
        runs.stop(started)
        assert runs.get(started).state == "interrupted"
    runs.stop(runs.start("check", sleeps, "bo"))


def test_what_cannot_start_is_told_and_stands_in_no_ones_way(runs):
    for _ in range(2):
        with pytest.raises(SettingsError, match="can be started"):
            runs.start("check", ["/there/is/no/program"], "ann")


def test_what_an_ended_process_left_is_interrupted(runs, database, tmp_path):
    import socket

    with database.write() as session:
        for kind, worker in (("a", f"{socket.gethostname()}:999999999:x"), ("b", "other:1:x")):
            session.add(RunRow(kind=kind, on="", state="running", author="ann", worker=worker))
    again = Runs(database, tmp_path / "runs")
    assert [again.latest(kind)[0].state for kind in "ab"] == ["interrupted", "running"]
