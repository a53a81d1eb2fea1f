"""Settings: a file, overruled by the environment, overruled by the command line."""

import argparse
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from assistant.errors import SettingsError

BANK = Path(__file__).parent.parent / "knowledge" / "bank"
# What a wrong answer costs, in right ones, where ``assistant.routing``'s thresholds were read off.
USUAL_CAUTION = 3.0
Strategy = Literal["auto", "tuned", "few_shot", "zero_shot", "extractive"]


class Settings(BaseSettings):
    """Every setting with its default. In the environment they are called FRONTDESK_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="FRONTDESK_", extra="forbid")

    knowledge: Path = Field(BANK, description="the folder of articles to answer from")
    state: Path = Field(Path("var"), description="where indexes and prepared models are kept")
    host: str = Field("127.0.0.1", description="the address to listen on")
    port: int = Field(7860, ge=1, le=65535, description="the port to listen on")
    strategy: Strategy = Field("auto", description="how answers are worded")
    caution: float = Field(
        USUAL_CAUTION, ge=0.5, le=100, description="what a wrong answer costs, in right ones"
    )
    embedder: str | None = Field(None, description="a sentence-transformers folder or hub name")
    reranker: str | None = Field(None, description="a cross-encoder: folder or hub name")
    milvus: str | None = Field(None, description="a Milvus URI for the vectors; default FAISS")
    generator: str | None = Field(None, description="a causal model: folder, hub or served name")
    generator_url: str | None = Field(None, description="an OpenAI-compatible server's base URL")
    generator_key: SecretStr | None = Field(None, description="the key for that server")
    adapter: Path | None = Field(None, description="a PEFT adapter for the generator")
    max_characters: int = Field(4000, ge=1, description="the longest message that is taken")


def load_settings(file: Path | None = None, **overrides: Any) -> Settings:
    """Put the settings together.

    Args:
        file: A YAML file of settings.
        overrides: What the command line gave; None means that it gave nothing.

    Raises:
        SettingsError: The file is missing, a key is unknown or a value is wrong.
    """
    values = _read(file) if file else {}
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        # Arguments overrule the environment in pydantic-settings, so the file, which must not,
        # fills only what the environment leaves open.
        known = Settings(**given).model_fields_set
        return Settings(**{k: v for k, v in values.items() if k not in known}, **given)
    except ValidationError as error:
        raise SettingsError(_explain(error, file)) from None


def _read(file: Path) -> dict[str, Any]:
    import yaml

    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"Expected a YAML file of settings at {file}: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SettingsError(
            f"Expected `name: value` lines in {file}, found {type(values).__name__}."
        )
    return values


def _explain(error: ValidationError, file: Path | None) -> str:
    lines = []
    for issue in error.errors():
        name = ".".join(str(part) for part in issue["loc"])
        if issue["type"] == "extra_forbidden":
            known = ", ".join(Settings.model_fields)
            lines.append(f"unknown setting {name!r}; known are: {known}")
        else:
            lines.append(f"{name}: {issue['msg']}, found {issue['input']!r}")
    return f"The settings{f' in {file}' if file else ''} are wrong. " + "; ".join(lines)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the settings that every command takes; ``settings_of`` reads them back."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="a YAML file of settings")
    for name in (
        "knowledge",
        "state",
        "strategy",
        "caution",
        "embedder",
        "reranker",
        "generator",
        "generator_url",
    ):
        field = Settings.model_fields[name]
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="X", help=field.description)
    parser.add_argument("--adapter", metavar="X", help="a PEFT adapter for the generator")


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Return the settings of a parsed command line.

    Raises:
        SettingsError: As ``load_settings`` raises it.
    """
    names = set(Settings.model_fields)
    overrides = {name: value for name, value in vars(arguments).items() if name in names}
    return load_settings(arguments.config, **overrides)
