"""Merges an adapter into its base model: ``python -m tuning.export ADAPTER --out FOLDER``.

The merged model is saved as safetensors, for servers that take no adapters.
``--gguf CONVERTER`` also writes a file for llama.cpp. CONVERTER is llama.cpp's script
``convert_hf_to_gguf.py``, which is part of its sources (also in ``vendor`` of the source package of
llama-cpp-python) and needs the package ``sentencepiece``.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Merge and save; return 1 if that fails."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tuning.export var/sft/answers --out var/merged",
    )
    parser.add_argument("adapter", type=Path, help="an adapter's folder")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the merged model")
    parser.add_argument("--base-model", help="default: the shipped generator")
    parser.add_argument(
        "--gguf", type=Path, metavar="CONVERTER", help="path of llama.cpp's convert_hf_to_gguf.py"
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    options = parser.parse_args(arguments)
    from knowledge.errors import KnowledgeError

    try:
        merge(options.adapter, options.base_model, options.out, options.state)
        if options.gguf:
            _convert(options.gguf, options.out)
    except (KnowledgeError, OSError, ValueError, RuntimeError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    print(f"Saved the merged model in {options.out}. Run: python app.py --generator {options.out}")
    return 0


def merge(adapter: Path, base_model: str | None, out: Path, state: Path) -> None:
    """Write base model and adapter as one model, whole or not at all.

    Raises:
        ValueError: The adapter's method cannot be merged, or it belongs to another model.
        OSError: There is no adapter, or the disk is full.
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
    # Merge in float32: in half precision small changes would be rounded away twice.
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().to(torch.bfloat16)
    staging = staged(out)
    merged.save_pretrained(str(staging))
    AutoTokenizer.from_pretrained(source).save_pretrained(str(staging))
    put_in_place(staging, out)


def _convert(converter: Path, out: Path) -> None:
    if not converter.is_file():
        raise OSError(f"Expected llama.cpp's convert_hf_to_gguf.py at {converter}, found none.")
    file = out / "model.gguf"
    command = [sys.executable, str(converter), str(out), "--outfile", str(file)]
    process = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if process.returncode:
        raise OSError(f"{converter.name} failed: {process.stderr.strip().splitlines()[-1:]}")


if __name__ == "__main__":
    sys.exit(main())
