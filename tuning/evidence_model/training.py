"""Trains the evidence model: which sentences answer a question, and whether any does.

The network reads question and passage together, so that it sees each sentence in context. A linear
layer gives each sentence a logit; "nothing answers" has the logit 0. The loss is the negative log
of the right sentences' part of a softmax over all sentences of all passages and "nothing answers"
(as for spans in Clark and Gardner 2018, arXiv 1710.10723; sentences of passages as in Provence,
Chirkova et al. 2025, arXiv 2501.16214).
"""

import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import Trainer, TrainingArguments

from assistant.evidence.evidence_model import LINEAR_LAYER, encode
from knowledge.models.turn_before import TurnBefore
from tuning.config_file import ConfigError
from tuning.evidence_model.base_network import Base
from tuning.evidence_model.cases import CasePassage, EvidenceCase
from tuning.evidence_model.config import EvidenceSettings
from tuning.evidence_model.measures import ScoredCase
from tuning.half_precision import precision

# The share of training questions in lower case and without final punctuation.
VARIED = 0.2
ADAPTER = "adapter_model.safetensors"
LINEAR_LEARNING_RATE, WARMUP, WEIGHT_DECAY, DROPOUT = 1e-3, 0.06, 0.01, 0.1
# The share of later turns in training whose question before was not answered.
LOST = 0.15
# Cases per batch outside training.
BATCH = 8


class SentenceScorer(torch.nn.Module):
    """A transformer with a linear layer that scores sentences."""

    def __init__(self, network: Any) -> None:
        """Add an untrained linear layer to an encoder.

        Args:
            network: Returns a vector for each token, from ids and mask. A sentence's vector is the
                mean over its tokens.
        """
        super().__init__()
        self.network = network
        self.dropout = torch.nn.Dropout(DROPOUT)
        self.linear = torch.nn.Linear(network.config.hidden_size, 1)
        torch.nn.init.normal_(self.linear.weight, std=0.02)
        # Few sentences answer.
        torch.nn.init.constant_(self.linear.bias, -2.0)

    def scores(self, batch: dict[str, Any]) -> torch.Tensor:
        """Return logits of shape (sentences,)."""
        states = self.network(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
        ).last_hidden_state
        rows, first, last = batch["rows"], batch["first"], batch["last"]
        sums = torch.nn.functional.pad(states.float().cumsum(dim=1), (0, 0, 1, 0))
        vectors = (sums[rows, last + 1] - sums[rows, first]) / (last - first + 1)[:, None]
        scores = self.linear(self.dropout(vectors.to(self.linear.weight.dtype)))
        return torch.as_tensor(scores).squeeze(-1).float()

    def forward(self, **batch: Any) -> dict[str, torch.Tensor]:
        """Return the loss of a batch that ``Collator`` made."""
        scores = self.scores(batch)
        owner, gold, count = batch["owner"], batch["gold"], int(batch["cases"])
        nothing = torch.zeros(count, device=scores.device)
        total = _logsumexp(scores, owner, nothing)
        right = _logsumexp(
            scores.masked_fill(~gold, -1e4),
            owner,
            nothing.masked_fill(batch["answerable"], -1e4),
        )
        return {"loss": (total - right).mean()}


def _logsumexp(scores: torch.Tensor, owner: torch.Tensor, nothing: torch.Tensor) -> torch.Tensor:
    """Return the log-sum-exp of each case's scores and its logit of ``nothing``."""
    peak = nothing.scatter_reduce(0, owner, scores, "amax").detach()
    total = (nothing - peak).exp().scatter_add(0, owner, (scores - peak[owner]).exp())
    return total.log() + peak


class Collator:
    """Makes batches of cases; in training it also hides articles and varies questions."""

    def __init__(self, tokenizer: Any, settings: EvidenceSettings, *, training: bool) -> None:
        """Prepare the collator; all random choices depend on the settings' seed."""
        self._tokenizer = tokenizer
        self._settings = settings
        self._training = training
        self._random = random.Random(settings.seed)

    def __call__(self, cases: Sequence[EvidenceCase]) -> dict[str, Any]:
        """Return a batch of tensors.

        ``input_ids`` and ``attention_mask`` have a row for each passage. ``rows``, ``first``,
        ``last``, ``owner`` and ``gold`` have an entry for each sentence: its row, its first and
        last token, its case, and whether it answers. ``answerable`` has an entry for each case.
        """
        ids: list[torch.Tensor] = []
        sentences: list[tuple[int, int, int, int, bool]] = []
        for number, case in enumerate(cases):
            question, passages = self._shown(case)
            last = self._last(case)
            for passage in passages:
                encoded = encode(
                    self._tokenizer, question, passage.name, passage.text, passage.sentences, last
                )
                sentences += [
                    (len(ids), *place, number, right)
                    for place, right in zip(encoded.places, passage.gold, strict=True)
                    if place
                ]
                ids.append(torch.tensor(encoded.ids))
        rows, first, last, owner, gold = torch.tensor(sentences).T
        answerable = torch.zeros(len(cases), dtype=torch.bool)
        answerable[owner[gold.bool()]] = True
        padded = pad_sequence(ids, batch_first=True, padding_value=self._tokenizer.pad_token_id)
        lengths = torch.tensor([len(row) for row in ids])
        return {
            "input_ids": padded,
            "attention_mask": (torch.arange(padded.shape[1]) < lengths[:, None]).long(),
            "rows": rows,
            "first": first,
            "last": last,
            "owner": owner,
            "gold": gold.bool(),
            "answerable": answerable,
            "cases": torch.tensor(len(cases)),
        }

    def _last(self, case: EvidenceCase) -> TurnBefore | None:
        """Return the turn before a question; in training it sometimes went wrong."""
        last = case.last
        if last and self._training and self._random.random() < LOST:
            return TurnBefore(last.question, "")
        return last

    def _shown(self, case: EvidenceCase) -> tuple[str, list[CasePassage]]:
        """Return the question and the passages that the network reads."""
        question, passages = case.question, list(case.passages)
        if not self._training:
            return question, passages[: self._settings.passages]
        if self._random.random() < VARIED:
            question = question.lower().strip(" ?!.？！。")
        if case.article and self._random.random() < self._settings.hidden:
            # The article under discussion stays: not every question about it has an answer.
            if case.last:
                passages = [passage.without_answer() for passage in passages]
            else:
                passages = [passage for passage in passages if passage.article != case.article]
            passages = [passage for passage in passages if passage.spans]
            return question, passages[: self._settings.passages]
        kept = passages[: self._settings.passages]
        right = [passage for passage in passages if any(passage.gold) and passage not in kept]
        return question, [*kept[: len(kept) - len(right)], *right] if right else kept


