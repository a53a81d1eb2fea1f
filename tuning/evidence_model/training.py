"""Trains the reading model: which sentences answer a question, and whether any does.

Question and passage are read together, so that each sentence is seen in its place beside what was
asked; a linear head gives each sentence a logit, and that nothing answers has the logit 0. The
loss is the negative logarithm of what the right ones get of the softmax over all sentences of all
passages and nothing (as for spans in Clark and Gardner 2018, arXiv 1710.10723; sentences of
passages as in Provence, Chirkova et al. 2025, arXiv 2501.16214).
"""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModel, AutoTokenizer, Trainer, TrainingArguments

from assistant.evidence.evidence_model import encode
from tuning.config_file import ConfigError
from tuning.evidence_model.cases import EvidenceCase
from tuning.evidence_model.config import EvidenceSettings
from tuning.evidence_model.measures import Found
from tuning.half_precision import precision

READ_AT_ONCE = 32


class ReadingModel(torch.nn.Module):
    """A transformer with a linear head over its sentences' vectors."""

    def __init__(self, body: Any, *, causal: bool, dropout: float) -> None:
        """Take a transformer that gives a vector for each token.

        Args:
            body: Called with ids and mask.
            causal: A sentence is then known at its last token; otherwise by all of its tokens.
            dropout: Of the sentences' vectors.
        """
        super().__init__()
        self.body = body
        self.causal = causal
        self.dropout = torch.nn.Dropout(dropout)
        self.head = torch.nn.Linear(body.config.hidden_size, 1)
        torch.nn.init.normal_(self.head.weight, std=0.02)
        # Of all sentences few answer.
        torch.nn.init.constant_(self.head.bias, -2.0)

    def scores(self, batch: dict[str, Any]) -> torch.Tensor:
        """Return logits of shape (sentences,)."""
        states = self.body(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
        ).last_hidden_state
        rows, first, last = batch["rows"], batch["first"], batch["last"]
        if self.causal:
            vectors = states[rows, last]
        else:
            sums = torch.nn.functional.pad(states.float().cumsum(dim=1), (0, 0, 1, 0))
            vectors = (sums[rows, last + 1] - sums[rows, first]) / (last - first + 1)[:, None]
        scores = self.head(self.dropout(vectors.to(self.head.weight.dtype)))
        return torch.as_tensor(scores).squeeze(-1).float()

    def forward(self, **batch: Any) -> dict[str, torch.Tensor]:
        """Return the loss of a batch that ``Collator`` made."""
        scores = self.scores(batch)
        owner, gold, count = batch["owner"], batch["gold"], int(batch["cases"])
        none = torch.zeros(count, device=scores.device)
        whole = _logsumexp(scores, owner, none)
        right = _logsumexp(
            scores.masked_fill(~gold, -1e4),
            owner,
            none.masked_fill(batch["answerable"], -1e4),
        )
        return {"loss": (whole - right).mean()}


def _logsumexp(scores: torch.Tensor, owner: torch.Tensor, none: torch.Tensor) -> torch.Tensor:
    """Return each case's logarithm of the sum of exponents of its scores and of its ``none``."""
    top = none.scatter_reduce(0, owner, scores, "amax").detach()
    total = (none - top).exp().scatter_add(0, owner, (scores - top[owner]).exp())
    return total.log() + top


