"""An encoder with a classification layer, its losses, and how it predicts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from tuning.classifier.config import ClassifierConfig

DROPOUT = 0.1
MAX_TOKENS = 128
# The contrastive loss's temperature for small batches, from Khosla et al. 2020.
CONTRASTIVE_TEMPERATURE = 0.1


class EncoderClassifier(nn.Module):
    """Any Hugging Face encoder with pooling and one linear layer."""

    def __init__(self, encoder: nn.Module, labels: int, config: ClassifierConfig) -> None:
        """Add a linear layer for ``labels`` classes to an encoder with ``last_hidden_state``."""
        super().__init__()
        self.encoder = encoder
        self.classify = nn.Linear(encoder.config.hidden_size, labels)  # type: ignore[union-attr,arg-type]
        self.dropout = nn.Dropout(DROPOUT)
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
        """Return ``logits`` of shape (batch, classes), and ``loss`` if labels are given."""
        vectors = self.vectors(input_ids, attention_mask)
        # A unit vector's entries are small for a linear layer; this gives them unit variance.
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
    """Return the loss that draws texts of a class together (Khosla et al. 2020).

    Args:
        vectors: Unit vectors of shape (batch, hidden).
        labels: Classes, of shape (batch,). The only text of a class adds nothing.
    """
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    same_class = (labels[:, None] == labels[None]) & ~itself
    cosines = (vectors @ vectors.T / CONTRASTIVE_TEMPERATURE).masked_fill(itself, -1e9)
    log_probabilities = cosines.log_softmax(dim=1)
    partners = same_class.sum(1)
    kept = partners > 0
    if not kept.any():
        return vectors.sum() * 0
    return -((log_probabilities * same_class).sum(1)[kept] / partners[kept]).mean()


class Adversary:
    """Moves the embeddings one step up the loss: FGM (Miyato et al. 2017, arXiv 1605.07725)."""

    def __init__(self, encoder: nn.Module, length: float) -> None:
        """Hook into an encoder's word vectors; a step has this Euclidean length."""
        self._length = length
        self._embeddings: torch.Tensor | None = None
        self._step: torch.Tensor | None = None
        encoder.get_input_embeddings().register_forward_hook(self._hook)  # type: ignore[operator]

    def _hook(self, _module: nn.Module, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
        if self._step is not None:
            return output + self._step
        if torch.is_grad_enabled():
            # A frozen table has no gradient, so its output has to require one.
            self._embeddings = output if output.requires_grad else output.requires_grad_()
            self._embeddings.retain_grad()
        return output

    def attack(self) -> None:
        """Take the step that raises the loss most, by the last backward pass."""
        assert self._embeddings is not None  # noqa: S101  # called after a backward pass
        assert self._embeddings.grad is not None  # noqa: S101
        gradient = self._embeddings.grad
        norm = gradient.flatten(1).norm(dim=1).clamp(min=1e-12)
        self._step = self._length * gradient / norm[:, None, None]

    def retreat(self) -> None:
        """Take the step back."""
        self._step = self._embeddings = None


@dataclass(slots=True)
class TrainedEncoder:
    """A trained encoder classifier with its tokenizer."""

    model: EncoderClassifier
    tokenizer: Any
    labels: Sequence[str]
    prompt: str

    def logits(self, texts: Sequence[str], batch: int = 64) -> NDArray[np.float32]:
        """Return float32 logits of shape (len(texts), len(labels))."""
        self.model.eval()
        # Texts of similar length share a batch, which needs little padding.
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        logits = np.zeros((len(texts), len(self.labels)), dtype=np.float32)
        device = self.model.classify.weight.device
        with torch.inference_mode():
            for at in range(0, len(order), batch):
                rows = order[at : at + batch]
                inputs = self._tokens([texts[row] for row in rows])
                outputs = self.model(**{name: ids.to(device) for name, ids in inputs.items()})
                logits[rows] = outputs["logits"].float().cpu().numpy()
        return logits

    def _tokens(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """Return ``input_ids`` and ``attention_mask`` of shape (len(texts), tokens)."""
        inputs = self.tokenizer(
            [self.prompt + text for text in texts],
            truncation=True,
            max_length=MAX_TOKENS,
            padding=True,
            return_tensors="pt",
        )
        return {name: inputs[name] for name in ("input_ids", "attention_mask")}

    def save(self, folder: Path, pooling: str) -> None:
        """Write the encoder or its LoRA weights, the linear layer, the tokenizer and the labels."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        self.model.encoder.save_pretrained(folder)  # type: ignore[operator]
        self.tokenizer.save_pretrained(folder)
        layer = self.model.classify.state_dict().items()
        save_file(
            {name: weight.detach().contiguous() for name, weight in layer},
            folder / "classify.safetensors",
        )
        about = {"labels": list(self.labels), "prompt": self.prompt, "pooling": pooling}
        (folder / "labels.json").write_text(json.dumps(about, ensure_ascii=False), "utf-8")
