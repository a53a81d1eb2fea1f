"""An encoder under a classification layer, its losses, and how it reads texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from tuning.classifier.config import ClassifierConfig

# Temperature of the contrastive loss, as in Khosla et al. 2020 for small batches.
CONTRASTIVE_TEMPERATURE = 0.1


class EncoderClassifier(nn.Module):
    """Any Hugging Face encoder, pooled, under one linear layer."""

    def __init__(self, encoder: nn.Module, labels: int, config: ClassifierConfig) -> None:
        """Take an encoder that returns ``last_hidden_state`` and the number of classes."""
        super().__init__()
        self.encoder = encoder
        self.classify = nn.Linear(encoder.config.hidden_size, labels)  # type: ignore[union-attr,arg-type]
        self.dropout = nn.Dropout(config.training.dropout)
        self.class_weights: torch.Tensor | None = None
        self._pooling = config.pooling
        self._smoothing = config.training.label_smoothing
        self._contrastive = config.training.contrastive

    def vectors(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return unit vectors of shape (batch, hidden) for token ids of shape (batch, tokens)."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        if self._pooling == "cls":
            return functional.normalize(hidden[:, 0].float(), dim=-1)
        mask = attention_mask[..., None].to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
        return functional.normalize(mean.float(), dim=-1)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        labels: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Return ``logits`` of shape (batch, classes), and ``loss`` where labels are given."""
        vectors = self.vectors(input_ids, attention_mask)
        # Unit vectors are short for a linear layer; the square root of their length makes up.
        scaled = vectors * vectors.shape[-1] ** 0.5
        logits = self.classify(self.dropout(scaled))
        if labels is None:
            return {"logits": logits}
        loss = functional.cross_entropy(
            logits, labels, weight=self.class_weights, label_smoothing=self._smoothing
        )
        if self._contrastive:
            part = self._contrastive
            loss = (1 - part) * loss + part * supervised_contrastive(vectors, labels)
        return {"loss": loss, "logits": logits}


def supervised_contrastive(vectors: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the loss that draws texts of one class together (Khosla et al. 2020).

    Args:
        vectors: Unit vectors of shape (batch, hidden).
        labels: Of shape (batch,). A text alone in its class adds nothing.
    """
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    alike = (labels[:, None] == labels[None]) & ~itself
    cosines = (vectors @ vectors.T / CONTRASTIVE_TEMPERATURE).masked_fill(itself, -1e9)
    likely = cosines.log_softmax(dim=1)
    partners = alike.sum(1)
    kept = partners > 0
    if not kept.any():
        return vectors.sum() * 0
    return -((likely * alike).sum(1)[kept] / partners[kept]).mean()


class Adversary:
    """Moves the embeddings one step up the loss: FGM (Miyato et al. 2017, arXiv 1605.07725)."""

    def __init__(self, encoder: nn.Module, length: float) -> None:
        """Watch an encoder's table of word vectors; a step has this Euclidean length."""
        self._length = length
        self._seen: torch.Tensor | None = None
        self._step: torch.Tensor | None = None
        encoder.get_input_embeddings().register_forward_hook(self._hook)  # type: ignore[operator]

    def _hook(self, _module: nn.Module, _given: Any, output: torch.Tensor) -> torch.Tensor:
        if self._step is not None:
            return output + self._step
        if torch.is_grad_enabled():
            # A frozen table hands out no gradient, so its output has to ask for one.
            self._seen = output if output.requires_grad else output.requires_grad_()
            self._seen.retain_grad()
        return output

    def attack(self) -> None:
        """Take the step that the last backward pass shows to be the worst."""
        assert self._seen is not None  # noqa: S101  # called after a backward pass
        assert self._seen.grad is not None  # noqa: S101
        gradient = self._seen.grad
        norm = gradient.flatten(1).norm(dim=1).clamp(min=1e-12)
        self._step = self._length * gradient / norm[:, None, None]

    def retreat(self) -> None:
        """Take the step back."""
        self._step = self._seen = None


@dataclass(slots=True)
class Tuned:
    """A trained encoder with its tokenizer, ready to classify."""

    model: EncoderClassifier
    tokenizer: Any
    labels: Sequence[str]
    prompt: str
    max_tokens: int

    def logits(self, texts: Sequence[str], batch: int = 64) -> NDArray[np.float32]:
        """Return float32 logits of shape (len(texts), len(labels))."""
        self.model.eval()
        # Sorted by length, so that little is padded.
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        found = np.zeros((len(texts), len(self.labels)), dtype=np.float32)
        with torch.inference_mode():
            for at in range(0, len(order), batch):
                rows = order[at : at + batch]
                fed = tokens(self.tokenizer, [texts[r] for r in rows], self.prompt, self.max_tokens)
                fed = {
                    name: value.to(self.model.classify.weight.device) for name, value in fed.items()
                }
                found[rows] = self.model(**fed)["logits"].float().cpu().numpy()
        return found


def tokens(
    tokenizer: Any, texts: Sequence[str], prompt: str, max_tokens: int
) -> dict[str, torch.Tensor]:
    """Return ``input_ids`` and ``attention_mask`` of shape (len(texts), tokens)."""
    fed = tokenizer(
        [prompt + text for text in texts],
        truncation=True,
        max_length=max_tokens,
        padding=True,
        return_tensors="pt",
    )
    return {name: fed[name] for name in ("input_ids", "attention_mask")}
