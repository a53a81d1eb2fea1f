"""The command `frontdesk`: its subcommands, their help, and the exit codes they pass on."""

import re
import subprocess
import sys
import tomllib

import pytest
from click.testing import CliRunner

from assistant import cli
from tests.conftest import ROOT


def run(*arguments):
    command = [sys.executable, "-X", "importtime", "-m", "assistant.cli", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def invoked(*arguments):
    return CliRunner().invoke(cli.main, arguments)


def loaded(done):
    return set(re.findall(r"\| +(\w+)$", done.stderr, flags=re.MULTILINE))


def test_help_names_every_subcommand_and_loads_little():
    done = run("--help")
    assert done.returncode == 0
    assert set(re.findall(r"^  ([a-z]+) {2,}[A-Z]", done.stdout, flags=re.MULTILINE)) == set(
        cli.COMMANDS
    )
    assert done.stdout.splitlines()[-1].strip().startswith("Example: frontdesk ")
    assert not loaded(done) & {"pydantic", "numpy", "yaml"}


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_of_a_subcommand_ends_in_an_example(name):
    done = run(name, "--help")
    assert done.returncode == 0
    last = re.split(r"(?i)examples?:", done.stdout)[-1].split()
    own = ["frontdesk", name] if name != "dialogues" else ["python", "-m", "tuning.dialogues"]
    assert last[: len(own)] == own
    slow = {"torch", "transformers", "gradio", "faiss", "sklearn", "fastapi"}
    assert not loaded(done) & slow


def test_an_unknown_subcommand_gets_a_suggestion():
    done = invoked("serv")
    assert done.exit_code == 2
    assert "No such command 'serv'" in done.output
    assert "'serve'" in done.output


def test_arguments_reach_the_module_unchanged(monkeypatch):
    given = []
    monkeypatch.setattr(
        "knowledge.search.main", lambda arguments, prog: given.extend([*arguments, prog]) or 1
    )
    done = invoked("search", "--top", "3", "--", "-5 °C?", "--help")
    assert given == ["--top", "3", "--", "-5 °C?", "--help", "frontdesk search"]
    assert done.exit_code == 1


def test_ctrl_c_ends_with_130(monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("knowledge.build_index.main", interrupted)
    assert invoked("index").exit_code == 130


def test_dialogues_run_in_a_process_of_their_own(monkeypatch):
    started = []
    monkeypatch.setattr(subprocess, "call", lambda command: started.append(command) or 1)
    assert invoked("dialogues", "tests/dialogues", "--html", "x.html").exit_code == 1
    assert started == [
        [sys.executable, "-m", "tuning.dialogues", "tests/dialogues", "--html", "x.html"]
    ]


def test_exit_code_of_the_dialogues_is_passed_on():
    done = run("dialogues", "/no/such/folder")
    assert done.returncode == 2
    assert "dialogues: " in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--caution", "0"], "caution: Input should be greater than or equal to 0.5, found '0'"),
        (["--port", "99999"], "port: Input should be less than or equal to 65535, found '99999'"),
        (["--port", "many"], "port: Input should be a valid integer"),
        (["--strategy", "loud"], "strategy: Input should be 'auto', 'tuned'"),
        (["--config", "/no/such.yml"], "Expected a YAML file of settings at /no/such.yml"),
        (["--config", "{tmp}/colour.yml"], "unknown setting 'colour'; known are: knowledge, state"),
        (["--config", "{tmp}/broken.yml"], "broken.yml: while parsing"),
    ],
)
def test_bad_settings_end_with_one_line_and_2(tmp_path, arguments, message):
    (tmp_path / "colour.yml").write_text("colour: red\n")
    (tmp_path / "broken.yml").write_text("port: [\n")
    done = invoked("serve", *(argument.format(tmp=tmp_path) for argument in arguments))
    assert done.exit_code == 2
    (line,) = done.output.splitlines()
    assert line.startswith("serve: ")
    assert message in line


@pytest.mark.model
def test_a_state_folder_that_cannot_be_made_ends_with_2(tmp_path):
    (tmp_path / "file").touch()
    state = tmp_path / "file" / "state"
    done = invoked("ask", "--state", str(state), "how much?")
    assert done.exit_code == 2
    place, problem = done.output.splitlines()
    assert place == f"Storing prepared models and indexes in {state}"
    assert "Not a directory" in problem


def test_the_wheel_holds_every_package_and_data_file():
    """What setuptools packs, without building: `**` means the same to it and to pathlib."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = [name.rstrip("*") for name in setuptools["packages"]["find"]["include"]]
    assert packages == ["assistant", "knowledge", "tuning"]
    for package in packages:
        files = [path for path in (ROOT / package).rglob("*") if path.is_file()]
        code = {path for path in files if path.suffix in (".py", ".pyc")}
        data = {
            p for pattern in setuptools["package-data"]["*"] for p in (ROOT / package).glob(pattern)
        }
        assert set(files) - code == data
        assert all((path.parent / "__init__.py").is_file() for path in code if path.suffix == ".py")
