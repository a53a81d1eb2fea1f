"""Python and the packages: what is installed, what is missing, what the extras would give."""

import sys
import tomllib
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.checkup.check import Check, Checks, failure, fine

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from assistant.config import Settings

# Of a checkout; an installed wheel has none.
PROJECT = Path(__file__).parent.parent.parent / "pyproject.toml"
OLDEST = (3, 11)
INSTALL = "python -m pip install -c constraints.txt -e"
# What the extras are for, in the order in which they are told. Others are for developers.
EXTRAS = {
    "documents": "PDF, Office and web pages as articles",
    "openvino": "queries and indexing about twice as fast on a processor; runs generators",
    "llama": "generators with llama.cpp",
    "postgres": "conversations in PostgreSQL",
    "milvus": "Milvus instead of FAISS",
    "train": "fine-tuning of the answering model",
}


def python(_: "Settings") -> Checks:
    """Look at Python's version."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= OLDEST:
        yield fine("Python", version)
    else:
        yield failure("Python", version, "Install Python 3.11 or later, and Frontdesk with it.")


def packages(settings: "Settings") -> Checks:
    """Look at the packages of the base installation and of each extra."""
    base, extras = declared()
    yield from base_packages(base)
    for extra, use in EXTRAS.items():
        is_needed = extra == "milvus" and bool(settings.milvus)
        yield extra_packages(extra, use, extras.get(extra, ()), is_needed=is_needed)


def declared() -> tuple[Sequence[str], Mapping[str, Sequence[str]]]:
    """Return the requirements that the project declares: of its base, and of each extra.

    Those of a checkout are read from its ``pyproject.toml``: after an update, what was noted at the
    installation is old.
    """
    if PROJECT.is_file():
        project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
        return project["dependencies"], project["optional-dependencies"]
    noted = metadata.requires("frontdesk") or []
    base = [line for line in noted if "extra ==" not in line]
    extras = {
        name: [line for line in noted if f"extra == '{name}'" in line.replace('"', "'")]
        for name in EXTRAS
    }
    return base, extras


def base_packages(requirements: Sequence[str]) -> Checks:
    """Yield a check that names every package with its version, or one for each that is wrong.

    Args:
        requirements: As ``pyproject.toml`` declares them.
    """
    wrong = {line: found for line in requirements if (found := _wrong(line))}
    for line, found in wrong.items():
        yield failure("packages", f"{line}: {found}", f"Install it: {INSTALL} .")
    if not wrong:
        named = ", ".join(f"{_name(line)} {_installed(_name(line))}" for line in requirements)
        count = len(requirements)
        yield fine("packages", f"all {count} of the base installation: {named}", packages=count)


def extra_packages(
    extra: str, use: str, requirements: Sequence[str], *, is_needed: bool = False
) -> Check:
    """Return a check of an extra; that it is not installed is fine unless it is needed.

    Args:
        extra: The extra's name.
        use: What it is for.
        requirements: What it installs.
        is_needed: Whether the settings want it.
    """
    missing = [_name(line) for line in requirements if _wrong(line, extra)]
    name = f"extra {extra}"
    if not missing:
        return fine(name, f"installed: {use}", installed=1)
    what = "not installed" if len(missing) == len(requirements) else f"without {', '.join(missing)}"
    command = f"{INSTALL} '.[{extra}]'"
    if is_needed:
        return failure(name, f"{what}, and the settings want it", f"Install it: {command}")
    return fine(name, f"{what}; it would give {use} ({command})", installed=0)


def _wrong(line: str, extra: str = "") -> str:
    """Return what is wrong with a requirement here; "" if it is met or not for this machine."""
    requirement = _parsed(line)
    if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
        return ""
    version = _installed(requirement.name)
    if not version:
        return "not installed"
    met = requirement.specifier.contains(version, prereleases=True)
    return "" if met else f"found {version}"


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _name(line: str) -> str:
    return _parsed(line).name


def _parsed(line: str) -> "Requirement":
    from packaging.requirements import Requirement

    return Requirement(line)
