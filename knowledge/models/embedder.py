"""Turns text into vectors."""

import copy
import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.models.openvino_encoder import OpenVinoEncoder

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Text to unit vectors: a question lies close to the passages that answer it."""

    @property
    def name(self) -> str:
        """What an index records, so that it is never searched with another embedder."""

    @property
    def query_name(self) -> str:
        """What is recorded by whatever was fitted on queries' vectors."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages in which the vectors mean something."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), dimension), each row of length 1."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), dimension), each row of length 1."""

    def adapted(self, adapter: Path) -> tuple[Any, Any] | None:
        """Return the network that reads passages, with an adapter in it, and its tokenizer.

        The network gives a ``last_hidden_state`` for ``input_ids`` and ``attention_mask``. None
        where there is no network to adapt.
        """


class SentenceTransformerEmbedder:
    """Any sentence-transformers model from a folder or a hub name."""

    def __init__(
        self,
        model: str | Path,
        name: str,
        languages: frozenset[str],
        query_adapter: Path | None = None,
        converted: Path | None = None,
    ) -> None:
        """Load the weights; no code of the model's repository is run.

        Args:
            model: A folder, or a name on the hub.
            name: What to record in an index.
            languages: The languages that the model was trained on.
            query_adapter: LoRA weights that change how queries are encoded and leave passages as
                they are, so that an index outlives them.
            converted: A folder for networks converted to OpenVINO; None leaves all to torch.
        """
        from sentence_transformers import SentenceTransformer

        # Half precision saves disk; processors reckon faster in float32.
        self._passages = SentenceTransformer(
            str(model), trust_remote_code=False, model_kwargs={"dtype": "float32"}
        )
        self._queries = _adapted(self._passages, query_adapter) if query_adapter else self._passages
        self._name = self._query_name = name
        if query_adapter:
            weights = (query_adapter / "adapter_model.safetensors").read_bytes()
            self._query_name = f"{name}+{hashlib.sha256(weights).hexdigest()[:8]}"
        self._languages = languages
        self._fast_passages = OpenVinoEncoder.open(self._passages, converted) if converted else None
        self._fast_queries = self._fast_passages
        if converted and query_adapter:
            self._fast_queries = OpenVinoEncoder.open(self._queries, converted)

    @property
    def name(self) -> str:
        """The name that indexes record."""
        return self._name

    @property
    def query_name(self) -> str:
        """The name with the checksum of the query adapter, if there is one."""
        return self._query_name

    @property
    def languages(self) -> frozenset[str]:
        """The languages in which the vectors mean something."""
        return self._languages

    @property
    def sentence_transformer(self) -> Any:
        """The model that encodes passages, for those who train on top of it."""
        return self._passages

    @property
    def query_transformer(self) -> Any:
        """The model that encodes queries, with the query adapter in it if there is one."""
        return self._queries

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), dimension), each row of length 1."""
        texts = [quiet(text) for text in texts]
        if self._fast_queries:
            return self._fast_queries.encode(texts, "query")
        return _rows(self._queries.encode_query(texts, **_ENCODING))

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), dimension), each row of length 1."""
        if self._fast_passages:
            return self._fast_passages.encode(texts, "document")
        return _rows(self._passages.encode_document(list(texts), **_ENCODING))

    def adapted(self, adapter: Path) -> tuple[Any, Any]:
        """Return a copy of the passages' network with an adapter in it, and its tokenizer."""
        model = _adapted(self._passages, adapter)
        return model[0].model.eval(), model.tokenizer


def quiet(text: str) -> str:
    """Return a text written all in capitals in lower case: encoders hardly know such words."""
    return text.lower() if text.isupper() and len(text) > LONGEST_ACRONYM else text


# "ATM" or "IBAN" is no shouting.
LONGEST_ACRONYM = 5

_ENCODING: dict[str, Any] = {
    "batch_size": 32,
    "normalize_embeddings": True,
    "show_progress_bar": False,
}


def _rows(vectors: Any) -> Vectors:
    return np.asarray(vectors, dtype=np.float32)


def _adapted(model: Any, adapter: Path) -> Any:
    """Return a second encoder with the adapter merged in, sharing the table of word vectors.

    The table is most of a multilingual model, and the adapter does not touch it.
    """
    from peft import PeftModel

    warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
    shared = model[0].model.embeddings
    second = copy.deepcopy(model, memo={id(shared): shared})
    second[0].model = PeftModel.from_pretrained(second[0].model, str(adapter)).merge_and_unload()
    return second
