"""What this machine's processor is good at."""

# How torch names bfloat16 arithmetic: two instruction sets of x86, two of ARM.
_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")


def has_bfloat16() -> bool:
    """Return whether the processor reckons in bfloat16 itself.

    Elsewhere torch makes up for it: half the memory, and a prompt is read six times more slowly
    than in float32.
    """
    import torch

    able = torch.cpu.get_capabilities()
    return any(able.get(name, False) for name in _BFLOAT16)
