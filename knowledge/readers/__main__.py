"""Reads one file in a separate process: ``python -m knowledge.readers FILE LIMITS``."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from knowledge.errors import DocumentError
from knowledge.readers.document import Limits
from knowledge.readers.reading import read_document


def main() -> int:
    """Print a file's text and title, or the error, as JSON; the caller may kill this process."""
    path, limits = Path(sys.argv[1]), Limits(**json.loads(sys.argv[2]))
    _bound_memory(limits.memory_bytes)
    try:
        answer = asdict(read_document(path, limits))
    except DocumentError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": f"reading it takes more than {limits.memory_bytes:,} bytes of memory"}
    sys.stdout.buffer.write(json.dumps(answer).encode())
    return 0


def _bound_memory(limit: int) -> None:
    try:
        import resource
    except ModuleNotFoundError:  # Windows has no such limit
        return
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    sys.exit(main())
