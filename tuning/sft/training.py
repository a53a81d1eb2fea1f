"""Trains the answering model with TRL and PEFT, and judges it while training by generating."""

import os
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

from assistant.writing.templates import PromptTemplate
from tuning.config_file import ConfigError
from tuning.half_precision import precision
from tuning.sft.config import SFTSettings
from tuning.sft.peft_methods import peft_config, quantized
from tuning.sft.row_reader import ReadRows, RowsError, is_right

CHECKPOINTS = "checkpoints"
# The label of what is not learnt.
IGNORED = -100
# Development rows whose loss is taken.
EVALUATED = 96
NEW_TOKENS = 96
# Rows that are answered at once, on a processor and on a GPU.
GENERATED_BATCH = {"cpu": 16, "cuda": 128}


class GeneratingTrainer(SFTTrainer):
    """An SFTTrainer whose evaluation also answers development rows and counts the right ones."""

    judged_rows: Sequence[dict[str, Any]] = ()
    # Virtual tokens before the prompt shift the positions that ``logits_to_keep`` names.
    has_virtual_tokens = False

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the completion's cross-entropy, with logits for the completion's places alone.

        The library's loss runs the vocabulary's matrix over every token of the prompt too: with a
        small model and long prompts that is half of the time.
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
        wanted = labels[:, places + 1]
        loss = torch.nn.functional.cross_entropy(
            outputs.logits.float().flatten(0, 1),
            wanted.flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )
        count = num_items_in_batch if num_items_in_batch is not None else (wanted != IGNORED).sum()
        loss = loss / count
        if num_items_in_batch is not None:  # counts the tokens of every process
            loss = loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> EvalLoopOutput:
        """Return the library's metrics with ``eval_right``, the share in [0, 1]."""
        output = super().evaluation_loop(*args, **kwargs)
        if self.judged_rows:
            model = self.accelerator.unwrap_model(self.model)
            said = generate(model, self.processing_class, self.judged_rows)
            right = [
                is_right(text, row["completion"][0]["content"], declines())
                for text, row in zip(said, self.judged_rows, strict=True)
            ]
            (output.metrics or {})["eval_right"] = sum(right) / len(right)
        return output


def declines() -> list[str]:
    """Return the sentences with which a tuned model declines, one a language."""
    return [PromptTemplate.load("answer_tuned", lang).decline for lang in ("en", "zh")]


