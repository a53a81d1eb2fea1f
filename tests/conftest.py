"""Real parts that are slow to open, once a session."""

import os
from pathlib import Path

import pytest

from assistant.assistant import Assistant
from assistant.config import Settings
from knowledge.model_files import open_embedder

ROOT = Path(__file__).parent.parent
# Shared with `make run`, so that models are prepared once on a machine.
STATE = ROOT / "var"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("FRONTDESK_") and name != "FRONTDESK_DATA":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def embedder():
    return open_embedder(None, STATE)


@pytest.fixture(scope="session")
def bank() -> Assistant:
    """Lantern Bank's assistant with the real embedder and the real language model."""
    return Assistant.from_config(Settings(state=STATE))
