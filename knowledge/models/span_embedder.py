"""Encodes questions as customers type them, and passages together with each of their sentences.

A passage is read once, with its title. A sentence's vector is the mean over its tokens, so that it
knows the passage around it (late chunking, Günther et al. 2024, arXiv 2409.04701).
``python -m tuning.span_embedder`` trains the weights: an adapter for one of the encoders that
arrive as packages.
"""

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from knowledge.documents import Passage
from knowledge.errors import ModelNotFoundError
from knowledge.models.bfloat16 import has_bfloat16
from knowledge.models.embedder import Vectors, with_adapter
from knowledge.models.turn_before import TurnBefore, in_conversation
from knowledge.segmenter import Span

FACTS = "span_embedder.json"
# The most tokens of a question and of a passage with its name; longer ones lose their end.
MAX_QUESTION_TOKENS, MAX_PASSAGE_TOKENS = 128, 256
# The same of a later message, of the question before it and of the sentence that answered that one.
MAX_LATER_TOKENS = (64, 32, 40)
# Passages of similar length that are encoded together.
BATCH = 8


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """The unit vectors of a passage: float32 (dimension,) and (sentences, dimension).

    A sentence beyond the encoder's limit has a vector of zeros.
    """

    whole: Vectors
    sentences: Vectors


@dataclass(frozen=True, slots=True)
class EncodedPassage:
    """Token ids, and for each sentence its first token and the one after its last, or None."""

    ids: list[int]
    places: list[tuple[int, int] | None]


class SpanEmbedder:
    """An encoder with an adapter, for the languages that it was trained in."""

    def __init__(self, network: Any, tokenizer: Any, name: str, facts: Mapping[str, Any]) -> None:
        """Take the parts; ``load`` puts them together.

        Args:
            network: Returns a ``last_hidden_state`` for ``input_ids`` and ``attention_mask``.
            tokenizer: The network's tokenizer, a fast one.
            name: The name under which vectors are stored.
            facts: ``question_prompt`` and ``passage_prompt`` stand before a question and a
                passage; ``languages`` are those that it serves; ``temperature`` divided the
                cosines in the training's loss.
        """
        self._network, self._tokenizer = network, tokenizer
        self._half = has_bfloat16()
        self._question_prompt: str = facts["question_prompt"]
        self._passage_prompt: str = facts["passage_prompt"]
        self.name = name
        self.languages = frozenset(facts["languages"])
        self.temperature = float(facts["temperature"])
        self._later: Any = None

    def read_conversations(self, adapter: Path) -> None:
        """Read later messages with a copy of the network into which an adapter is merged.

        Args:
            adapter: What ``tuning.later_questions`` wrote.

        Raises:
            OSError: There are no such weights.
            RuntimeError: They were made for another network.
        """
        self._later = with_adapter(self._network, adapter).eval()

    @classmethod
    def load(cls, network: Any, tokenizer: Any, folder: Path) -> Self:
        """Take a network into which an adapter was merged, and the facts of that adapter.

        Args:
            network: Returns a ``last_hidden_state`` for ``input_ids`` and ``attention_mask``.
            tokenizer: The network's tokenizer.
            folder: What ``tuning.span_embedder`` wrote.

        Raises:
            ModelNotFoundError: The facts are missing or damaged.
        """
        try:
            facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            weights = (folder / "adapter_model.safetensors").read_bytes()
            name = f"{facts['base'].split('/')[-1]}-{hashlib.sha256(weights).hexdigest()[:8]}"
            return cls(network, tokenizer, name, facts)
        except (OSError, ValueError, KeyError) as error:
            raise ModelNotFoundError(
                f"Expected the weights of a span embedder in {folder}, found: {error}"
            ) from None

    @classmethod
    def open(cls, source: Path, folder: Path) -> Self:
        """Load an encoder with an adapter, in bfloat16 where the processor computes in it.

        Args:
            source: The encoder's folder.
            folder: What ``tuning.span_embedder`` wrote.

        Raises:
            ModelNotFoundError: The weights are missing or damaged.
        """
        import torch
        from peft import PeftModel
        from safetensors import SafetensorError
        from transformers import AutoModel, AutoTokenizer

        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        # From the start: a copy in float32 would be half a gigabyte.
        dtype = torch.bfloat16 if has_bfloat16() else torch.float32
        try:
            tokenizer = AutoTokenizer.from_pretrained(source)
            network = AutoModel.from_pretrained(source, dtype=dtype)
            network = PeftModel.from_pretrained(network, str(folder)).merge_and_unload().eval()
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelNotFoundError(
                f"Expected an encoder in {source} and an adapter for it in {folder}, found: "
                f"{str(error).splitlines()[0]}"
            ) from None
        return cls.load(network, tokenizer, folder)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Return questions' unit vectors, float32 of shape (len(texts), dimension)."""
        prompted = [self._question_prompt + text for text in texts]
        ids = self._tokenizer(prompted, truncation=True, max_length=MAX_QUESTION_TOKENS)
        return np.stack([_unit(of.mean(axis=0)) for of in self._states(ids["input_ids"])])

    def encode_later(self, text: str, before: TurnBefore) -> Vectors:
        """Return the unit vector of a message in its conversation, float32 of shape (dimension,).

        Where no weights were trained for it, that of the question before and the message.

        Args:
            text: The message.
            before: The turn before it.
        """
        if self._later is None:
            (vector,) = self.encode_questions([f"{before.question} {text}"])
            return np.asarray(vector)
        asked = in_conversation(self._tokenizer, text, before, MAX_LATER_TOKENS)
        ids = self._tokenizer([self._question_prompt + asked])["input_ids"]
        (states,) = self._states(ids, self._later)
        return _unit(states.mean(axis=0))

    def encode_passages(
        self, passages: Sequence[Passage], spans: Sequence[Sequence[Span]]
    ) -> list[PassageVectors]:
        """Return the vectors of passages and of their sentences.

        Args:
            passages: The passages.
            spans: The sentences of each, in characters of its text.
        """
        encoded = [
            encode_passage(self._tokenizer, self._passage_prompt, passage.name, passage.text, each)
            for passage, each in zip(passages, spans, strict=True)
        ]
        states = self._states([one.ids for one in encoded])
        return [_pooled(one, of_one) for one, of_one in zip(encoded, states, strict=True)]

    def adapted(self, adapter: Path) -> tuple[Any, Any]:
        """Return a copy of the network with an adapter merged in, and its tokenizer."""
        return with_adapter(self._network, adapter).eval(), self._tokenizer

    def _states(self, ids: Sequence[Sequence[int]], network: Any = None) -> list[Vectors]:
        """Return the states of each text's tokens, of shape (tokens, dimension)."""
        import torch

        states: list[Any] = [None] * len(ids)
        order = sorted(range(len(ids)), key=lambda n: len(ids[n]))
        for start in range(0, len(ids), BATCH):
            rows = order[start : start + BATCH]
            inputs = padded([ids[row] for row in rows], self._tokenizer.pad_token_id)
            half = torch.autocast("cpu", torch.bfloat16, enabled=self._half)
            with torch.inference_mode(), half:
                found = (network or self._network)(**inputs).last_hidden_state.float().numpy()
            for row, of_row in zip(rows, found, strict=True):
                states[row] = of_row[: len(ids[row])]
        return states


