"""The machine: cores, memory, disk, and the folder that the state is kept in."""

import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.checkup.check import Checks, failure, fine, megabytes, warning
from knowledge.models import memory as models_memory

if TYPE_CHECKING:
    from assistant.config import Settings

CORES = 2
GIGABYTE = 1 << 30
# What `frontdesk serve` holds after twelve questions to Lantern Bank (VmRSS in /proc), without
# and with `small`.
MEMORY = {False: 4.5 * GIGABYTE, True: 3.7 * GIGABYTE}
# What the first start writes, and what conversations and updates want besides.
FIRST_START, ROOM = 1 * GIGABYTE, GIGABYTE // 2
# Torch's names of instruction sets, and those that people know.
SETS = {"avx2": "AVX2", "avx512_f": "AVX-512", "amx_tile": "AMX"}


def processor(_: "Settings") -> Checks:
    """Look at the processor's cores and at what it computes fast, and at a GPU if there is one."""
    import torch

    from knowledge.models.bfloat16 import has_bfloat16

    cores, can = _cores(), torch.cpu.get_capabilities()
    sets = [said for name, said in SETS.items() if can.get(name)]
    sets.append("bfloat16" if has_bfloat16() else "no bfloat16, so models take float32")
    found = f"{cores} cores, {can.get('cpu_name') or platform.machine()}, {', '.join(sets)}"
    if cores < CORES:
        yield warning("processor", found, f"Answers are slow on fewer than {CORES} cores.")
    else:
        yield fine("processor", found, cores=cores)
    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory
        yield fine("GPU", f"{torch.cuda.get_device_name(0)}, {megabytes(memory)}")
    else:
        yield fine("GPU", "none that torch can use, and none is needed to serve")


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory(settings: "Settings") -> Checks:
    """Look at the memory, within a container's limit, and at what the settings need."""
    needed = MEMORY[settings.small]
    total, free = models_memory.memory()
    if not total:
        yield warning("memory", "not known on this system", f"It takes {megabytes(needed)}.")
        return
    found = f"{megabytes(total)}, free {megabytes(free)}; a server takes {megabytes(needed)}"
    figures = {"total": total, "free": free, "needed": needed}
    if total >= needed and free >= needed:
        yield fine("memory", found, **figures)
        return
    smaller = "Set `small`, or add memory." if not settings.small else "Add memory."
    stop = "Nothing if a server runs here already; else stop other programs."
    yield warning("memory", found, smaller if total < needed else stop, **figures)


def state(settings: "Settings") -> Checks:
    """Look whether the state folder, or the one that it is made in, can be written; and its disk.

    Nothing is made there that stays.
    """
    folder = settings.state.resolve()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        found = f"{folder} cannot be written: {error.strerror}"
        yield failure("state", found, "Give the server's user the folder, or set `state`.")
        return
    if there == folder:
        yield fine("state", f"{folder} can be written")
    else:
        yield warning("state", f"{folder} is not there", f"Make it: mkdir -p {folder}")
    yield from _disk(folder, there)


def _disk(folder: Path, there: Path) -> Checks:
    free = float(shutil.disk_usage(there).free)
    is_new = not (folder / "models").is_dir()
    needed = ROOM + (FIRST_START if is_new else 0)
    found = f"{megabytes(free)} free; {megabytes(needed)} are wanted"
    found += ", most of it for the first start" if is_new else " for conversations and updates"
    if free >= needed:
        yield fine("disk", found, free=free)
    elif free >= ROOM or not is_new:
        yield warning("disk", found, "Free some: a full disk ends answering.", free=free)
    else:
        yield failure("disk", found, "Free some, or set `state` to a larger disk.", free=free)
