"""Runs an embedder with OpenVINO where it is installed: the same vectors, sooner, on processors."""

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

# Texts of one length are encoded together; more at once only fill caches.
BATCH = 8
# Whoever comes below this cosine to the model's own vector has not been converted faithfully.
FAITHFUL = 0.9999
# Of different lengths, so that padding and the mask are compared too.
COMPARED = ("My card is lost.", "我的银行卡丢了，请问补办一张新卡需要多少钱、要等几天？")


class OpenVinoEncoder:
    """The network of a sentence-transformers model, converted once and compiled at each start."""

    def __init__(self, model: Any, network: Any) -> None:
        """Take a sentence-transformers model and its compiled network; ``open`` makes both fit."""
        self._model = model
        # The table of word vectors is most of a multilingual model: it is shared, not converted.
        self._words = model[0].model.get_input_embeddings()
        self._network = network

    @classmethod
    def open(cls, model: Any, folder: Path) -> Self | None:
        """Return an encoder for a sentence-transformers model.

        Args:
            model: The model, whose every module takes and returns torch tensors.
            folder: Where the converted network is kept.

        Returns:
            None where OpenVINO is not installed, the model lies on an accelerator, or its own
            vectors do not come out; the model then encodes as it always did.
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
            except Exception as error:  # whatever it says of a network that it does not know
                problem = str(error)
            # Damaged on the disk, perhaps: the next one is new. A new one gets no second chance.
            shutil.rmtree(kept, ignore_errors=True)
        logger.warning("OpenVINO does not run this embedder, torch does: %s", problem)
        return None

    def encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        """Return float32 unit vectors of shape (len(texts), dimension).

        Args:
            texts: The texts, cut at the model's length.
            prompt: The name of the prompt that the model puts before each, if it has it.
        """
        before = self._model.prompts.get(prompt, "")
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        order = np.argsort([len(text) for text in texts], kind="stable")
        for start in range(0, len(texts), BATCH):
            rows = order[start : start + BATCH]
            vectors[rows] = self._encoded([before + texts[row] for row in rows])
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
        # One request serves one thread, and they are made in no time.
        request = self._network.create_infer_request()
        found = request.infer([words, tokens["attention_mask"].numpy()])
        return np.asarray(found[0], dtype=np.float32)

    @property
    def _dimension(self) -> int:
        return int(self._network.output(0).partial_shape[-1].get_length())

    def _is_faithful(self) -> bool:
        expected = self._model.encode(list(COMPARED), normalize_embeddings=True)
        found = self.encode(COMPARED, prompt="")
        return bool((expected * found).sum(axis=1).min() > FAITHFUL)


def _openvino() -> Any:
    """Import OpenVINO without its telemetry, which reports each import to its maker."""
    # Its own code goes on without the package where that cannot be imported.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _compiled(kept: Path) -> Any:
    # Half precision would change the third digit of a cosine, and gain a fifth.
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    core = _openvino().Core()
    return core.compile_model(core.read_model(str(kept / "network.xml")), "CPU", settings)


def _convert(model: Any, kept: Path) -> None:
    """Write the network in a folder of its own; all or nothing."""
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
        # Tracing warns of branches that are constant here.
        with torch.no_grad(), warnings.catch_warnings(action="ignore"):
            network = openvino.convert_model(_network(model), example_input=example)
        openvino.save_model(network, str(staging / "network.xml"))
        with contextlib.suppress(OSError):  # another process may have been faster
            os.replace(staging, kept)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _network(model: Any) -> Any:
    """Return all of a model from the words' vectors on, as one torch module."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = model[0].model
            self.rest = torch.nn.ModuleList(list(model.children())[1:])

        def forward(self, inputs_embeds: Any, attention_mask: Any) -> Any:
            found = self.transformer(inputs_embeds=inputs_embeds, attention_mask=attention_mask)
            features = {
                "token_embeddings": found.last_hidden_state,
                "attention_mask": attention_mask,
            }
            for module in self.rest:
                features = module(features)
            return features["sentence_embedding"]

    return Network().eval()


def _fingerprint(model: Any) -> str:
    """Return what changes whenever the converted network would."""
    digest = hashlib.sha256(importlib.metadata.version("openvino").encode())
    words = model[0].model.get_input_embeddings().weight
    for name, weight in model.named_parameters():
        digest.update(name.encode())
        if weight is not words:
            digest.update(weight.detach().numpy().tobytes())
    return digest.hexdigest()[:12]