class Collator:
    """Puts cases into one batch; while training it hides articles and varies questions."""

    def __init__(self, tokenizer: Any, settings: EvidenceSettings, *, training: bool) -> None:
        """Take what cuts texts; every draw comes from the settings' seed."""
        self._tokenizer = tokenizer
        self._settings = settings
        self._training = training
        self._draw = random.Random(settings.seed)

    def __call__(self, cases: Sequence[EvidenceCase]) -> dict[str, Any]:
        """Return tensors: ids and mask of each passage, and of each sentence whose it is."""
        ids: list[torch.Tensor] = []
        rows: list[int] = []
        first: list[int] = []
        last: list[int] = []
        owner: list[int] = []
        gold: list[bool] = []
        answerable: list[bool] = []
        for number, case in enumerate(cases):
            question, passages = self._seen(case)
            answered = False
            for held in passages:
                found = encode(self._tokenizer, question, held.name, held.text, held.sentences)
                for place, right in zip(found.places, held.gold, strict=True):
                    if place is None:
                        continue
                    rows.append(len(ids))
                    first.append(place[0])
                    last.append(place[1])
                    owner.append(number)
                    gold.append(right)
                    answered |= right
                ids.append(torch.tensor(found.ids))
            answerable.append(answered)
        padded = pad_sequence(ids, batch_first=True, padding_value=self._tokenizer.pad_token_id)
        lengths = torch.tensor([len(one) for one in ids])
        return {
            "input_ids": padded,
            "attention_mask": (torch.arange(padded.shape[1]) < lengths[:, None]).long(),
            "rows": torch.tensor(rows),
            "first": torch.tensor(first),
            "last": torch.tensor(last),
            "owner": torch.tensor(owner),
            "gold": torch.tensor(gold),
            "answerable": torch.tensor(answerable),
            "cases": torch.tensor(len(cases)),
        }

    def _seen(self, case: EvidenceCase) -> tuple[str, list[Any]]:
        question, passages = case.question, list(case.passages)
        if not self._training:
            return question, passages[: self._settings.passages]
        if self._draw.random() < self._settings.varied:
            question = question.lower().strip(" ?!.？！。")
        if case.article and self._draw.random() < self._settings.hidden:
            passages = [held for held in passages if held.article != case.article]
            return question, passages[: self._settings.passages]
        kept = passages[: self._settings.passages]
        right = [held for held in passages if any(held.gold) and held not in kept]
        return question, [*kept[: len(kept) - len(right)], *right] if right else kept


def open_model(settings: EvidenceSettings, source: str) -> tuple[ReadingModel, Any]:
    """Return an untrained reading model and its tokenizer.

    Raises:
        ConfigError: There is no such model.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        body = AutoModel.from_pretrained(source, dtype=torch.float32, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"Expected an encoder or a causal model in {source}, found: "
            f"{str(error).splitlines()[0]}"
        ) from None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    causal = not hasattr(body.config, "type_vocab_size")
    for name, weight in body.named_parameters():
        # The table of word vectors is most of a multilingual model, and little data moves it.
        if "embeddings" in name or "embed_tokens" in name:
            weight.requires_grad_(False)
    if settings.method == "lora":
        from peft import LoraConfig, get_peft_model

        lora = LoraConfig(
            r=settings.rank,
            lora_alpha=2 * settings.rank,
            lora_dropout=settings.dropout,
            target_modules="all-linear",
            exclude_modules=None if causal else ["pooler.dense"],
        )
        body = get_peft_model(body, lora)
    return ReadingModel(body, causal=causal, dropout=settings.dropout), tokenizer


def train(
    settings: EvidenceSettings, model: ReadingModel, tokenizer: Any, cases: Sequence[EvidenceCase]
) -> dict[str, float]:
    """Train in place and return the library's metrics."""
    cuda = torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=str(settings.output.with_name(f"{settings.output.name}.checkpoints")),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps,
        per_device_train_batch_size=settings.batch,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=settings.warmup,
        bf16=precision("auto") == "bf16",
        use_cpu=not cuda,
        save_strategy="no",
        logging_steps=25,
        report_to=list(settings.report_to) or "none",
        seed=settings.seed,
        remove_unused_columns=False,
        dataloader_num_workers=4 if cuda else 0,
        dataloader_pin_memory=cuda,
        label_names=[],
    )
    body = [w for n, w in model.named_parameters() if w.requires_grad and not n.startswith("head")]
    groups = [
        {"params": body, "weight_decay": settings.weight_decay},
        {"params": list(model.head.parameters()), "lr": settings.head_learning_rate},
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
def read(
    settings: EvidenceSettings, model: ReadingModel, tokenizer: Any, cases: Sequence[EvidenceCase]
) -> list[Found]:
    """Return what the model finds in each case."""
    model.eval()
    collator = Collator(tokenizer, settings, training=False)
    device = next(model.parameters()).device
    found: list[Found] = []
    for start in range(0, len(cases), READ_AT_ONCE):
        batched = cases[start : start + READ_AT_ONCE]
        batch = {k: v.to(device) for k, v in collator(batched).items()}
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            scores = model.scores(batch).cpu().numpy()
        owner, gold = batch["owner"].cpu().numpy(), batch["gold"].cpu().numpy()
        held = [h for case in batched for h in case.passages[: settings.passages]]
        names = [held[row].article for row in batch["rows"].tolist()]
        for number in range(len(batched)):
            own = owner == number
            logits = scores[own].astype(np.float64)
            articles = [name for name, mine in zip(names, own, strict=True) if mine]
            found.append(Found(logits, gold[own], float(np.logaddexp.reduce(logits)), articles))
    return found
