"""Chooses the number format that a training computes in."""

from typing import Literal

import torch

from knowledge.models.bfloat16 import has_bfloat16

Precision = Literal["no", "bf16", "fp16"]


def precision(wanted: Literal["auto", "no", "bf16", "fp16"]) -> Precision:
    """Return the format that is asked for; for "auto", the fastest one of this machine.

    That is bfloat16 where the GPU or processor supports it, else float16 on a GPU and float32 on a
    processor.
    """
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    return "bf16" if has_bfloat16() else "no"