def open_model(settings: EvidenceSettings, base: Base) -> SentenceScorer:
    """Return an untrained sentence scorer, or one to train further.

    Raises:
        ConfigError: There are no weights to train further.
    """
    network = base.network
    for name, weight in network.named_parameters():
        # The word vectors are most of a multilingual model, and little data hardly moves them.
        if "embeddings" in name or _layer(name) < settings.first_layer:
            weight.requires_grad_(False)
    if settings.method == "lora":
        from peft import LoraConfig, get_peft_model

        lora = LoraConfig(
            r=settings.rank,
            lora_alpha=2 * settings.rank,
            lora_dropout=settings.dropout,
            target_modules="all-linear",
            exclude_modules=_untouched(settings),
        )
        network = get_peft_model(network, lora)
        for name, weight in network.named_parameters():
            if _layer(name) < settings.first_layer:
                weight.requires_grad_(False)
    scorer = SentenceScorer(network)
    if settings.start:
        _load(scorer, settings.start)
    return scorer


def _untouched(settings: EvidenceSettings) -> str:
    """Return a pattern of the modules without an adapter of their own."""
    lowest = settings.first_layer
    if settings.start:
        # Weights to train further may have one below the first layer.
        from safetensors import safe_open

        with safe_open(settings.start / ADAPTER, "pt") as weights:
            layers = [_layer(name) for name in weights.keys()]  # noqa: SIM118  # no mapping
        lowest = int(min([lowest, *layers]))
    lower = range(lowest)
    return "|".join([r".*pooler\.dense", *(rf".*\.layer\.{number}\..*" for number in lower)])


def _layer(name: str) -> float:
    """Return the number of a weight's layer; infinity outside of layers."""
    found = re.search(r"\.layer\.(\d+)\.", name)
    return int(found[1]) if found else float("inf")


def _load(scorer: SentenceScorer, folder: Path) -> None:
    """Load the adapter and the linear layer of an earlier training.

    Raises:
        ConfigError: The folder has no such weights.
    """
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    try:
        adapter = load_file(folder / ADAPTER)
        loaded: Any = set_peft_model_state_dict(scorer.network, adapter)
        if loaded.unexpected_keys:
            raise RuntimeError("an adapter for another network")
        scorer.linear.load_state_dict(load_file(folder / LINEAR_LAYER))
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"{folder}: expected weights to train further, found {error}") from None


def train(
    settings: EvidenceSettings, model: SentenceScorer, tokenizer: Any, cases: Sequence[EvidenceCase]
) -> dict[str, float]:
    """Train a model in place; return the library's metrics."""
    cuda = torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=str(settings.output.with_name(f"{settings.output.name}.checkpoints")),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps,
        per_device_train_batch_size=settings.batch,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=WARMUP,
        bf16=precision("auto") == "bf16",
        use_cpu=not cuda,
        save_strategy="no",
        logging_steps=25,
        report_to="none",
        seed=settings.seed,
        remove_unused_columns=False,
        dataloader_num_workers=4 if cuda else 0,
        dataloader_pin_memory=cuda,
        label_names=[],
    )
    network = [weight for weight in model.network.parameters() if weight.requires_grad]
    groups = [
        {"params": network, "weight_decay": WEIGHT_DECAY},
        {"params": list(model.linear.parameters()), "lr": LINEAR_LEARNING_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate)
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=list(cases),
        data_collator=Collator(tokenizer, settings, training=True),
        optimizers=(optimizer, None),
    )
    metrics: dict[str, float] = trainer.train().metrics
    return metrics


@torch.inference_mode()
def score_cases(
    settings: EvidenceSettings, model: SentenceScorer, tokenizer: Any, cases: Sequence[EvidenceCase]
) -> list[ScoredCase]:
    """Return the cases with the model's logits."""
    model.eval()
    collator = Collator(tokenizer, settings, training=False)
    device = next(model.parameters()).device
    scored: list[ScoredCase] = []
    for start in range(0, len(cases), BATCH):
        part = cases[start : start + BATCH]
        batch = {k: v.to(device) for k, v in collator(part).items()}
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            scores = model.scores(batch).cpu().numpy()
        owner, gold = batch["owner"].cpu().numpy(), batch["gold"].cpu().numpy()
        for number in range(len(part)):
            mine = owner == number
            logits = scores[mine].astype(np.float64)
            logit = float(np.logaddexp.reduce(logits))
            scored.append(ScoredCase(logits, gold[mine], logit))
    return scored
