"""Trains an encoder to classify, all weights or LoRA weights, with transformers' Trainer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer, Trainer, TrainingArguments
from transformers.trainer_callback import EarlyStoppingCallback

from tuning.classifier.config import ClassifierConfig
from tuning.classifier.encoder import (
    DROPOUT,
    MAX_TOKENS,
    Adversary,
    EncoderClassifier,
    TrainedEncoder,
)
from tuning.classifier.labelled_texts import Labelled
from tuning.config_file import ConfigError
from tuning.half_precision import precision

CHECKPOINTS = "checkpoints"
LINEAR_LEARNING_RATE, WARMUP, WEIGHT_DECAY = 2e-3, 0.1, 0.01


class _Trainer(Trainer):
    """Trains with two learning rates, and against an adversary if there is one."""

    def __init__(
        self, *, config: ClassifierConfig, adversary: Adversary | None, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self._config = config
        self._adversary = adversary

    def create_optimizer(self, model: Any = None) -> Any:
        """Return AdamW; the untrained linear layer has a higher learning rate than the encoder."""
        if self.optimizer is None:
            assert self.model is not None  # noqa: S101  # the constructor sets it
            trained = [
                (name, weight)
                for name, weight in self.model.named_parameters()
                if weight.requires_grad
            ]
            linear = [weight for name, weight in trained if name.startswith("classify.")]
            encoder = [weight for name, weight in trained if not name.startswith("classify.")]
            groups = [
                {"params": encoder, "lr": self._config.training.learning_rate},
                {"params": linear, "lr": LINEAR_LEARNING_RATE},
            ]
            self.optimizer = torch.optim.AdamW(groups, weight_decay=WEIGHT_DECAY)
        return self.optimizer

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """Take a step; with an adversary, also one on the embeddings that it moved."""
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
) -> TrainedEncoder:
    """Return an encoder trained on the training rows, at its best on the development rows.

    Args:
        config: The configuration; ``method`` is "full" or "lora".
        source: The encoder's folder or hub name.
        prompt: A prefix for each text.
        train: Training rows.
        dev: Development rows, for early stopping.
        seed: The seed of all random choices.
        resume: Whether to continue from the last checkpoint.

    Raises:
        ConfigError: The encoder cannot be loaded, or there is no checkpoint to continue from.
    """
    torch.manual_seed(seed)
    labels = sorted({row.label for row in train})
    tokenizer, model = _open(config, source, labels, train)
    trained = TrainedEncoder(model, tokenizer, labels, prompt)
    adversary = Adversary(model.encoder, config.training.fgm) if config.training.fgm else None
    trainer = _Trainer(
        config=config,
        adversary=adversary,
        model=model,
        args=_arguments(config, len(train), seed),
        train_dataset=_rows(train, trained),
        eval_dataset=_rows(dev, trained),
        data_collator=_collator(trained),
        compute_metrics=_accuracy,
        callbacks=[EarlyStoppingCallback(config.training.patience)],
    )
    folder = Path(str(trainer.args.output_dir))
    if resume and not list(folder.glob("checkpoint-*")):
        raise ConfigError(f"Expected a checkpoint in {folder} to continue from, found none.")
    trainer.train(resume_from_checkpoint=resume or None)
    return trained


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
                lora_dropout=DROPOUT,
                target_modules="all-linear",
            ),
        )
    else:
        # The word vectors are most of a multilingual model, and little data hardly moves them.
        encoder.get_input_embeddings().weight.requires_grad_(False)
    model = EncoderClassifier(encoder, len(labels), config)
    if config.class_weights == "balanced":
        counts = np.array([sum(row.label == label for row in train) for label in labels])
        model.class_weights = torch.tensor(len(train) / (len(labels) * counts), dtype=torch.float32)
    return tokenizer, model


def _arguments(config: ClassifierConfig, rows: int, seed: int) -> TrainingArguments:
    options = config.training
    cuda = torch.cuda.is_available()
    half = precision(options.mixed_precision)
    steps = max(1, round(rows / (options.batch * options.accumulation) * options.epochs))
    return TrainingArguments(
        output_dir=str(config.output / CHECKPOINTS / f"seed-{seed}"),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch,
        per_device_eval_batch_size=4 * options.batch,
        gradient_accumulation_steps=options.accumulation,
        warmup_steps=round(WARMUP * steps),
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
        report_to=list(options.report_to) or "none",
        seed=seed,
        # Texts of similar length share a batch: less padding, a third of the time.
        train_sampling_strategy="group_by_length",
        remove_unused_columns=False,
        dataloader_pin_memory=cuda,
    )


def _rows(rows: Sequence[Labelled], trained: TrainedEncoder) -> list[dict[str, Any]]:
    """Return rows with their token ids; the trainer groups them by their number."""
    inputs = trained.tokenizer(
        [trained.prompt + row.text for row in rows], truncation=True, max_length=MAX_TOKENS
    )
    place = {label: number for number, label in enumerate(trained.labels)}
    return [
        {"input_ids": ids, "label": place[row.label]}
        for ids, row in zip(inputs["input_ids"], rows, strict=True)
    ]


def _collator(trained: TrainedEncoder) -> Any:
    def collate(rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        ids = [row["input_ids"] for row in rows]
        inputs = trained.tokenizer.pad({"input_ids": ids}, return_tensors="pt")
        return {**inputs, "labels": torch.tensor([row["label"] for row in rows])}

    return collate


def _accuracy(evaluation: Any) -> dict[str, float]:
    return {"accuracy": float((evaluation.predictions.argmax(-1) == evaluation.label_ids).mean())}