@torch.inference_mode()
def generate(model: Any, tokenizer: Any, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the greedy answers to the rows' prompts, in batches, padded on the left."""
    was_training, side = model.training, tokenizer.padding_side
    model.eval()
    tokenizer.padding_side = "left"
    said: list[str] = []
    at_once = GENERATED_BATCH.get(model.device.type, 16)
    for first in range(0, len(rows), at_once):
        prompts = [row["prompt"] for row in rows[first : first + at_once]]
        inputs = tokenizer.apply_chat_template(
            prompts, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
        ).to(model.device)
        out = model.generate(
            **inputs,
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
        )
        new = out[:, inputs["input_ids"].shape[1] :]
        said += [text.strip() for text in tokenizer.batch_decode(new, skip_special_tokens=True)]
    tokenizer.padding_side = side
    model.train(was_training)
    return said


def train(settings: SFTSettings, rows: ReadRows, state: Path, *, resume: bool) -> None:
    """Train, choose the best checkpoint by what it generates, and save it whole.

    Raises:
        ConfigError: The model cannot be loaded, a library is missing, or there is no checkpoint.
        RowsError: No row is left after the filters.
        OSError: The disk is full or may not be written.
    """
    from tuning.sft.model_folder import save_result

    begun = time.perf_counter()
    trainer, base = build_trainer(settings, rows, state)
    folder = Path(str(trainer.args.output_dir))
    if resume and not list(folder.glob("checkpoint-*")):
        raise ConfigError(f"Expected a checkpoint in {folder} to go on from, found none.")
    trainer.train(resume_from_checkpoint=resume or None)
    # Where weights are shared out among processes, all of them have to give theirs.
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    if trainer.is_world_process_zero():
        seconds = round(time.perf_counter() - begun)
        rows_read = len(trainer.train_dataset)  # type: ignore[arg-type]
        facts = {"rows": rows_read, "seconds": seconds}
        save_result(settings, trainer, weights, base, facts)
        shutil.rmtree(folder)


def build_trainer(
    settings: SFTSettings, rows: ReadRows, state: Path
) -> "tuple[GeneratingTrainer, str]":
    """Return a trainer that is ready to begin, and the base model's public name.

    Raises:
        ConfigError: The model cannot be loaded, or a library is missing.
        RowsError: No row is left after the filters.
    """
    model, tokenizer, base = _open(settings, state)
    kept, too_long = _fitting(settings, rows.train, tokenizer)
    dev, _ = _fitting(settings.model_copy(update={"max_rows": None}), rows.dev, tokenizer)
    print(
        f"{settings.name}: {len(kept)} rows to learn from, {len(dev)} to judge by; {too_long} "
        f"left out, longer than {settings.max_length} tokens"
    )
    trainer = GeneratingTrainer(
        model=model,
        args=_arguments(settings, len(kept)),
        train_dataset=_dataset(kept),
        eval_dataset=_dataset(dev[:EVALUATED]),
        processing_class=tokenizer,
        peft_config=peft_config(settings, _steps(settings, len(kept))),
        callbacks=[EarlyStoppingCallback(settings.patience)],
    )
    trainer.judged_rows = dev[: settings.generated]
    trainer.has_virtual_tokens = settings.method in ("prefix", "prompt")
    return trainer, base


def _open(settings: SFTSettings, state: Path) -> tuple[Any, Any, str]:
    from knowledge.errors import KnowledgeError
    from knowledge.models.model_files import GENERATOR, generator_folder

    try:
        source = generator_folder(settings.base_model, state)
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            source, dtype=_dtype(settings), trust_remote_code=False, **quantized(settings)
        )
    except (KnowledgeError, OSError, ValueError) as error:
        raise ConfigError(
            f"Expected a causal language model in {settings.base_model or 'the default package'}, "
            f"found: {str(error).splitlines()[0]}"
        ) from None
    if not tokenizer.chat_template:
        raise ConfigError(f"Expected a tokenizer with a chat template in {source}, found none.")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer, settings.base_model or GENERATOR.hub


def _dtype(settings: SFTSettings) -> torch.dtype:
    # All weights need float32 to learn by small steps; a frozen base does not.
    if settings.method == "full" or precision(settings.mixed_precision) != "bf16":
        return torch.float32
    return torch.bfloat16


def _fitting(
    settings: SFTSettings, rows: Sequence[dict[str, Any]], tokenizer: Any
) -> tuple[list[dict[str, Any]], int]:
    import random

    some = [row for row in rows if not settings.kinds or row["kind"] in settings.kinds]
    lengths = [
        len(tokenizer.apply_chat_template(r["prompt"] + r["completion"])["input_ids"]) for r in some
    ]
    kept = [row for row, n in zip(some, lengths, strict=True) if n <= settings.max_length]
    if not kept:
        raise RowsError(
            f"{settings.rows}: expected rows of at most {settings.max_length} tokens"
            f"{' of the kinds ' + ', '.join(settings.kinds) if settings.kinds else ''}, found none."
        )
    if settings.max_rows and settings.max_rows < len(kept):
        kept = random.Random(settings.seed).sample(kept, settings.max_rows)
    return kept, len(some) - sum(n <= settings.max_length for n in lengths)


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
        packing=settings.packing,
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps,
        per_device_train_batch_size=settings.batch,
        per_device_eval_batch_size=settings.batch,
        gradient_accumulation_steps=settings.accumulation,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.scheduler,
        warmup_steps=round(settings.warmup * steps),
        weight_decay=settings.weight_decay,
        neftune_noise_alpha=settings.neftune_noise,
        gradient_checkpointing=settings.activation_checkpointing,
        train_sampling_strategy="random" if settings.packing else "group_by_length",
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
        report_to=list(settings.report_to) or "none",
        seed=settings.seed,
        dataloader_pin_memory=cuda,
    )


def _on_processors() -> dict[str, Any]:
    if os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true":  # ``use_cpu`` would switch it off
        return {"ddp_backend": "gloo"}
    return {"use_cpu": True}


def _steps(settings: SFTSettings, rows: int) -> int:
    if settings.max_steps > 0:
        return settings.max_steps
    return max(1, round(rows * settings.epochs / (settings.batch * settings.accumulation)))
