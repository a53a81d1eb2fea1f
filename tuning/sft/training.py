"""Trains the answering model with TRL and PEFT; evaluations generate answers and judge them."""

import os
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, EarlyStoppingCallback
from transformers.trainer_utils import EvalLoopOutput
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from tuning.config_file import ConfigError
from tuning.half_precision import precision
from tuning.sft.config import SFTSettings
from tuning.sft.generated_answers import declines, generate, is_right
from tuning.sft.peft_methods import peft_config, quantized
from tuning.sft.row_reader import RowParts, RowsError

CHECKPOINTS = "checkpoints"
# The label of tokens without loss, as in PyTorch.
IGNORED = -100
# Development rows for the development loss.
EVALUATED = 96
SCHEDULER, WARMUP, WEIGHT_DECAY = "cosine", 0.05, 0.01
# Stop after this many evaluations without gain.
PATIENCE = 3


class GeneratingTrainer(SFTTrainer):
    """An SFTTrainer whose evaluations also generate answers and count the right ones."""

    judged_rows: Sequence[dict[str, Any]] = ()
    # Virtual tokens before the prompt shift the positions in ``logits_to_keep``.
    has_virtual_tokens = False

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the completion's cross-entropy, with logits for the completion's tokens only.

        The library's loss also multiplies each prompt token with the vocabulary matrix. With a
        small model and long prompts that takes half of the time.
        """
        if self.has_virtual_tokens:
            return super().compute_loss(  # type: ignore[no-untyped-call]
                model, inputs, return_outputs, num_items_in_batch
            )
        labels = inputs["labels"]
        places = (labels[:, 1:] != IGNORED).any(dim=0).nonzero().squeeze(-1)
        outputs = model(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            logits_to_keep=places,
            use_cache=False,
        )
        targets = labels[:, places + 1]
        loss = torch.nn.functional.cross_entropy(
            outputs.logits.float().flatten(0, 1),
            targets.flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )
        count = num_items_in_batch if num_items_in_batch is not None else (targets != IGNORED).sum()
        loss = loss / count
        if num_items_in_batch is not None:  # it counts the tokens of all processes
            loss = loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> EvalLoopOutput:
        """Return the library's metrics with ``eval_right``, the share of right answers."""
        output = super().evaluation_loop(*args, **kwargs)
        if self.judged_rows:
            model = self.accelerator.unwrap_model(self.model)
            answers = generate(model, self.processing_class, self.judged_rows)
            right = [
                is_right(text, row["completion"][0]["content"], declines())
                for text, row in zip(answers, self.judged_rows, strict=True)
            ]
            (output.metrics or {})["eval_right"] = sum(right) / len(right)
        return output


def train(settings: SFTSettings, rows: RowParts, state: Path, *, resume: bool) -> None:
    """Train, load the checkpoint whose generated answers are best, and save it.

    Args:
        settings: The configuration.
        rows: The training and development rows.
        state: The state folder, for the shipped base model.
        resume: Whether to continue from the last checkpoint.

    Raises:
        ConfigError: The model cannot be loaded, a library is missing, or there is no checkpoint.
        RowsError: No row is left after the filters.
        OSError: The disk is full or not writable.
    """
    from tuning.sft.model_folder import save_result

    start = time.perf_counter()
    trainer, base = build_trainer(settings, rows, state)
    folder = Path(str(trainer.args.output_dir))
    if resume and not list(folder.glob("checkpoint-*")):
        raise ConfigError(f"Expected a checkpoint in {folder} to continue from, found none.")
    trainer.train(resume_from_checkpoint=resume or None)
    # If the weights are sharded among processes, all of them have to take part.
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    if trainer.is_world_process_zero():
        seconds = round(time.perf_counter() - start)
        trained_on = len(trainer.train_dataset)  # type: ignore[arg-type]
        facts = {"rows": trained_on, "seconds": seconds}
        save_result(settings, trainer, weights, base, facts)
        shutil.rmtree(folder)


