"""The page Quality in a browser: the curve, the preview, runs, and who may do what."""

import json
import re
import sys
import time

import pytest

from assistant import quality_jobs
from assistant.reports.evaluations import Progress, last_lines, progress
from assistant.store.audit import Audit
from assistant.store.kept_settings import KeptSettings
from assistant.store.users import Users
from tests import console_server
from tests.page_browser import EN, PHONE, ZH, axe
from tests.weighed_answers import WeighingAnswerer, sentences, talk

PASSWORD = "a lantern in the fog"
EVIL = "${alert(1)} <img src=x onerror=alert(1)> {{7*7}}"
FIGURES = {
    "dialogues": [
        {"dialogues": "en (4)", "passed": 0.75, "interval": "30%–95%", "critical failed": 0}
    ],
    "surprises": [{"dialogue": EVIL, "critical": False, "why": ["step 2: cited"]}],
}
BAR = "dialogues:  50%|#####     | 2/4 [00:01<00:01,  2.00dialogue/s]"
# What stands in for a command of tuning: it draws a bar, writes its figures and ends as told.
JOB = """
import os, pathlib, sys, time
print("caution", os.environ["FRONTDESK_CAUTION"])
print({bar!r}, flush=True)
pathlib.Path({file!r}).write_text({figures!r})
time.sleep({seconds})
sys.exit({code})
"""


def job(code=0, seconds=0.0, figures=FIGURES):
    def command(*_):
        told = {"bar": BAR, "file": "{result}", "figures": json.dumps(figures)}
        return [sys.executable, "-c", JOB.format(**told, seconds=seconds, code=code)]

    return command


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("quality")


@pytest.fixture(scope="module")
def server(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(console_server, "Answerer", WeighingAnswerer)
        started = console_server.ConsoleServer(folder)
        said = {f"card {n}": (sentences(0.85), 1 if n < 9 else -1) for n in range(11)}
        said |= {EVIL.lower(): (sentences(0.85), 1), "fair": (sentences(0.5), -1)}
        talk(started.desk, said)
        users = Users(started.desk.conversations.database)
        for name, role in (("ann", "agent"), ("eve", "editor"), ("ada", "administrator")):
            users.add(name, PASSWORD, role)
        candidate = folder / "sft" / "answers"
        candidate.mkdir(parents=True)
        (candidate / "adapter_config.json").write_text("{}")
        yield started
        started.stop()


@pytest.fixture
def visit(chromium, server):
    contexts, problems = [], []

    def opened(name="ada", path="/console/en/quality", **how):
        contexts.append(chromium.new_context(**(how or EN)))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: (problems.append("a dialog"), dialog.dismiss()))
        page.goto(server.url + path)
        page.fill("[name=name]", name)
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/quality*")
        page.wait_for_selector("h2")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not [p for p in problems if "/assets/" not in p and "theme.css" not in p], problems


def until(holds):
    end = time.time() + 60
    while not (found := holds()):
        assert time.time() < end
        time.sleep(0.1)
    return found


def latest(server, kind="dialogues"):
    from assistant.store.team_tables import RunRow

    with server.desk.conversations.database.read() as session:
        return session.query(RunRow).filter_by(kind=kind).order_by(RunRow.id.desc()).first()


def test_the_last_bar_tells_how_far_a_run_is():
    """Models draw bars, too, when they are loaded."""
    loading = "Loading weights: 100%|####| 199/199 [00:09<00:00, 20.62it/s]"
    assert progress(loading) is None
    log = f"{loading}\n{BAR}\r{BAR.replace('2/4', '3/4')}"
    assert progress(log) == Progress("dialogues", 3, 4)
    begun = "lantern-en:   0%|          | 0/20 [00:00<?, ?question/s]"
    assert progress(f"{log}\n{begun}") == Progress("lantern-en", 0, 20)
    assert last_lines("one\rtwo\r\nthree\n") == "two\nthree"


