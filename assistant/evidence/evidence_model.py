"""Reads a question together with a passage: which of its sentences answer, and how surely.

The embedder meets question and sentence apart from each other; here one network reads both, so that
"how much is a second key" is told from "how long does a second key take". Trained by
``python -m tuning.evidence_model``; the weights are an adapter for the embedder that ships, or for
the generator.
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
from knowledge.segmenter import Span

if TYPE_CHECKING:
    from assistant.generators.generator import Generator
    from knowledge.models.embedder import Embedder

WEIGHTS = Path(__file__).parent.parent / "weights"
# For the embedder that ships, in both languages; and for the generator that ships, in its own.
OF_EMBEDDER, OF_GENERATOR = WEIGHTS / "evidence-model", WEIGHTS / "evidence-model-en"
FACTS, HEAD = "evidence_model.json", "head.safetensors"
# Tokens of question and passage together; a longer passage loses its end.
MAX_TOKENS = 320
# A sentence that was cut off is no answer.
CUT_OFF = -10.0

Logits = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Encoded:
    """The tokens of a question with a passage, and where each sentence's tokens lie.

    ``places`` holds ``(first, last)`` token positions, both included, for each sentence; None
    where a sentence was cut off.
    """

    ids: list[int]
    places: list[tuple[int, int] | None]


def encode(tokenizer: Any, question: str, name: str, text: str, spans: Sequence[Span]) -> Encoded:
    """Return what the model reads, in training as in serving.

    Args:
        tokenizer: A fast one.
        question: The customer's.
        name: The passage's, which tells what its sentences leave out.
        text: The passage.
        spans: Its sentences, in characters of ``text``.
    """
    head = f"\n{name}: "
    found = tokenizer(
        f"query: {question}",
        head + text,
        truncation="only_second",
        max_length=MAX_TOKENS,
        return_offsets_mapping=True,
    )
    offsets, parts = found["offset_mapping"], found.sequence_ids(0)
    inside = [
        (at, start - len(head), end - len(head))
        for at, ((start, end), part) in enumerate(zip(offsets, parts, strict=True))
        if part == 1 and end > max(start, len(head))
    ]
    return Encoded(found["input_ids"], [_place(inside, span) for span in spans])


def _place(inside: Sequence[tuple[int, int, int]], span: Span) -> tuple[int, int] | None:
    held = [at for at, start, end in inside if start < span.end and end > span.start]
    return (held[0], held[-1]) if held else None


class EvidenceModel:
    """The embedder's network with an adapter, and a linear head over each sentence's vector."""

    def __init__(
        self,
        network: Any,
        tokenizer: Any,
        head: tuple[Logits, float],
        facts: Mapping[str, Any],
    ) -> None:
        """Take the parts; ``load`` makes them fit.

        Args:
            network: Gives a vector for each token.
            tokenizer: The network's.
            head: Weights of shape (dimension,), and a bias.
            facts: ``causal``, where a sentence is known at its last token alone; ``settings`` with
                the ``languages`` that it was trained in; ``answerable``, for each language weight
                and bias of the probability (Platt 1999).
        """
        self._network, self._tokenizer = network, tokenizer
        self._weight, self._bias = head
        # Two and a half times as fast; logits moved by 0.13 at most.
        self._half = has_bfloat16()
        self._causal = bool(facts["causal"])
        self._calibration: Mapping[str, Sequence[float]] = facts.get("answerable", {})
        self.languages = frozenset(facts["settings"]["languages"])

    @classmethod
    def load(cls, host: "Embedder | Generator", folder: Path) -> Self | None:
        """Put the adapter into a host's network; None where it was made for another one.

        Args:
            host: What holds the network.
            folder: As ``tuning.evidence_model`` writes it.

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
            found = host.adapted(folder)
            head = load_file(folder / HEAD)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise AssistantError(
                f"Expected the weights of the evidence model in {folder}, found: {error}"
            ) from None
        if found is None:
            return None
        linear = head["weight"].double().numpy()[0], float(head["bias"][0])
        return cls(*found, linear, facts)

    def score(
        self, question: str, passages: Sequence[Passage], spans: Sequence[Sequence[Span]]
    ) -> list[Logits]:
        """Return of each passage its sentences' logits; that nothing answers has the logit 0.

        Args:
            question: The customer's question, self-contained.
            passages: To be read.
            spans: The sentences of each.
        """
        found = [
            encode(self._tokenizer, question, passage.name, passage.text, own)
            for passage, own in zip(passages, spans, strict=True)
        ]
        scored: list[Logits] = []
        for one, states in zip(found, self._states([one.ids for one in found]), strict=True):
            scored.append(np.array([self._logit(states, place) for place in one.places]))
        return scored

    def _logit(self, states: Logits, place: tuple[int, int] | None) -> float:
        if place is None:
            return CUT_OFF
        first, last = place
        vector = states[last if self._causal else first : last + 1].mean(axis=0)
        return float(vector @ self._weight + self._bias)

    def answerable(self, logit: float, lang: str) -> float:
        """Return the probability that any sentence answers, in [0, 1].

        Args:
            logit: Of "one of them answers".
            lang: The language of the question.
        """
        weight, bias = self._calibration.get(lang, (1.0, 0.0))
        return float(1 / (1 + np.exp(-(weight * logit + bias))))

    def _states(self, ids: Sequence[Sequence[int]]) -> list[Logits]:
        import torch

        if not ids:
            return []
        longest = max(map(len, ids))
        pad = self._tokenizer.pad_token_id
        padded = torch.tensor([[*row, *[pad] * (longest - len(row))] for row in ids])
        lengths = torch.tensor([len(row) for row in ids])
        mask = (torch.arange(longest) < lengths[:, None]).long()
        half = torch.autocast("cpu", torch.bfloat16, enabled=self._half)
        with torch.inference_mode(), half:
            states = self._network(input_ids=padded, attention_mask=mask).last_hidden_state
        vectors = states.double().numpy()
        return [own[: len(row)] for own, row in zip(vectors, ids, strict=True)]
