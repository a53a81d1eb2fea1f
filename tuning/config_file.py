"""Configurations as YAML files; errors name unknown keys and wrong values."""

from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError


class ConfigError(ValueError):
    """A configuration is wrong; the message names the file, the key and what was expected."""


class ConfigPart(BaseModel):
    """A part of a configuration; it rejects unknown keys and is immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConfigFile(ConfigPart):
    """A whole configuration."""

    @classmethod
    def load(cls, file: Path, **changed: Any) -> Self:
        """Read a YAML file.

        Args:
            file: The YAML file.
            **changed: Values that replace those of the file; None leaves the file's value.

        Raises:
            ConfigError: The file cannot be read, has unknown keys or wrong values.
        """
        replaced = {key: value for key, value in changed.items() if value is not None}
        try:
            return cls(**{**yaml.safe_load(file.read_text(encoding="utf-8")), **replaced})
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
                for problem in error.errors()
            )
            raise ConfigError(f"{file}: {problems}") from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError) as error:
            raise ConfigError(f"{file}: expected a YAML file of keys, found {error}") from None
