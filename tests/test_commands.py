"""The commands as a user types them: help, answers, batches, bad input, a port in use."""

import json
import os
import re
import socket
import subprocess
import sys
import time

import httpx
import pytest

from assistant import __main__ as ask
from assistant import explain, serve
from assistant.assistant import Assistant
from assistant.config import BANK
from knowledge import build_index
from tests.conftest import ROOT, STATE
from tuning import dialogues
from tuning.classifier import __main__ as classifier

# The process that reads a document takes no options.
WORKERS = {"knowledge.readers"}


def commands():
    """Return each file that can be run, as Python's arguments."""
    found = [["app.py"]]
    for folder in ("assistant", "knowledge", "tuning", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8"):
                parts = path.relative_to(ROOT).with_suffix("").parts
                found.append(["-m", ".".join(part for part in parts if part != "__main__")])
    return [command for command in found if command[-1] not in WORKERS]


COMMANDS = commands()


def run(*arguments, **options):
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240, **options
    )


@pytest.fixture
def command(bank, monkeypatch, capsys):
    """Return what runs a command here; to load the bank's models again would take ten seconds."""
    load = Assistant.from_config
    monkeypatch.setattr(
        Assistant, "from_config", lambda how: bank if how.knowledge == BANK else load(how)
    )

    def ran(module, *arguments):
        return subprocess.CompletedProcess(arguments, module.main(arguments), *capsys.readouterr())

    return ran


def with_model(*values):
    return pytest.param(*values, marks=pytest.mark.model)


