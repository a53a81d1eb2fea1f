"""Which half precision a training uses where the configuration leaves it open."""

from typing import Literal

import torch

from knowledge.models.bfloat16 import has_bfloat16

Precision = Literal["no", "bf16", "fp16"]


def precision(wanted: Literal["auto", "no", "bf16", "fp16"]) -> Precision:
    """Return what is wanted; for "auto", what this machine is fast at.

    bfloat16 where GPU or processor has it, else float16 on a GPU and float32 on a processor.
    """
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    return "bf16" if has_bfloat16() else "no"
