"""OpenVINO gives the model's own vectors, reports nothing, and leaves other models to torch."""

import logging
import sys

import numpy as np
import pytest

from knowledge.models import openvino_encoder
from knowledge.models.embedder import Embedder
from knowledge.models.openvino_encoder import BATCH, OpenVinoEncoder

TEXTS = ["", "card", "我的卡丢了怎么办", "How much is a new card? " * 80, *["a fee of £5"] * BATCH]


def test_its_vectors_are_those_of_the_model(embedder: Embedder, tmp_path):
    model = embedder.sentence_transformer
    encoder = OpenVinoEncoder.open(model, tmp_path)
    vectors = encoder.encode(TEXTS, "document")
    expected = model.encode_document(TEXTS, normalize_embeddings=True)
    assert vectors.dtype == np.float32
    assert (vectors * expected).sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert encoder.encode([], "document").shape == (0, 384)
    # The query adapter changes the vectors of queries.
    queries = embedder.encode_queries(TEXTS)
    assert (queries * encoder.encode(TEXTS, "query")).sum(axis=1).min() < 0.99


def _flip_exponents(raw):
    # Of many weights and of the shapes between them, as a bad sector would.
    raw[1_000_001:4_000_000:64] = b"\x7a" * len(raw[1_000_001:4_000_000:64])


def _cut(raw):
    del raw[len(raw) // 2 :]


@pytest.mark.parametrize("damage", [_flip_exponents, _cut])
def test_a_damaged_network_is_converted_again(embedder: Embedder, tmp_path, damage):
    model = embedder.sentence_transformer
    OpenVinoEncoder.open(model, tmp_path)
    (weights,) = tmp_path.glob("*/network.bin")
    raw = bytearray(weights.read_bytes())
    damage(raw)
    weights.unlink()  # open handles keep the intact file
    weights.write_bytes(raw)
    encoder = OpenVinoEncoder.open(model, tmp_path)
    expected = model.encode_document(["a fee"], normalize_embeddings=True)
    assert (encoder.encode(["a fee"], "document") * expected).sum() == pytest.approx(1, abs=1e-5)


def test_telemetry_is_off(embedder: Embedder):
    embedder.encode_queries(["a card"])
    assert sys.modules["openvino_telemetry"] is None
    assert sys.modules["openvino.tools.ovc.telemetry_utils"].tm.__name__.endswith("telemetry_stub")


def test_without_openvino_torch_encodes(embedder: Embedder, tmp_path, monkeypatch):
    monkeypatch.setattr(openvino_encoder.importlib.util, "find_spec", lambda _name: None)
    assert OpenVinoEncoder.open(embedder.sentence_transformer, tmp_path) is None


def test_an_unsupported_model_stays_with_torch(embedder: Embedder, tmp_path, monkeypatch, caplog):
    def refuse(_model):
        raise RuntimeError("unsupported operation")

    monkeypatch.setattr(openvino_encoder, "_network", refuse)
    with caplog.at_level(logging.WARNING):
        assert OpenVinoEncoder.open(embedder.sentence_transformer, tmp_path) is None
    assert "unsupported operation" in caplog.text
    assert list(tmp_path.iterdir()) == []
