"""Trains an adapter by direct preference optimisation on its own slips."""

import json
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuning.atomic_files import put_in_place, write_json
from tuning.config_file import ConfigError
from tuning.page_templates import render
from tuning.preferences.config import PreferenceSettings
from tuning.preferences.slips import slips
from tuning.sft.generated_answers import declines, generate, is_right
from tuning.sft.model_folder import staged_adapter
from tuning.sft.row_reader import read_rows

CARD = Path(__file__).with_name("card.md.jinja")


def train(settings: PreferenceSettings, state: Path) -> None:
    """Let the adapter answer rows, train it on its slips, and save what came of it.

    Direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290), with the likelihood of
    the right answer added, without which both answers become less likely (Pang et al. 2024,
    2404.19733). The pairs are kept beside ``output`` and used again by the next call; so are the
    checkpoints of a training that was stopped.

    Args:
        settings: The configuration.
        state: The state folder, for the shipped base model.

    Raises:
        ConfigError: The model or the adapter cannot be loaded, or the adapter makes no slips.
        RowsError: The rows cannot be used.
        OSError: The disk is full.
    """
    start = time.perf_counter()
    rows = read_rows(settings.rows)
    model, tokenizer, base = _open(settings, state)
    pairs = _pairs(settings, model, tokenizer, rows.train)
    dev = rows.dev[: settings.generated]
    before = _right(model, tokenizer, dev)
    trainer = _trainer(settings, model, tokenizer, pairs)
    checkpoints = Path(trainer.args.output_dir)
    last = next(checkpoints.glob("checkpoint-*"), None)
    if last:
        print(f"{settings.name}: goes on from {last}")
    trainer.train(resume_from_checkpoint=last is not None)
    after = _right(trainer.model, tokenizer, dev)
    facts = {
        "pairs": len(pairs),
        "right_before": before,
        "right_after": after,
        "seconds": round(time.perf_counter() - start),
    }
    _save(settings, trainer, tokenizer, base, facts)
    shutil.rmtree(checkpoints, ignore_errors=True)
    print(
        f"{settings.name}: {len(pairs)} pairs; {before:.0%} of the generated development answers "
        f"right before, {after:.0%} after. Saved in {settings.output}"
    )


def _open(settings: PreferenceSettings, state: Path) -> tuple[Any, Any, str]:
    import torch
    from peft import PeftModel
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from assistant.generators.adapters import base_of
    from knowledge.errors import KnowledgeError
    from knowledge.models.model_files import generator_folder

    try:
        base = base_of(settings.adapter)
        source = generator_folder(settings.base_model, state)
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            source, dtype=torch.float32, trust_remote_code=False
        )
        adapted = PeftModel.from_pretrained(model, str(settings.adapter), is_trainable=True)
    except (KnowledgeError, OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ConfigError(
            f"Expected an adapter in {settings.adapter} and the model that it is for, found: "
            f"{str(error).splitlines()[0]}"
        ) from None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return adapted, tokenizer, base


def _pairs(
    settings: PreferenceSettings, model: Any, tokenizer: Any, rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    file = settings.output.with_name(f"{settings.output.name}.pairs.jsonl")
    if file.is_file():
        pairs = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        print(f"{settings.name}: {len(pairs)} pairs of an earlier call, from {file}")
    else:
        count = min(settings.answered, len(rows))
        asked = random.Random(settings.seed).sample(list(rows), count)
        asked = [row for row in asked if _length(row, tokenizer) <= settings.max_length]
        print(f"{settings.name}: the adapter answers {len(asked)} rows …")
        pairs = list(slips(asked, generate(model, tokenizer, asked), settings.slack))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            "".join(f"{json.dumps(pair, ensure_ascii=False)}\n" for pair in pairs), encoding="utf-8"
        )
    if not pairs:
        raise ConfigError(f"Expected slips of {settings.adapter} to learn from, found none.")
    return pairs


def _length(row: dict[str, Any], tokenizer: Any) -> int:
    return len(tokenizer.apply_chat_template(row["prompt"] + row["completion"])["input_ids"])


def _trainer(
    settings: PreferenceSettings, model: Any, tokenizer: Any, pairs: Sequence[dict[str, Any]]
) -> Any:
    import torch
    from datasets import Dataset
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer

    cuda = torch.cuda.is_available()
    arguments = DPOConfig(
        output_dir=str(settings.output.with_name(f"{settings.output.name}.checkpoints")),
        beta=settings.beta,
        loss_type=["sigmoid", "sft"],
        loss_weights=[1.0, settings.likelihood],
        max_length=settings.max_length,
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps,
        per_device_train_batch_size=settings.batch,
        gradient_accumulation_steps=settings.accumulation,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        activation_checkpointing=False,
        bf16=cuda and torch.cuda.is_bf16_supported(),
        use_cpu=not cuda,
        save_steps=settings.saved_after,
        save_total_limit=1,
        logging_steps=5,
        report_to="none",
        seed=settings.seed,
        dataloader_pin_memory=cuda,
    )
    return DPOTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(list(pairs)),
        processing_class=tokenizer,
    )


def _right(model: Any, tokenizer: Any, rows: Sequence[dict[str, Any]]) -> float:
    answers = generate(model, tokenizer, rows)
    right = [
        is_right(answer, row["completion"][0]["content"], declines())
        for answer, row in zip(answers, rows, strict=True)
    ]
    return sum(right) / len(right)


def _save(
    settings: PreferenceSettings, trainer: Any, tokenizer: Any, base: str, facts: dict[str, Any]
) -> None:
    # The trainer keeps a frozen copy of the adapter that it started from.
    trainer.model.delete_adapter("ref")
    staging = staged_adapter(trainer.model, settings.output, base)
    tokenizer.save_pretrained(str(staging))
    metrics = {**facts, "settings": settings.model_dump(mode="json")}
    write_json(staging / "metrics.json", metrics)
    card = render(CARD, settings=settings, base=base, facts=facts)
    (staging / "README.md").write_text(card, encoding="utf-8")
    put_in_place(staging, settings.output)
