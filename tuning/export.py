"""Turns an adapter into a whole model: ``python -m tuning.export ADAPTER --out FOLDER``.

The adapter is merged into its base model and saved as safetensors, for servers that take no
adapters. ``--gguf CONVERTER`` also writes a file for llama.cpp with its script
``convert_hf_to_gguf.py``, which comes with llama.cpp's sources (``vendor`` in the source package of
llama-cpp-python is one place) and imports the package ``sentencepiece``.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Merge and save; 1 where that cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tuning.export var/sft/answers --out var/merged",
    )
    parser.add_argument("adapter", type=Path, help="the folder of an adapter")
    parser.add_argument("--out", type=Path, required=True, help="where the whole model goes")
    parser.add_argument("--base-model", help="default: the generator that ships")
    parser.add_argument("--gguf", type=Path, metavar="CONVERTER", help="llama.cpp's script")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args(arguments)
    from knowledge.errors import KnowledgeError

    try:
        merge(given.adapter, given.base_model, given.out, given.state)
        if given.gguf:
            _convert(given.gguf, given.out)
    except (KnowledgeError, OSError, ValueError, RuntimeError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    print(f"the whole model is in {given.out}: python app.py --generator {given.out}")
    return 0


def merge(adapter: Path, base_model: str | None, out: Path, state: Path) -> None:
    """Write base model and adapter as one, whole or not at all.

    Raises:
        ValueError: The adapter's method cannot be merged, or it was made for another model.
        OSError: There is no adapter, or no room.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from knowledge.models.model_files import generator_folder
    from tuning.atomic_files import put_in_place, staged

    config = adapter / "adapter_config.json"
    if not config.is_file():
        raise OSError(f"Expected an adapter with adapter_config.json in {adapter}, found none.")
    method = json.loads(config.read_text(encoding="utf-8"))["peft_type"]
    if method in ("PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING"):
        raise ValueError(f"Expected an adapter that can be merged, found {method}, which cannot.")
    source = generator_folder(base_model, state)
    # Added in float32, so that small changes are not rounded away twice.
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().to(torch.bfloat16)
    beside = staged(out)
    merged.save_pretrained(str(beside))
    AutoTokenizer.from_pretrained(source).save_pretrained(str(beside))
    put_in_place(beside, out)


def _convert(converter: Path, out: Path) -> None:
    if not converter.is_file():
        raise OSError(f"Expected llama.cpp's convert_hf_to_gguf.py at {converter}, found none.")
    file = out / "model.gguf"
    command = [sys.executable, str(converter), str(out), "--outfile", str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise OSError(f"{converter.name} failed: {done.stderr.strip().splitlines()[-1:]}")


if __name__ == "__main__":
    sys.exit(main())