def encode_passage(
    tokenizer: Any, prompt: str, name: str, text: str, spans: Sequence[Span]
) -> EncodedPassage:
    """Return the network's input for a passage, the same in training and in serving.

    Args:
        tokenizer: A fast tokenizer.
        prompt: What stands before a passage.
        name: The passage's title and headings.
        text: The passage.
        spans: Its sentences, in characters of ``text``.
    """
    prefix = f"{prompt}{name}. "
    found = tokenizer(
        prefix + text, truncation=True, max_length=MAX_PASSAGE_TOKENS, return_offsets_mapping=True
    )
    inside = [
        (at, start - len(prefix), end - len(prefix))
        for at, (start, end) in enumerate(found["offset_mapping"])
        if end > max(start, len(prefix))
    ]
    return EncodedPassage(found["input_ids"], [_place(inside, span) for span in spans])


def padded(ids: Sequence[Sequence[int]], pad: int) -> dict[str, Any]:
    """Return ``input_ids`` and ``attention_mask`` of shape (texts, longest)."""
    import torch

    longest = max(map(len, ids))
    lengths = torch.tensor([len(row) for row in ids])
    return {
        "input_ids": torch.tensor([[*row, *[pad] * (longest - len(row))] for row in ids]),
        "attention_mask": (torch.arange(longest) < lengths[:, None]).long(),
    }


def _place(inside: Sequence[tuple[int, int, int]], span: Span) -> tuple[int, int] | None:
    held = [at for at, start, end in inside if start < span.end and end > span.start]
    return (held[0], held[-1] + 1) if held else None


def _pooled(encoded: EncodedPassage, states: Vectors) -> PassageVectors:
    sentences = [
        _unit(states[slice(*place)].mean(axis=0)) if place else np.zeros(states.shape[1])
        for place in encoded.places
    ]
    stacked = np.array(sentences, np.float32).reshape(len(sentences), states.shape[1])
    return PassageVectors(_unit(states.mean(axis=0)), stacked)


def _unit(vector: Vectors) -> Vectors:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)
