"""The methods of a fine-tune: what each one adds to the base model."""

import importlib.metadata
from typing import Any

from tuning.sft.config import SFTSettings

# Tokens that prefix and prompt tuning put before the prompt.
VIRTUAL_TOKENS = 20


def peft_config(settings: SFTSettings, steps: int) -> Any:
    """Return PEFT's configuration; None if all weights are trained.

    LoRA (Hu et al. 2021, arXiv 2106.09685), DoRA (Liu et al. 2024, 2402.09353), AdaLoRA (Zhang et
    al. 2023, 2303.10512), IA3 (Liu et al. 2022, 2205.05638), prefix tuning (Li and Liang 2021,
    2101.00190), prompt tuning (Lester et al. 2021, 2104.08691); QLoRA (Dettmers et al. 2023,
    2305.14314) is LoRA over a base model in four bits.

    Args:
        settings: The configuration.
        steps: Optimiser steps of the whole training; AdaLoRA schedules its ranks over them.
    """
    import peft

    rank, task = settings.adapter.rank, peft.TaskType.CAUSAL_LM
    low_rank: dict[str, Any] = {
        "lora_alpha": settings.adapter.alpha,
        "lora_dropout": 0.0,  # slow on processors, and hardly helps with little data
        "target_modules": "all-linear",
        "task_type": task,
    }
    virtual: dict[str, Any] = {"task_type": task, "num_virtual_tokens": VIRTUAL_TOKENS}
    makers: dict[str, Any] = {
        "full": lambda: None,
        "lora": lambda: peft.LoraConfig(r=rank, **low_rank),
        "qlora": lambda: peft.LoraConfig(r=rank, **low_rank),
        "dora": lambda: peft.LoraConfig(r=rank, use_dora=True, **low_rank),
        "adalora": lambda: peft.AdaLoraConfig(
            init_r=rank + rank // 2, target_r=rank, total_step=steps, **low_rank
        ),
        "ia3": lambda: peft.IA3Config(task_type=task),
        "prefix": lambda: peft.PrefixTuningConfig(**virtual),
        "prompt": lambda: peft.PromptTuningConfig(**virtual),
    }
    return makers[settings.method]()


def quantized(settings: SFTSettings) -> dict[str, Any]:
    """Return the arguments that load the base model in four bits for ``qlora``, else none.

    Raises:
        ConfigError: bitsandbytes is not installed.
    """
    if settings.method != "qlora":
        return {}
    import torch
    from transformers import BitsAndBytesConfig

    from tuning.config_file import ConfigError

    try:
        importlib.metadata.version("bitsandbytes")
    except importlib.metadata.PackageNotFoundError:
        raise ConfigError(
            "Expected bitsandbytes for method qlora, found none. Install it: "
            "python -m pip install bitsandbytes. Or use method lora."
        ) from None
    return {
        "quantization_config": BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=torch.bfloat16,
            bnb_4bit_use_double_quant=True,
        )
    }
