"""The SHA-256 of a file."""

import hashlib
from pathlib import Path

BLOCK = 1 << 20


def sha256(*paths: Path) -> str:
    """Return the SHA-256 of a file, or of several joined in order, in hexadecimal."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()
