"""How much memory this machine has, within a container's limit."""

import contextlib
import re
from pathlib import Path

MEMINFO, LIMIT = Path("/proc/meminfo"), Path("/sys/fs/cgroup/memory.max")


def memory() -> tuple[float, float]:
    """Return the bytes of memory and those that are free; noughts where they are not known."""
    try:
        text = MEMINFO.read_text(encoding="ascii")
    except OSError:
        return 0, 0
    total, free = (
        1024.0 * int(found[1]) if (found := re.search(rf"^{name}:\s+(\d+)", text, re.M)) else 0
        for name in ("MemTotal", "MemAvailable")
    )
    with contextlib.suppress(OSError, ValueError):  # a container may have less, or say "max"
        limit = float(int(LIMIT.read_text(encoding="ascii")))
        total, free = min(total, limit), min(free, limit)
    return total, free