def build_trainer(
    settings: SFTSettings, rows: RowParts, state: Path
) -> "tuple[GeneratingTrainer, str]":
    """Return a trainer that is ready to start, and the base model's public name.

    Raises:
        ConfigError: The model cannot be loaded, or a library is missing.
        RowsError: No row is left after the filters.
    """
    model, tokenizer, base = _open(settings, state)
    kept, too_long = _fitting(settings, rows.train, tokenizer)
    dev, _ = _fitting(settings.model_copy(update={"max_rows": None}), rows.dev, tokenizer)
    print(
        f"{settings.name}: {len(kept)} training rows, {len(dev)} development rows; {too_long} left "
        f"out because they are longer than {settings.max_length} tokens"
    )
    trainer = GeneratingTrainer(
        model=model,
        args=_arguments(settings, len(kept)),
        train_dataset=_dataset(kept),
        eval_dataset=_dataset(dev[:EVALUATED]),
        processing_class=tokenizer,
        peft_config=peft_config(settings, _steps(settings, len(kept))),
        callbacks=[EarlyStoppingCallback(PATIENCE)],
    )
    trainer.judged_rows = dev[: settings.generated]
    trainer.has_virtual_tokens = settings.method in ("prefix", "prompt")
    return trainer, base


def _open(settings: SFTSettings, state: Path) -> tuple[Any, Any, str]:
    from knowledge.errors import KnowledgeError
    from knowledge.models.carriers import GENERATOR
    from knowledge.models.model_files import generator_folder

    try:
        source = generator_folder(settings.base_model, state)
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            source, dtype=_dtype(settings), trust_remote_code=False, **quantized(settings)
        )
    except (KnowledgeError, OSError, ValueError) as error:
        raise ConfigError(
            f"Expected a causal language model in {settings.base_model or 'the shipped package'}, "
            f"found: {str(error).splitlines()[0]}"
        ) from None
    if not tokenizer.chat_template:
        raise ConfigError(f"Expected a tokenizer with a chat template in {source}, found none.")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer, settings.base_model or GENERATOR.hub


def _dtype(settings: SFTSettings) -> torch.dtype:
    # Training all weights takes small steps, which need float32; a frozen base does not.
    if settings.method == "full" or precision(settings.mixed_precision) != "bf16":
        return torch.float32
    return torch.bfloat16


def _fitting(
    settings: SFTSettings, rows: Sequence[dict[str, Any]], tokenizer: Any
) -> tuple[list[dict[str, Any]], int]:
    """Return the rows to use, and how many are too long."""
    rows = [row for row in rows if not settings.kinds or row["kind"] in settings.kinds]
    lengths = [
        len(tokenizer.apply_chat_template(r["prompt"] + r["completion"])["input_ids"]) for r in rows
    ]
    kept = [row for row, n in zip(rows, lengths, strict=True) if n <= settings.max_length]
    if not kept:
        raise RowsError(
            f"{settings.rows}: expected rows of at most {settings.max_length} tokens"
            f"{' of the kinds ' + ', '.join(settings.kinds) if settings.kinds else ''}, found none."
        )
    if settings.max_rows and settings.max_rows < len(kept):
        kept = random.Random(settings.seed).sample(kept, settings.max_rows)
    return kept, sum(n > settings.max_length for n in lengths)


def _dataset(rows: Sequence[dict[str, Any]]) -> Dataset:
    return Dataset.from_list([{k: row[k] for k in ("prompt", "completion")} for row in rows])


def _arguments(settings: SFTSettings, rows: int) -> SFTConfig:
    cuda = torch.cuda.is_available()
    half = precision(settings.mixed_precision)
    steps = _steps(settings, rows)
    every = max(1, steps // settings.evaluations)
    return SFTConfig(
        output_dir=str(settings.output.with_name(f"{settings.output.name}.{CHECKPOINTS}")),
        max_length=settings.max_length,
        completion_only_loss=True,
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps,
        per_device_train_batch_size=settings.batch,
        per_device_eval_batch_size=settings.batch,
        gradient_accumulation_steps=settings.accumulation,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=SCHEDULER,
        warmup_steps=round(WARMUP * steps),
        weight_decay=WEIGHT_DECAY,
        gradient_checkpointing=settings.activation_checkpointing,
        train_sampling_strategy="group_by_length",
        bf16=half == "bf16",
        fp16=half == "fp16",
        **({} if cuda else _on_processors()),
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="right" if settings.generated else "loss",
        greater_is_better=bool(settings.generated),
        logging_steps=max(1, steps // 50),
        report_to="none",
        seed=settings.seed,
        dataloader_pin_memory=cuda,
    )


def _on_processors() -> dict[str, Any]:
    if os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true":  # ``use_cpu`` would turn it off
        return {"ddp_backend": "gloo"}
    return {"use_cpu": True}


def _steps(settings: SFTSettings, rows: int) -> int:
    if settings.max_steps > 0:
        return settings.max_steps
    return max(1, round(rows * settings.epochs / (settings.batch * settings.accumulation)))
