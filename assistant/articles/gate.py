"""What changed articles must pass before they go live: the check, and the canned dialogues."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from assistant.articles.errors import ArticleEditError
from assistant.config import BANK, Settings

# Where a company's canned dialogues are, unless the setting says otherwise.
DIALOGUES = "dialogues"
BANK_DIALOGUES = Path(__file__).parent.parent.parent / "tests" / "dialogues" / "passing"
# Kinds of findings that need no fixing, as the check itself counts them.
NOTES = frozenset({"expired", "not yet valid"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether changed articles may go live.

    Attributes:
        stage: The last thing that was tried: check or dialogues.
        passed: Whether it passed, and all before it.
        reasons: Why not, a sentence each.
        found: What the check found, as ``knowledge.check --json`` prints it: ``kind``, ``paths``
            and ``message``.
    """

    stage: str
    passed: bool
    reasons: tuple[str, ...] = ()
    found: tuple[Mapping[str, Any], ...] = ()


def judge(copy: Path, settings: Settings) -> Verdict:
    """Check a copy of the knowledge folder, and play the company's dialogues with it.

    What is found in the folder as it is does not count against a change.

    Args:
        copy: The copy with the changes.
        settings: The settings that the server runs with.

    Raises:
        ArticleEditError: The check cannot run.
    """
    told("Checking the articles …")
    found = _findings(copy, settings)
    if found:
        found = [one for one in found if one not in _findings(settings.knowledge, settings)]
    if found:
        said = (f"{one['kind']}: {', '.join(one['paths'])}: {one['message']}" for one in found)
        return Verdict("check", passed=False, reasons=tuple(said), found=tuple(found))
    folder = dialogues_of(settings)
    if folder is None:
        told("The check found nothing. There are no canned dialogues.")
        return Verdict("check", passed=True)
    told("The check found nothing. Playing the canned dialogues …")
    command = ["tuning.dialogues", str(folder), "--knowledge", str(copy)]
    played = _run([*command, "--state", str(settings.state)], settings)
    told(played.stdout)
    if played.returncode:
        lines = [line for line in played.stdout.splitlines() if line.strip()]
        reasons = tuple(lines[-20:]) or (_last_line(played.stderr),)
        return Verdict("dialogues", passed=False, reasons=reasons)
    return Verdict("dialogues", passed=True)


def dialogues_of(settings: Settings) -> Path | None:
    """Return the folder of the company's canned dialogues; None if there is none.

    It is the setting ``dialogues``, or the folder of that name in the knowledge folder. The demo
    bank's are among the tests.
    """
    if settings.dialogues:
        return settings.dialogues
    beside = settings.knowledge / DIALOGUES
    if beside.is_dir():
        return beside
    is_bank = settings.knowledge.resolve() == BANK.resolve()
    return BANK_DIALOGUES if is_bank and BANK_DIALOGUES.is_dir() else None


def index_command(settings: Settings) -> list[str]:
    """Return what brings the folder's index up to date, in a process of its own."""
    command = [sys.executable, "-m", "knowledge.build_index", str(settings.knowledge.resolve())]
    command += ["--state", str(settings.state.resolve())]
    command += ["--embedder", settings.embedder] if settings.embedder else []
    command += ["--milvus", settings.milvus] if settings.milvus else []
    return [*command, *(["--small"] if settings.small else [])]


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the settings as the environment of another command of ours; secrets are no options."""
    found = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if value is not None:
            found[f"FRONTDESK_{name.upper()}"] = _as_text(value)
    found["FRONTDESK_DATABASE"] = settings.database_url
    # A trial must not begin to write messages in the background.
    found["FRONTDESK_EXPANSIONS"] = "false"
    return found


def told(text: str) -> None:
    """Say how far it is, to whoever reads the log."""
    sys.stdout.write(text.rstrip() + "\n")
    sys.stdout.flush()


def _as_text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path):
        return str(value.resolve())
    return json.dumps(value) if isinstance(value, list | bool) else str(value)


def _findings(folder: Path, settings: Settings) -> list[Mapping[str, Any]]:
    command = ["knowledge.check", str(folder), "--json", "--state", str(settings.state)]
    command += ["--embedder", settings.embedder] if settings.embedder else []
    done = _run(command, settings)
    if done.returncode not in (0, 1):
        raise ArticleEditError(f"The check cannot run: {_last_line(done.stderr)}")
    found: list[Mapping[str, Any]] = [json.loads(line) for line in done.stdout.splitlines() if line]
    return [one for one in found if one["kind"] not in NOTES]


def _run(module: Sequence[str], settings: Settings) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603  # our own modules
        [sys.executable, "-m", *module],
        env={**os.environ, **environment_of(settings)},
        stdout=subprocess.PIPE,
        stderr=None,  # its progress is for whoever reads the log
        text=True,
        check=False,
    )


def _last_line(text: str | None) -> str:
    lines = [line for line in (text or "").splitlines() if line.strip()]
    return lines[-1] if lines else "see its log"
