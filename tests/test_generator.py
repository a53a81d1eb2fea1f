"""One protocol, one contract: the model in this process and a server that speaks OpenAI's API."""

import json
import threading
from collections.abc import Iterator
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
        """The small real model behind OpenAI's chat completions."""

        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if request["model"] != "small":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            pieces = local.generate(request["messages"], max_tokens=request["max_tokens"])
            for piece in pieces:
                self._event({"content": piece})
            self.wfile.write(b"data: [DONE]\n\n")

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
    # The hub's client reaches a server of one's own too, and takes "offline" for both.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
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


def test_a_reader_who_leaves_early_stops_the_work(generator):
    """The next call must not wait for the rest of the one before."""
    long = [{"role": "user", "content": "Tell me a very long story about a ship."}]
    pieces = generator.generate(long, max_tokens=2000)
    next(pieces)
    pieces.close()
    assert "Paris" in "".join(generator.generate(MESSAGES, max_tokens=40))


def test_what_is_avoided_is_not_begun_with(local):
    said = "".join(local.generate(MESSAGES, max_tokens=20))
    other = "".join(local.generate(MESSAGES, max_tokens=20, avoid=said))
    assert not other.startswith(" ".join(said.split()[:3]))


def test_no_adapter_is_an_error_that_says_so(generator):
    assert not generator.has_adapter
    with pytest.raises(GeneratorError, match="Expected an adapter"):
        list(generator.generate(MESSAGES, adapter=True))


@pytest.mark.parametrize(("able", "expected"), [(True, "bfloat16"), (False, "float32")])
def test_weights_are_what_the_processor_reckons_in(able, expected, monkeypatch):
    """Where bfloat16 is emulated, a prompt takes six times the seconds of float32."""
    import torch

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": able})
    folder = generator_folder(None, STATE)
    loaded = TransformersGenerator(folder, folder, frozenset({"en"}))
    assert str(loaded._model.dtype) == f"torch.{expected}"
    assert "".join(loaded.generate(MESSAGES, max_tokens=3))


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
    # Another adapter beside it reads, and changes neither.
    network, tokenizer = both.adapted(tmp_path / "2")
    ids = torch.tensor([tokenizer("a card")["input_ids"]])
    read = network(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    bare = both._model.model(input_ids=ids).last_hidden_state
    assert read.shape == bare.shape
    assert not torch.allclose(read, bare)
    assert "".join(both.generate(MESSAGES, max_tokens=12)) == plain
    assert "".join(both.generate(MESSAGES, max_tokens=12, adapter=True)) == other
    # A promotion is taken at the next call, and taken back as well.
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


def test_unknown_model_on_the_server(url):
    with pytest.raises(GeneratorError, match="with the model 'large'"):
        list(ServedGenerator(url, "large", None).generate(MESSAGES))


@pytest.mark.parametrize(
    ("installed", "generator", "expected"),
    [
        (True, None, GENERATOR_NAME),
        (False, None, None),
        (True, "HuggingFaceTB/SmolLM2-135M-Instruct", None),
    ],
)
def test_articles_words_are_chosen_with_the_default_generators_network_where_it_is_there(
    installed, generator, expected, monkeypatch
):
    """Its adapter was made for it; any other model would be loaded for nothing."""
    if not installed:
        monkeypatch.setattr("knowledge.models.model_files.find", lambda *_: None)
    settings = Settings(state=STATE, strategy="extractive", generator=generator)
    opened = open_generator(settings)
    assert (opened and opened.name) == expected
