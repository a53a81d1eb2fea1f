"""Real parts that are slow to open, once a session."""

import os
from pathlib import Path

import pytest

from assistant.assistant import Assistant
from assistant.company import Company
from assistant.config import BANK, Settings
from assistant.intents import IntentClassifier
from knowledge.knowledge_base import KnowledgeBase
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


@pytest.fixture(scope="session")
def parts(embedder):
    """Lantern Bank's parts, for an assistant with another generator."""
    return {
        "company": Company.load(BANK),
        "embedder": embedder,
        "knowledge": KnowledgeBase.open(BANK, embedder, STATE),
        "intents": IntentClassifier.open(BANK, embedder, STATE),
    }
