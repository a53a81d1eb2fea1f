"""Measures the structure of the code: ``python -m tests.structure``.

Prints the number of files, the longest path of imports, every circle among files and folders, and
the files that one message passes, in the order in which it enters them.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("knowledge", "assistant", "tuning")

Graph = Mapping[str, set[str]]


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Return the project's modules by dotted name; an ``__init__`` has the name of its package."""
    found = {"app": root / "app.py"}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """Yield module and name of each import of a file, also of those inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from ((node.module or "", alias.name) for alias in node.names)


def file_graph(root: Path = ROOT) -> dict[str, set[str]]:
    """Return which of the project's modules each module imports, anywhere in the file."""
    ours = modules(root)
    graph: dict[str, set[str]] = {}
    for name, path in ours.items():
        used = {f"{m}.{n}" if f"{m}.{n}" in ours else m for m, n in imported(path)}
        graph[name] = (used & set(ours)) - {name}
    return graph


def folder_graphs(graph: Graph) -> dict[str, dict[str, set[str]]]:
    """Return for each folder the imports among the files and folders in it."""
    folders = {""} | {parent for name in graph for parent in _parents(name)}
    return {folder: _projected(graph, folder) for folder in sorted(folders)}


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def _projected(graph: Graph, folder: str) -> dict[str, set[str]]:
    head = f"{folder}." if folder else ""

    def child(name: str) -> str:
        return name[len(head) :].split(".", maxsplit=1)[0] if name.startswith(head) else ""

    found: dict[str, set[str]] = {}
    for name, used in graph.items():
        if child(name):
            others = {child(other) for other in used} - {"", child(name)}
            found.setdefault(child(name), set()).update(others)
    return found


def circles(graph: Graph) -> list[list[str]]:
    """Return the circles of a graph, each as a list of names; an empty list if there are none."""
    state: dict[str, str] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        state[name] = "open"
        path.append(name)
        for other in sorted(graph.get(name, ())):
            if state.get(other) == "open":
                found.append([*path[path.index(other) :], other])
            elif other not in state:
                visit(other)
        state[name] = "done"
        path.pop()

    for name in sorted(graph):
        if name not in state:
            visit(name)
    return found


def longest_path(graph: Graph) -> list[str]:
    """Return the longest path of imports; the graph must have no circle."""
    longest: dict[str, list[str]] = {}

    def of(name: str) -> list[str]:
        if name not in longest:
            longest[name] = [
                name,
                *max((of(other) for other in sorted(graph[name])), key=len, default=[]),
            ]
        return longest[name]

    return max((of(name) for name in sorted(graph)), key=len)


def passed_files(message: str) -> list[str]:
    """Return the project's files that run while a message is answered, in order of entry."""
    from assistant.assistant import Assistant
    from assistant.config import load_settings

    assistant = Assistant.from_config(load_settings())
    assistant.reply(message)
    entered: dict[str, None] = {}

    def note(frame: object, event: str, _: object) -> None:
        if event == "call":
            file = Path(frame.f_code.co_filename)  # type: ignore[attr-defined]
            if file.is_relative_to(ROOT) and file.relative_to(ROOT).parts[0] in PACKAGES:
                entered.setdefault(str(file.relative_to(ROOT)))

    sys.setprofile(note)
    try:
        assistant.reply(message)
    finally:
        sys.setprofile(None)
    return list(entered)


def main() -> None:
    """Print the counts."""
    graph = file_graph()
    print(f"{sum(not p.name.startswith('__init__') for p in modules().values())} files")
    for folder, inside in {"files": graph, **folder_graphs(graph)}.items():
        for circle in circles(inside):
            print(f"circle in {folder or 'the root'}: {' > '.join(circle)}")
    path = longest_path(graph)
    print(f"longest path of imports, {len(path)}: {' > '.join(path)}")
    files = passed_files("How much is a replacement card?")
    print(f"{len(files)} files for one message: {', '.join(files)}")


if __name__ == "__main__":
    main()