def test_a_job_says_what_it_does_and_where_its_figures_go(tmp_path):
    play = quality_jobs.dialogues_command(tmp_path)
    assert play == [sys.executable, "-m", "tuning.dialogues", str(tmp_path), "--json={result}"]
    few, all_ = (quality_jobs.questions_command(tmp_path, few=few) for few in (True, False))
    assert {*few} - {*all_} == {"--no-conversations", "--limit=20"}
    assert str(tmp_path) in quality_jobs.promotion_command(tmp_path)
    assert "--rollback" in quality_jobs.rollback_command()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lang", "how", "table", "few"),
    [
        ("en", EN, "Judged answers by their probability", "1, fewer than 10: too few to tell"),
        ("zh", ZH, "已评价的回答，按概率排列", "1 个，不足 10 个，无法判断"),
    ],
)
def test_the_curve_and_what_is_behind_it(visit, lang, how, table, few):
    page = visit("ann", f"/console/{lang}/quality", **how)
    rows = page.locator("table", has=page.get_by_text(table)).locator("tbody tr")
    rows.first.wait_for()
    assert [" ".join(row.split()) for row in rows.all_inner_texts()] == [
        f"50% – 60% {few} – –",
        # 10 of 12; Wilson by hand as in tests/test_trust.py.
        "80% – 90% 12 83% 55% – 95%",
    ]
    page.get_by_role("link", name="80% – 90%").click()
    page.wait_for_selector("#fd-judged table")
    assert page.locator("#fd-judged tbody tr").count() == 12
    assert EVIL.lower() in page.inner_text("#fd-judged")
    assert page.locator("#fd-judged img").count() == 0


@pytest.mark.slow
def test_caution_is_previewed_and_kept(visit, server):
    page = visit()
    page.wait_for_selector("text=With the caution of now, 3, 13 of 13 messages are answered.")
    number = page.get_by_role("spinbutton")
    number.fill("9")
    number.press("Enter")
    # 0.5 is below 27/38.
    page.wait_for_selector(
        "text=With 9, 1 fewer would be answered; of these answers, 1 had a thumb down and 0 a"
    )
    assert not KeptSettings(server.desk.conversations.database).all()
    page.get_by_role("button", name="Keep it").click()
    page.wait_for_selector("text=With the caution of now, 9, 12 of 13 messages are answered.")
    kept = KeptSettings(server.desk.conversations.database)
    assert kept.all() == {"caution": 9.0}
    assert kept.rows()["caution"].author == "ada"
    number.fill("3")
    number.press("Enter")
    page.get_by_role("button", name="Keep it").click()
    page.wait_for_selector("text=With the caution of now, 3, 13 of 13 messages are answered.")
    kept.unset("caution", "ada")


@pytest.mark.slow
def test_a_run_that_passes_and_one_that_fails(visit, server, monkeypatch):
    monkeypatch.setattr(quality_jobs, "_command", job(seconds=4))
    page = visit("eve")
    page.get_by_role("button", name="Play the dialogues").click()
    page.wait_for_selector("text=dialogues, 2 of 4")
    assert page.get_by_role("progressbar").get_attribute("value") == "2"
    page.get_by_role("button", name="Play the dialogues").click()
    page.wait_for_selector("text=One of these is running already.")
    until(lambda: latest(server).state == "passed")
    page.wait_for_selector("table:has-text('Dialogues that passed') td:text-is('75%')")
    assert page.get_by_role("button", name="Stop").count() == 0
    monkeypatch.setattr(quality_jobs, "_command", job(code=1))
    page.get_by_role("button", name="Play the dialogues").click()
    page.wait_for_selector("td:text-is('not passed')")
    page.goto(f"{page.url}?run={latest(server).id}")
    page.wait_for_selector("h3:text('Not as expected')")
    assert EVIL in page.inner_text(".fd-run")
    page.get_by_text("What it printed").click()
    page.wait_for_selector("pre:has-text('caution 3.0')")
    assert [deed.did for deed in Audit(server.desk.conversations.database).latest(2)] == [
        "dialogues",
        "dialogues",
    ]


