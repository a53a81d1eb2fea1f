"""Trains an encoder to classify, all its weights or LoRA ones, with transformers' Trainer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer, Trainer, TrainingArguments
from transformers.trainer_callback import EarlyStoppingCallback

from tuning.classifier.config import ClassifierConfig
from tuning.classifier.encoder import Adversary, EncoderClassifier, Tuned
from tuning.classifier.labelled_texts import Labelled
from tuning.config_file import ConfigError
from tuning.half_precision import precision

CHECKPOINTS = "checkpoints"


class _Trainer(Trainer):
    """Trains with two learning rates, and against an adversary if one is given."""

    def __init__(
        self, *, config: ClassifierConfig, adversary: Adversary | None, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self._config = config
        self._adversary = adversary

    def create_optimizer(self, model: Any = None) -> Any:
        """Make AdamW: the layer on top starts from nothing and learns faster."""
        if self.optimizer is None:
            wanted = self._config.training
            assert self.model is not None  # noqa: S101  # it was given
            trained = [
                (name, weight)
                for name, weight in self.model.named_parameters()
                if weight.requires_grad
            ]
            top = [weight for name, weight in trained if name.startswith("classify.")]
            rest = [weight for name, weight in trained if not name.startswith("classify.")]
            groups = [
                {"params": rest, "lr": wanted.learning_rate},
                {"params": top, "lr": wanted.head_learning_rate},
            ]
            self.optimizer = torch.optim.AdamW(groups, weight_decay=wanted.weight_decay)
        return self.optimizer

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """Take a step; with an adversary, a second one from where it hurts most."""
        loss = super().training_step(model, dict(inputs), num_items_in_batch)
        if self._adversary:
            self._adversary.attack()
            super().training_step(model, dict(inputs), num_items_in_batch)
            self._adversary.retreat()
        return loss


def train_encoder(
    config: ClassifierConfig,
    source: str,
    prompt: str,
    train: Sequence[Labelled],
    dev: Sequence[Labelled],
    seed: int,
    *,
    resume: bool = False,
) -> Tuned:
    """Return an encoder tuned to the training rows, the best on the development rows.

    Args:
        config: What to do; ``method`` is "full" or "lora".
        source: The encoder's folder or hub name.
        prompt: What is put before each text.
        train: Rows to learn from.
        dev: Rows that tell when to stop.
        seed: What the drawing begins with.
        resume: Whether to go on from the last checkpoint.

    Raises:
        ConfigError: The encoder cannot be loaded, or there is no checkpoint to go on from.
    """
    torch.manual_seed(seed)
    labels = sorted({row.label for row in train})
    tokenizer, model = _open(config, source, labels, train)
    tuned = Tuned(model, tokenizer, labels, prompt, config.max_tokens)
    adversary = Adversary(model.encoder, config.training.fgm) if config.training.fgm else None
    trainer = _Trainer(
        config=config,
        adversary=adversary,
        model=model,
        args=_arguments(config, len(train), seed),
        train_dataset=_rows(train, tuned),
        eval_dataset=_rows(dev, tuned),
        data_collator=_collator(tuned),
        compute_metrics=_accuracy,
        callbacks=[EarlyStoppingCallback(config.training.patience)],
    )
    folder = Path(str(trainer.args.output_dir))
    if resume and not list(folder.glob("checkpoint-*")):
        raise ConfigError(f"Expected a checkpoint in {folder} to go on from, found none.")
    trainer.train(resume_from_checkpoint=resume or None)
    return tuned


def _open(
    config: ClassifierConfig, source: str, labels: Sequence[str], train: Sequence[Labelled]
) -> tuple[Any, EncoderClassifier]:
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        encoder = AutoModel.from_pretrained(source, dtype=torch.float32, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"No encoder could be loaded from {source} ({str(error).splitlines()[0]}). Expected a "
            f"folder, or a name on a hub that this machine reaches."
        ) from None
    if config.method == "lora":
        from peft import LoraConfig, TaskType, get_peft_model

        encoder = get_peft_model(
            encoder,
            LoraConfig(
                task_type=TaskType.FEATURE_EXTRACTION,
                r=config.training.lora_rank,
                lora_alpha=2 * config.training.lora_rank,
                lora_dropout=config.training.dropout,
                target_modules="all-linear",
            ),
        )
    elif config.training.frozen_words:
        encoder.get_input_embeddings().weight.requires_grad_(False)
    model = EncoderClassifier(encoder, len(labels), config)
    if config.class_weights == "balanced":
        counts = np.array([sum(row.label == label for row in train) for label in labels])
        model.class_weights = torch.tensor(len(train) / (len(labels) * counts), dtype=torch.float32)
    return tokenizer, model


def _arguments(config: ClassifierConfig, rows: int, seed: int) -> TrainingArguments:
    wanted = config.training
    cuda = torch.cuda.is_available()
    half = precision(wanted.mixed_precision)
    steps = max(1, round(rows / (wanted.batch * wanted.accumulation) * wanted.epochs))
    return TrainingArguments(
        output_dir=str(config.output / CHECKPOINTS / f"seed-{seed}"),
        num_train_epochs=wanted.epochs,
        per_device_train_batch_size=wanted.batch,
        per_device_eval_batch_size=4 * wanted.batch,
        gradient_accumulation_steps=wanted.accumulation,
        warmup_steps=round(wanted.warmup * steps),
        lr_scheduler_type="linear",
        bf16=half == "bf16",
        fp16=half == "fp16",
        use_cpu=not cuda,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=1,
        load_best_model_at_end=True,
        metric_for_best_model="accuracy",
        logging_steps=max(1, steps // 50),
        report_to=list(wanted.report_to) or "none",
        seed=seed,
        # Texts of like length go together, so that little is padded: a third of the time.
        train_sampling_strategy="group_by_length",
        remove_unused_columns=False,
        dataloader_pin_memory=cuda,
    )


def _rows(rows: Sequence[Labelled], tuned: Tuned) -> list[dict[str, Any]]:
    """Return rows with their token ids, by whose number the trainer groups them."""
    fed = tuned.tokenizer(
        [tuned.prompt + row.text for row in rows], truncation=True, max_length=tuned.max_tokens
    )
    place = {label: number for number, label in enumerate(tuned.labels)}
    return [
        {"input_ids": ids, "label": place[row.label]}
        for ids, row in zip(fed["input_ids"], rows, strict=True)
    ]


def _collator(tuned: Tuned) -> Any:
    def collate(rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        ids = [row["input_ids"] for row in rows]
        fed = tuned.tokenizer.pad({"input_ids": ids}, return_tensors="pt")
        return {**fed, "labels": torch.tensor([row["label"] for row in rows])}

    return collate


def _accuracy(judged: Any) -> dict[str, float]:
    return {"accuracy": float((judged.predictions.argmax(-1) == judged.label_ids).mean())}