@pytest.fixture
def shop(tmp_path):
    """Another company: two plain files, nothing else."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "returns.md").write_text(
        "# Returning shoes\n\nYou can send shoes back within 45 days of delivery. "
        "The return label costs 3 euros. Worn shoes are not accepted.\n"
    )
    (folder / "delivery.txt").write_text(
        "Delivery takes 3 working days within Austria and 6 working days elsewhere. "
        "Orders above 80 euros are delivered free of charge."
    )
    return folder


def test_each_benchmark_and_main_file_is_a_command():
    files = [*(ROOT / "benchmarks").glob("[!_]*.py")]
    for folder in ("assistant", "knowledge", "tuning"):
        files += [path.parent for path in (ROOT / folder).rglob("__main__.py")]
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files}
    assert names - WORKERS <= {command[-1] for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[-1])
def test_help_has_an_example_and_loads_nothing_slow(command):
    """Imports measure speed more steadily than a clock on a busy machine."""
    done = run("-X", "importtime", *command, "--help")
    assert done.returncode == 0
    assert re.search(r"(?i)examples?:", done.stdout)
    loaded = set(re.findall(r"\| +(\w+)$", done.stderr, flags=re.MULTILINE))
    assert not loaded & {"torch", "transformers", "gradio", "faiss", "sklearn", "fastapi"}


@pytest.mark.model
def test_answer_in_the_terminal_with_sources():
    done = run("-m", "assistant", "How much does a replacement card cost?")
    assert done.returncode == 0
    assert "£5" in done.stdout
    assert '[1] Replace a card (replace-a-card): "' in done.stdout


@pytest.mark.model
def test_a_message_is_explained(command):
    done = command(explain, "the cash machine swallowed my card")
    assert done.returncode == 0
    assert done.stdout.startswith("reply         answer because of answer\nrule          clear")
    assert "risk          ordinary" in done.stdout
    assert "intent        card_swallowed" in done.stdout
    told = json.loads(command(explain, "--json", "太差劲了，等了一个月").stdout)
    assert told["prediction"]["sentiment"] == "negative"


@pytest.mark.model
def test_json_is_the_whole_reply(command):
    reply = json.loads(command(ask, "--json", "我的卡丢了怎么办？").stdout)
    assert reply["action"] == "answer"
    assert reply["language"] == "zh"
    assert reply["citations"][0]["quote"] in reply["text"]


@pytest.mark.model
def test_batch_answers_every_line_and_names_the_bad_ones(tmp_path, command):
    history = [
        {"role": "user", "content": "I lost my card"},
        {"role": "assistant", "content": "Freeze it."},
    ]
    lines = [
        json.dumps({"question": "I lost my card"}),
        json.dumps({"question": "how much is a new one?", "history": history}),
        "{broken",
        json.dumps({"question": ""}),
        json.dumps({"text": "no question"}),
    ]
    asked, out = tmp_path / "asked.jsonl", tmp_path / "new" / "out.jsonl"
    asked.write_text("\n".join(lines))
    done = command(ask, "--batch", str(asked), "--out", str(out))
    assert done.returncode == 1
    assert "3 of 5 lines failed" in done.stderr
    replies = [json.loads(line) for line in out.read_text().splitlines()]
    assert replies[0]["action"] == "answer"
    assert "£5" in replies[1]["text"] or "1. Replace a card" in replies[1]["text"]
    assert 'Expected {"question"' in replies[2]["error"]
    assert "found an empty one" in replies[3]["error"]
    assert "no question" in replies[4]["error"]


@pytest.mark.model
def test_a_batch_takes_what_a_reply_decided_back(tmp_path, command):
    """A pick rests on the data of the reply, whatever its text says."""
    decided = {"action": "clarify", "choices": ["Your PIN", "Replace a card"], "intent": "any"}
    history = [
        {"role": "user", "content": "what does it cost"},
        {"role": "assistant", "content": "?", "frontdesk": decided},
    ]
    broken = [{"role": "assistant", "content": "?", "frontdesk": {"action": "pay"}}]
    asked, out = tmp_path / "asked.jsonl", tmp_path / "out.jsonl"
    lines = [{"question": "2", "history": history}, {"question": "2", "history": broken}]
    asked.write_text("\n".join(map(json.dumps, lines)))
    command(ask, "--batch", str(asked), "--out", str(out))
    picked, refused = [json.loads(line) for line in out.read_text().splitlines()]
    assert {c["article"] for c in picked["citations"]} == {"replace-a-card"}
    assert 'Expected {"question"' in refused["error"]


@pytest.mark.model
def test_another_company_is_answered_from_its_own_files(shop, command):
    done = command(ask, "--knowledge", str(shop), "--json", "how do I return my shoes?")
    reply = json.loads(done.stdout)
    assert reply["action"] == "answer"
    assert "45 days" in reply["text"]
    assert reply["citations"][0]["article"] == "returns"
    strange = command(ask, "--knowledge", str(shop), "--json", "who won the football?")
    assert json.loads(strange.stdout)["action"] == "decline"


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        (ask, [""], "found an empty one"),
        (ask, ["x" * 20_000], "Expected at most 4,000 characters"),
        (ask, ["???"], "found only symbols"),
        (explain, ["🎉"], "found only emoji"),
        (ask, [], "expected a question or --batch FILE"),
        (explain, [" "], "found an empty one"),
        (classifier, ["--config", "none.yaml"], "none.yaml: expected a YAML file"),
        (ask, ["--batch", "none.jsonl"], "expected --out FILE"),
        (ask, ["--batch", "none.jsonl", "--out", "o"], "at none.jsonl"),
        with_model(ask, ["--knowledge", "/no/such/folder", "hi"], "there is nothing"),
        (ask, ["--strategy", "loud", "hi"], "strategy: "),
        with_model(build_index, ["/no/such/folder"], "there is nothing"),
        (dialogues, ["/no/such/folder"], "expected canned dialogues"),
        with_model(serve, ["--knowledge", "/no/such/folder"], "there is nothing"),
        (serve, ["--port", "99999"], "port: "),
        (serve, ["--caution", "0"], "caution: "),
        (serve, ["--config", "/no/such/file.yml"], "Expected a YAML file"),
        with_model(serve, ["--generator-url", "http://127.0.0.1:9/v1"], "name of the served model"),
    ],
)
def test_bad_input_gets_one_clear_sentence(module, arguments, message, capsys, monkeypatch):
    # The port of a server that runs is no matter here.
    monkeypatch.setenv("GRADIO_SERVER_PORT", str(_free_port()))
    try:
        code = module.main(arguments)
    except SystemExit as end:
        code = end.code
    assert code in (1, 2)
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told


def test_unknown_setting(tmp_path):
    file = tmp_path / "settings.yml"
    file.write_text("colour: red\n")
    done = run("app.py", "--config", str(file))
    assert done.returncode == 2
    assert "unknown setting 'colour'" in done.stderr


@pytest.mark.model
def test_empty_folder(tmp_path, capsys):
    assert serve.main(["--knowledge", str(tmp_path), "--port", str(_free_port())]) == 2
    assert "Expected at least one file with text" in capsys.readouterr().err


def test_port_in_use():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("app.py", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "Expected a free port" in done.stderr
    assert "--port" in done.stderr


@pytest.mark.model
def test_app_serves_another_company_as_on_a_space(shop):
    """A Space sets the address in variables and has no terminal, so nothing may prompt."""
    port = _free_port()
    variables = {
        **os.environ,
        "SPACE_ID": "someone/frontdesk",
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
    }
    command = [sys.executable, "app.py", "--knowledge", str(shop), "--state", str(STATE)]
    server = subprocess.Popen(command, cwd=ROOT, env=variables)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, server)
        body = {"messages": [{"role": "user", "content": "what does the return label cost?"}]}
        reply = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=60).json()
        assert "3 euros" in reply["choices"][0]["message"]["content"]
        page = httpx.get(url)
        assert page.status_code == 200
        assert httpx.get(f"{url}/monitoring/summary").status_code in (401, 403, 404)
    finally:
        server.terminate()
        server.wait(20)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(url, server, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert server.poll() is None, "the app ended"
        try:
            httpx.get(f"{url}/readyz", timeout=2).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the app did not get ready")