@pytest.mark.slow
def test_a_run_is_stopped_and_another_is_interrupted_by_a_restart(visit, server, monkeypatch):
    monkeypatch.setattr(quality_jobs, "_command", job(seconds=60))
    page = visit("eve", "/console/zh/quality", **ZH)
    page.get_by_role("button", name="运行问题集").click()
    page.get_by_role("button", name="停止").click()
    page.wait_for_selector("td:text-is('已中断')")
    assert latest(server, "questions").state == "interrupted"
    page.get_by_role("button", name="运行问题集").click()
    until(lambda: latest(server, "questions").state == "running")
    again = console_server.ConsoleServer(server.settings.state)
    again.stop()
    assert latest(server, "questions").state == "interrupted"


@pytest.mark.slow
def test_an_administrator_lets_the_gate_judge_and_reads_why(visit, server, monkeypatch):
    decision = {
        "verdict": "rejected",
        "reasons": ["no certain gain: +0.01"],
        "broken": ["lost card"],
        "mended": ["hours"],
    }
    monkeypatch.setattr(quality_jobs, "_command", job(code=1, figures=decision))
    page = visit()
    page.get_by_role("button", name="Let the gate decide").click()
    page.wait_for_selector("text=Choose an adapter first.")
    page.get_by_label("answers", exact=True).check()
    page.get_by_role("button", name="Let the gate decide").click()
    run = until(lambda: (row := latest(server, "promotion")) and row.state == "failed" and row)
    assert run.on == "answers"
    page.goto(f"{page.url}?run={run.id}")
    page.wait_for_selector("h3:text('rejected')")
    told = page.inner_text(".fd-run")
    assert "no certain gain: +0.01" in told
    assert "fails now: lost card" in told
    assert "passes now: hours" in told


@pytest.mark.slow
def test_an_agent_looks_and_changes_nothing(visit, server):
    """Neither with the buttons, which are not there, nor by what a browser may send."""
    page = visit("ann")
    page.wait_for_selector("text=Only editors and administrators can start a run.")
    page.wait_for_selector("text=Only administrators can keep another caution.")
    page.wait_for_selector("text=Only administrators can promote an adapter or roll one back.")
    names = "Play the dialogues|Ask the question sets|Keep it|Let the gate decide|Roll back|Stop"
    assert page.get_by_role("button", name=re.compile(names)).count() == 0
    before = [latest(server, kind) for kind in quality_jobs.KINDS]
    told = [_sent(page, server, number) for number in _changing(page, server)]
    assert len(told) == 7
    assert all("Only" in answer for answer in told), told
    after = [latest(server, kind) for kind in quality_jobs.KINDS]
    assert [row and row.id for row in before] == [row and row.id for row in after]
    assert not KeptSettings(server.desk.conversations.database).all()


def _changing(page, server):
    """Return the functions that a button calls on this page: number and what a browser may send."""
    config = page.request.get(f"{server.url}/console/en/config?page=quality").json()
    kinds = {part["id"]: part["type"] for part in config["components"]}
    return {
        entry["id"]: [9 if kinds[given] == "slider" else None for given in entry["inputs"]]
        for entry in config["dependencies"]
        if any(kinds.get(part) == "button" and event == "click" for part, event in entry["targets"])
    }.items()


def _sent(page, server, function):
    number, given = function
    base = f"{server.url}/console/en/gradio_api/queue"
    data = {"data": given, "fn_index": number, "session_hash": f"forged{number}"}
    page.request.post(f"{base}/join", data=data)
    return page.request.get(f"{base}/data?session_hash=forged{number}").text()


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("how", [EN, PHONE])
def test_it_fits_and_is_accessible(visit, lang, how):
    page = visit(path=f"/console/{lang}/quality?bucket=9", **how)
    page.wait_for_selector("#fd-judged table")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("h1").count() == 1
    page.add_script_tag(content=axe())
    only = "{include: [['.fd-scroll'], ['.fd-run'], ['.fd-empty'], ['#fd-judged'], ['h1'], ['h2']]}"
    found = page.evaluate(f"axe.run({only}).then(r => r.violations)")
    severe = [v for v in found if v["impact"] in ("serious", "critical")]
    assert not severe, [(v["id"], [n["html"] for n in v["nodes"]]) for v in severe]
