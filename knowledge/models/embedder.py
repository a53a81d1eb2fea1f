"""Encodes text as unit vectors."""

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

# "ATM" and "IBAN" stay in capitals.
LONGEST_ACRONYM = 5


class Embedder(Protocol):
    """Encodes texts as unit vectors in which a question is close to the passages that answer it."""

    @property
    def name(self) -> str:
        """The name that indexes record, so that they are never searched with another embedder."""

    @property
    def query_name(self) -> str:
        """The name that weights fitted on query vectors record."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages that the embedder covers."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), dimension), each row of length 1."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), dimension), each row of length 1."""

    def adapted(self, adapter: Path) -> tuple[Any, Any] | None:
        """Return the network for passages with an adapter merged in, and its tokenizer.

        The network returns a ``last_hidden_state`` for ``input_ids`` and ``attention_mask``.

        Args:
            adapter: A folder of LoRA weights.

        Returns:
            None if there is no network to adapt.
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
        """Load the weights, without running code from the model's repository.

        Args:
            model: A folder, or a name on the hub.
            name: The name that indexes record.
            languages: The languages that the model covers.
            query_adapter: A folder of LoRA weights for queries only, so that an index stays valid
                when they change.
            converted: A folder for networks converted to OpenVINO; None uses torch alone.

        Raises:
            OSError: The weights cannot be found.
            ValueError: They are not a model that can be loaded.
        """
        from sentence_transformers import SentenceTransformer

        # Half precision saves disk space; processors compute faster in float32.
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
        """The name, with the checksum of the query adapter if there is one."""
        return self._query_name

    @property
    def languages(self) -> frozenset[str]:
        """The languages that the embedder covers."""
        return self._languages

    @property
    def sentence_transformer(self) -> Any:
        """The model that encodes passages, for training on top of it."""
        return self._passages

    @property
    def query_transformer(self) -> Any:
        """The model that encodes queries, with the query adapter merged in if there is one."""
        return self._queries

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), dimension), each row of length 1."""
        texts = [_without_capitals(text) for text in texts]
        if self._fast_queries:
            return self._fast_queries.encode(texts, "query")
        return _rows(self._queries.encode_query(texts, **_ENCODING))

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), dimension), each row of length 1."""
        if self._fast_passages:
            return self._fast_passages.encode(texts, "document")
        return _rows(self._passages.encode_document(list(texts), **_ENCODING))

    def adapted(self, adapter: Path) -> tuple[Any, Any]:
        """Return a copy of the passages' network with an adapter merged in, and its tokenizer."""
        model = _adapted(self._passages, adapter)
        return model[0].model.eval(), model.tokenizer


def _without_capitals(text: str) -> str:
    """Return a text in lower case if it is all in capitals, which encoders represent poorly."""
    return text.lower() if text.isupper() and len(text) > LONGEST_ACRONYM else text


_ENCODING: dict[str, Any] = {
    "batch_size": 32,
    "normalize_embeddings": True,
    "show_progress_bar": False,
}


def _rows(vectors: Any) -> Vectors:
    return np.asarray(vectors, dtype=np.float32)


def _adapted(model: Any, adapter: Path) -> Any:
    """Return a second model with the adapter merged in, which shares the word embeddings."""
    network = model[0].model
    return copy.deepcopy(model, memo={id(network): with_adapter(network, adapter)})


def with_adapter(network: Any, adapter: Path) -> Any:
    """Return a copy of an encoder with an adapter merged in, which shares the word embeddings.

    They are most of a multilingual model, and the adapter does not change them.

    Args:
        network: An encoder of the transformers library.
        adapter: A folder of LoRA weights.

    Raises:
        OSError: There are no such weights.
        RuntimeError: They were made for another network.
    """
    from peft import PeftModel

    warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
    shared = network.embeddings
    copied = copy.deepcopy(network, memo={id(shared): shared})
    return PeftModel.from_pretrained(copied, str(adapter)).merge_and_unload()
