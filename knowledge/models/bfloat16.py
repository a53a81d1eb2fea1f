"""Whether this machine's processor computes in bfloat16."""

# Torch's names of the instruction sets with bfloat16: two of x86, two of ARM.
_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")


def has_bfloat16() -> bool:
    """Return whether the processor computes in bfloat16 natively.

    Without it, torch emulates bfloat16: a model needs half the memory of float32, but a prompt
    takes six times as long.
    """
    import torch

    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in _BFLOAT16)
