"""Real parts that are slow to open, once a session; and what the tests of the fine-tune share."""

import contextlib
import ctypes
import gc
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from assistant.assistant import Assistant
from assistant.company import Company
from assistant.config import BANK, Settings
from assistant.desk import Desk
from assistant.evidence.ranker import SentenceRanker
from assistant.finder import Finder
from assistant.intents.classifier import IntentClassifier
from assistant.listener import Listener
from assistant.policy import FittedPolicy
from assistant.store.contacts import Contacts
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.keys import Keys
from assistant.web.access import Access
from assistant.web.api import create_app
from assistant.web.gate import Gate
from assistant.web.identity import Identity
from assistant.web.limits import Limits
from assistant.web.metrics import Metrics
from assistant.web.tokens import Tokens
from assistant.web.turns import Turns
from assistant.writing.responder import Responder
from assistant.writing.strategies import StrategyChoices
from assistant.writing.templates import Sayings
from knowledge.models.model_files import generator_folder, open_embedder
from tests.page_browser import chromium, page_server, visit  # noqa: F401  # fixtures
from tests.postgres import has_postgres, new_database, postgres

ROOT = Path(__file__).parent.parent
# Shared with `make run`, so that models are prepared once on a machine.
STATE = ROOT / "var"
# A test with one of these, directly or through another fixture, needs the weights of a real model.
MODEL_FIXTURES = {"bank", "embedder", "local", "tiny"}


# What of the pages `make test` tries in a browser; `make browser` tries all.
QUICK_BROWSER = {"test_browser.py", "test_console.py", "test_no_network.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if MODEL_FIXTURES & fixtures:
            item.add_marker("model")
        if "chromium" in fixtures and item.path.name not in QUICK_BROWSER:
            item.add_marker("browser")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("FRONTDESK_") and name != "FRONTDESK_DATA":
            monkeypatch.delenv(name)


@pytest.fixture(scope="module", autouse=True)
def _memory_goes_back():
    """Give back what a file's tests used: two processes that keep all of it need 20 GB."""
    yield
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # other systems than Linux with glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)


@pytest.fixture(scope="session")
def embedder():
    return open_embedder(None, STATE)


@pytest.fixture(scope="session")
def bank() -> Assistant:
    """Lantern Bank's assistant with the real embedder and the real language model."""
    return Assistant.from_config(Settings(state=STATE))


@pytest.fixture(scope="session")
def parts(bank, embedder):
    """Lantern Bank's parts, for an assistant with another generator."""
    return {
        # The same as the assistant's: a second one would hold its encoders again.
        "knowledge": bank.finder.knowledge,
        "listener": Listener(
            embedder=embedder, intents=IntentClassifier.open(BANK, embedder, STATE)
        ),
        "evidence": SentenceRanker.open(embedder),
        "policy": FittedPolicy(),
    }


def assistant_of(parts, **how):
    """Return an assistant with these parts; ``how`` are arguments of its ``Responder``."""
    known = {"company": Company.load(BANK), "sayings": Sayings.load_all()}
    known["choices"] = StrategyChoices.load()
    responder = Responder(**{**known, **how})
    return Assistant(listener=parts["listener"], finder=Finder(**parts), responder=responder)


def desk_of(assistant, folder):
    """Return a desk whose conversations are kept in a folder."""
    return Desk(assistant, Conversations(Database.open(f"sqlite:///{folder}/frontdesk.db")))


def served(desk, *, gate=None, per_minute=10_000, origins=(), identity_secret=None):
    """Return the application that serves a desk, and what tells who calls."""
    database, tokens = desk.conversations.database, Tokens("secret", days=1)
    access = Access.open(database, tokens, "secret")
    gate = gate or Gate(8, 32, 20)
    turns = Turns(gate, Limits(per_minute), Metrics(gate, lambda: 0.0))
    contacts, identity = Contacts(database, "secret", 30), Identity(identity_secret)
    app = create_app(desk, access, turns, contacts, origins, identity)
    return SimpleNamespace(
        app=app,
        desk=desk,
        access=access,
        gate=gate,
        turns=turns,
        tokens=tokens,
        keys=Keys(database),
        users=access.sessions.users,
    )


@pytest.fixture(scope="session")
def postgres_server():
    if not has_postgres():
        pytest.skip("PostgreSQL's server is not installed; Debian's package is `postgresql`")
    with postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def store_url(request, tmp_path):
    """Return the address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/frontdesk.db"
    return new_database(request.getfixturevalue("postgres_server"))


def row(question="how much?", answer="It costs £5.", kind="answer"):
    said = [{"role": "assistant", "content": answer}]
    return {"prompt": [{"role": "user", "content": question}], "completion": said, "kind": kind}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Return the folder of a tiny random Qwen-style model with the shipped model's tokenizer."""
    import torch
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny-qwen"
    tokenizer = AutoTokenizer.from_pretrained(generator_folder(None, STATE))
    Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
        )
    ).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def rows(tmp_path):
    folder = tmp_path / "rows"
    folder.mkdir()
    lines = [json.dumps(row(f"question {n}?", f"It costs £{n}.")) for n in range(10)]
    (folder / "train.jsonl").write_text("\n".join(lines[:8]))
    (folder / "dev.jsonl").write_text("\n".join(lines[8:]))
    return folder


@pytest.fixture
def config(tmp_path, tiny, rows):
    def write(**changed):
        values = {
            "name": "test",
            "base_model": str(tiny),
            "rows": str(rows),
            "max_steps": 1,
            "batch": 2,
            "accumulation": 1,
            "generated": 0,
            "output": str(tmp_path / "out"),
            **changed,
        }
        file = tmp_path / "config.yaml"
        file.write_text(yaml.safe_dump(values))
        return file

    return write
