"""Commands that measure the assistant, and that promote adapters, as processes of their own.

The package ``tuning`` does both. The assistant runs without it, so it is started and not imported.
The processes get the server's settings as their environment (``articles.gate.environment_of``).
"""

import importlib.util
import sys
from pathlib import Path

from assistant.reports.evaluations import DIALOGUES, QUESTIONS
from assistant.store.runs import RESULT

PROMOTION, ROLLBACK = "promotion", "rollback"
KINDS = (DIALOGUES, QUESTIONS, PROMOTION, ROLLBACK)
# Questions of each set in a quick run.
FEW = 20


def is_installed() -> bool:
    """Return whether ``tuning`` is there."""
    return importlib.util.find_spec("tuning") is not None


def dialogues_command(folder: Path) -> list[str]:
    """Return the command that plays the canned dialogues of a folder."""
    return _command("tuning.dialogues", str(folder))


def questions_command(state: Path, *, few: bool) -> list[str]:
    """Return the command that asks the question sets.

    Args:
        state: The state folder, where the whole report goes.
        few: Whether only ``FEW`` questions of each set are asked, and no conversations.
    """
    less = ["--no-conversations", f"--limit={FEW}"] if few else []
    out = f"--out={state / 'evaluation'}"
    return _command("tuning.evaluate", "--strategies", "auto", out, *less)


def promotion_command(candidate: Path) -> list[str]:
    """Return the command that lets the gate judge an adapter, and serves it if it is approved."""
    return _command("tuning.promote", str(candidate))


def rollback_command() -> list[str]:
    """Return the command that serves the previous adapter again."""
    return _command("tuning.promote", "--rollback")


def _command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments, f"--json={RESULT}"]
