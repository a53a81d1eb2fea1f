"""Writes a GGUF with an adapter merged in, in 8 or 4 bits: what two cores read fastest."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ModelNotFoundError

# The name and the number of the precision in GGUF.
PRECISIONS = {"Q8_0": 7, "Q4_0": 2}
# Architectures in which llama.cpp reorders the rows of these weights for its rotary embedding.
REORDERED = {"llama": ("attn_q", "attn_k")}


def merge_gguf(
    parts: Sequence[Path], adapter: Path | None, out: Path, precision: str = "Q8_0"
) -> None:
    """Write a model with its adapter merged in.

    Args:
        parts: The parts of a GGUF, in order.
        adapter: A folder of LoRA weights as PEFT saves them; None for the model alone.
        out: The file to write.
        precision: Of ``PRECISIONS``; vectors stay as they are, and the words' in 8 bits.

    Raises:
        ModelNotFoundError: The adapter does not fit the model, or is damaged.
        OSError: The disk is full.
    """
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        joined = parts[0]
        if len(parts) > 1:
            joined = Path(folder) / "joined.gguf"
            with joined.open("wb") as file:
                for part in parts:
                    with part.open("rb") as opened:
                        shutil.copyfileobj(opened, file)
        _write(joined, adapter, out, precision)


def _write(source: Path, adapter: Path | None, out: Path, precision: str) -> None:
    import gguf

    reader = gguf.GGUFReader(source)
    facts = {name: field for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    architecture = str(facts.pop("general.architecture").contents())
    writer = gguf.GGUFWriter(out, architecture)
    for name, field in facts.items():
        if name != "general.file_type":
            kind = field.types[0]
            of = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), kind, sub_type=of)
    writer.add_file_type(PRECISIONS[precision])
    changes = _changes(adapter, facts, architecture) if adapter else {}
    for tensor in reader.tensors:
        weights = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if (change := changes.pop(tensor.name, None)) is not None:
            if change.shape != weights.shape:
                raise _unfit(adapter, f"{tensor.name} of shape {change.shape}")
            weights += change
        if weights.ndim < 2:  # noqa: PLR2004  # biases and norms
            writer.add_tensor(tensor.name, weights)
            continue
        # Words' vectors are read one at a time, and lose most in 4 bits.
        kept = gguf.GGMLQuantizationType["Q8_0" if "embd" in tensor.name else precision]
        writer.add_tensor(tensor.name, gguf.quantize(weights, kept), raw_dtype=kept)
    if changes:
        raise _unfit(adapter, f"weights for {next(iter(changes))}")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _changes(
    adapter: Path, facts: Mapping[str, Any], architecture: str
) -> dict[str, NDArray[np.float32]]:
    """Return what a LoRA adapter adds to each weight, by the weight's name in GGUF."""
    import gguf
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
        found = load_file(adapter / "adapter_model.safetensors")
        scale = config["lora_alpha"] / config["r"]
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise _unfit(adapter, str(error).splitlines()[0]) from None
    blocks = int(facts[f"{architecture}.block_count"].contents())
    model = next(m for m, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    names = gguf.get_tensor_name_map(model, blocks)
    changes = {}
    for name, down in found.items():
        if not name.endswith(".lora_A.weight"):
            continue
        of = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        if not (gguf_name := names.get_name(of)):
            raise _unfit(adapter, f"weights for {of}")
        up = found[name.replace("lora_A", "lora_B")]
        change = (up.float() @ down.float() * scale).numpy()
        kind = gguf_name.split(".")[-1]
        if kind in REORDERED.get(architecture, ()):
            key = "head_count" if kind == "attn_q" else "head_count_kv"
            change = _reordered(change, int(facts[f"{architecture}.attention.{key}"].contents()))
        changes[f"{gguf_name}.weight"] = change
    if not changes:
        raise _unfit(adapter, "no LoRA weights")
    return changes


def _reordered(weights: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Return rows in llama.cpp's order: of each head, one of each half in turn."""
    rows, columns = weights.shape
    halves = weights.reshape(heads, 2, rows // heads // 2, columns)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, columns))


def _unfit(adapter: Path | None, found: str) -> ModelNotFoundError:
    return ModelNotFoundError(f"Expected a LoRA adapter for this model in {adapter}, found {found}")
