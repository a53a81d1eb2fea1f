"""Reads a question together with a passage and scores how likely each sentence answers.

An embedder encodes question and sentence separately. Here one network reads both, which separates
"how much is a second key" from "how long does a second key take". ``python -m
tuning.evidence_model`` trains the weights: an adapter for the embedder or the span embedder that
ships, and a linear layer over each sentence's vector.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from assistant.errors import AssistantError
from knowledge.documents import Passage
from knowledge.models.bfloat16 import has_bfloat16
from knowledge.models.span_embedder import padded
from knowledge.models.turn_before import TurnBefore, in_conversation, shortened
from knowledge.segmenter import Span

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder
    from knowledge.models.span_embedder import SpanEmbedder

WEIGHTS = Path(__file__).parent.parent / "weights"
# For the embedder that ships, in both languages, and for the span embedder for English.
OF_EMBEDDER, OF_SPAN_EMBEDDER = WEIGHTS / "evidence-model", WEIGHTS / "evidence-model-en"
FACTS, LINEAR_LAYER = "evidence_model.json", "head.safetensors"
# The most tokens of question and passage together; a longer passage loses its end.
MAX_TOKENS = 320
# The most tokens of the question; a longer one loses its end.
MAX_QUESTION_TOKENS = 240
# The same of a message, of the question before it and of the sentence that answered that one.
MAX_LATER_TOKENS = (120, 40, 60)
# Logit of a sentence that was cut off: it is no answer.
CUT_OFF = -10.0

Logits = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Encoded:
    """The tokens of a question and a passage, with the position of each sentence.

    Attributes:
        ids: Token ids.
        places: For each sentence its first and last token, both included; None for a sentence that
            was cut off.
    """

    ids: list[int]
    places: list[tuple[int, int] | None]


def encode(
    tokenizer: Any,
    question: str,
    name: str,
    text: str,
    spans: Sequence[Span],
    last: TurnBefore | None = None,
) -> Encoded:
    """Return the input of the network, the same in training and in serving.

    Args:
        tokenizer: A fast tokenizer.
        question: The customer's question.
        name: The passage's name, which supplies the subject that its sentences leave out.
        text: The passage.
        spans: Its sentences, in characters of ``text``.
        last: The turn before the question; None for a first message.
    """
    if last:
        question = in_conversation(tokenizer, question, last, MAX_LATER_TOKENS)
    else:
        question = shortened(tokenizer, question, MAX_QUESTION_TOKENS)
    prefix = f"\n{name}: "
    found = tokenizer(
        f"query: {question}",
        prefix + text,
        truncation="only_second",
        max_length=MAX_TOKENS,
        return_offsets_mapping=True,
    )
    offsets, parts = found["offset_mapping"], found.sequence_ids(0)
    inside = [
        (at, start - len(prefix), end - len(prefix))
        for at, ((start, end), part) in enumerate(zip(offsets, parts, strict=True))
        if part == 1 and end > max(start, len(prefix))
    ]
    return Encoded(found["input_ids"], [_place(inside, span) for span in spans])


def _place(inside: Sequence[tuple[int, int, int]], span: Span) -> tuple[int, int] | None:
    held = [at for at, start, end in inside if start < span.end and end > span.start]
    return (held[0], held[-1]) if held else None


class EvidenceModel:
    """A network with an adapter, and a linear layer over each sentence's vector."""

    def __init__(
        self,
        network: Any,
        tokenizer: Any,
        linear_layer: tuple[Logits, float],
        facts: Mapping[str, Any],
    ) -> None:
        """Take the parts; ``load`` puts them together.

        Args:
            network: Gives a vector for each token.
            tokenizer: The network's tokenizer.
            linear_layer: Weights of shape (dimension,), and a bias.
            facts: ``settings`` holds the ``languages`` of the training.
        """
        self._network, self._tokenizer = network, tokenizer
        self._weight, self._bias = linear_layer
        # Two and a half times as fast; logits move by at most 0.13.
        self._half = has_bfloat16()
        self.languages = frozenset(facts["settings"]["languages"])

    @classmethod
    def load(cls, host: "Embedder | SpanEmbedder", folder: Path) -> Self | None:
        """Load the adapter into a network; None where it was trained for another one.

        Args:
            host: The embedder that holds the network.
            folder: What ``tuning.evidence_model`` wrote.

        Raises:
            AssistantError: The weights are damaged.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        if not (folder / FACTS).is_file():
            return None
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        if facts["base"].split("/")[-1] != host.name:
            return None
        try:
            adapted = host.adapted(folder)
            layer = load_file(folder / LINEAR_LAYER)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise AssistantError(
                f"Expected the weights of the evidence model in {folder}, found: {error}"
            ) from None
        if adapted is None:
            return None
        linear_layer = layer["weight"].double().numpy()[0], float(layer["bias"][0])
        return cls(*adapted, linear_layer, facts)

    def score(
        self,
        question: str,
        passages: Sequence[Passage],
        spans: Sequence[Sequence[Span]],
        last: TurnBefore | None = None,
    ) -> list[Logits]:
        """Return the logits of each passage's sentences, relative to 0 for "nothing answers".

        Args:
            question: The customer's question.
            passages: The passages to read.
            spans: The sentences of each.
            last: The turn before the question; None for a first message.

        Returns:
            For each passage an array of shape (sentences,).
        """
        encoded = [
            encode(self._tokenizer, question, passage.name, passage.text, of_passage, last)
            for passage, of_passage in zip(passages, spans, strict=True)
        ]
        states = self._states([one.ids for one in encoded])
        return [
            np.array([self._logit(vectors, place) for place in one.places])
            for one, vectors in zip(encoded, states, strict=True)
        ]

    def _logit(self, states: Logits, place: tuple[int, int] | None) -> float:
        if place is None:
            return CUT_OFF
        first, last = place
        vector = states[first : last + 1].mean(axis=0)
        return float(vector @ self._weight + self._bias)

    def _states(self, ids: Sequence[Sequence[int]]) -> list[Logits]:
        import torch

        if not ids:
            return []
        inputs = padded(ids, self._tokenizer.pad_token_id)
        half = torch.autocast("cpu", torch.bfloat16, enabled=self._half)
        with torch.inference_mode(), half:
            states = self._network(**inputs).last_hidden_state
        vectors = states.double().numpy()
        return [of_row[: len(row)] for of_row, row in zip(vectors, ids, strict=True)]
