"""Runs an embedder with OpenVINO if it is installed: the same vectors, faster on processors."""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

logger = logging.getLogger(__name__)

# Texts of similar length are encoded together; larger batches only fill the caches.
BATCH = 8
# A converted network must reach this cosine with the model's own vectors.
FAITHFUL = 0.9999
# Of different lengths, to compare padding and the attention mask as well.
COMPARED = ("My card is lost.", "我的银行卡丢了，请问补办一张新卡需要多少钱、要等几天？")


class OpenVinoEncoder:
    """The network of a sentence-transformers model, converted once and compiled at each start."""

    def __init__(self, model: Any, network: Any) -> None:
        """Take a sentence-transformers model and its compiled network; ``open`` makes one."""
        self._model = model
        # The word embeddings are most of a multilingual model; they are shared, not converted.
        self._words = model[0].model.get_input_embeddings()
        self._network = network

    @classmethod
    def open(cls, model: Any, folder: Path) -> Self | None:
        """Return an encoder for a sentence-transformers model.

        Args:
            model: The model, all of whose modules take and return torch tensors.
            folder: The folder for the converted network.

        Returns:
            None if OpenVINO is not installed, the model is on an accelerator, or the vectors
            differ from the model's own. The model should then encode by itself.
        """
        if importlib.util.find_spec("openvino") is None or model.device.type != "cpu":
            return None
        kept = folder / f"openvino-{_fingerprint(model)}"
        is_new = False
        while not is_new:
            is_new = not (kept / "network.xml").is_file()
            try:
                if is_new:
                    _convert(model, kept)
                encoder = cls(model, _compiled(kept))
                if encoder._is_faithful():
                    return encoder
                problem = "its vectors differ"
            except Exception as error:  # whatever OpenVINO raises for a network it does not support
                problem = str(error)
            # A stored network may be damaged, so convert again; a new one gets no second try.
            shutil.rmtree(kept, ignore_errors=True)
        logger.warning("OpenVINO cannot run this embedder; torch runs it instead: %s", problem)
        return None

    def encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        """Return float32 unit vectors of shape (len(texts), dimension).

        Args:
            texts: The texts; each is truncated at the model's maximum length.
            prompt: The name of the model's prompt to prefix each text with, if it has that prompt.
        """
        prefix = self._model.prompts.get(prompt, "")
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        order = np.argsort([len(text) for text in texts], kind="stable")
        for start in range(0, len(texts), BATCH):
            rows = order[start : start + BATCH]
            vectors[rows] = self._encoded([prefix + texts[row] for row in rows])
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    def _encoded(self, texts: list[str]) -> Vectors:
        import torch

        tokens = self._model.tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self._model.max_seq_length,
            return_tensors="pt",
        )
        with torch.inference_mode():
            words = self._words(tokens["input_ids"]).numpy()
        # A request serves one thread at a time, and creating one costs next to nothing.
        request = self._network.create_infer_request()
        outputs = request.infer([words, tokens["attention_mask"].numpy()])
        return np.asarray(outputs[0], dtype=np.float32)

    @property
    def _dimension(self) -> int:
        return int(self._network.output(0).partial_shape[-1].get_length())

    def _is_faithful(self) -> bool:
        expected = self._model.encode(list(COMPARED), normalize_embeddings=True)
        actual = self.encode(COMPARED, prompt="")
        return bool((expected * actual).sum(axis=1).min() > FAITHFUL)


def _openvino() -> Any:
    """Import OpenVINO without its telemetry, which reports each import to Intel."""
    # OpenVINO works without the telemetry package if that cannot be imported.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _compiled(kept: Path) -> Any:
    # Half precision would be a fifth faster, but change the third digit of a cosine.
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    core = _openvino().Core()
    return core.compile_model(core.read_model(str(kept / "network.xml")), "CPU", settings)


def _convert(model: Any, kept: Path) -> None:
    """Write the converted network to a folder, which appears complete or not at all."""
    import torch

    openvino = _openvino()

    print("Converting the embedder for this processor, once, a few seconds …", file=sys.stderr)
    width = model[0].model.get_input_embeddings().weight.shape[1]
    example = {
        "inputs_embeds": torch.zeros(2, 7, width),
        "attention_mask": torch.tensor([[1] * 7, [1] * 4 + [0] * 3]),
    }
    kept.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".converting-openvino-", dir=kept.parent))
    try:
        # Tracing warns about branches that are constant here.
        with torch.no_grad(), warnings.catch_warnings(action="ignore"):
            network = openvino.convert_model(_network(model), example_input=example)
        openvino.save_model(network, str(staging / "network.xml"))
        with contextlib.suppress(OSError):  # another process may have been faster
            os.replace(staging, kept)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _network(model: Any) -> Any:
    """Return the model from the word embeddings onwards, as one torch module."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = model[0].model
            self.rest = torch.nn.ModuleList(list(model.children())[1:])

        def forward(self, inputs_embeds: Any, attention_mask: Any) -> Any:
            output = self.transformer(inputs_embeds=inputs_embeds, attention_mask=attention_mask)
            features = {
                "token_embeddings": output.last_hidden_state,
                "attention_mask": attention_mask,
            }
            for module in self.rest:
                features = module(features)
            return features["sentence_embedding"]

    return Network().eval()


def _fingerprint(model: Any) -> str:
    """Return a key that changes whenever the converted network would."""
    digest = hashlib.sha256(importlib.metadata.version("openvino").encode())
    words = model[0].model.get_input_embeddings().weight
    for name, weight in model.named_parameters():
        digest.update(name.encode())
        if weight is not words:
            digest.update(weight.detach().numpy().tobytes())
    return digest.hexdigest()[:12]
