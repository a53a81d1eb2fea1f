"""Configurations as YAML files: unknown keys and wrong values are named."""

from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError


class ConfigError(ValueError):
    """A configuration is wrong; the message names the file, the key and what was expected."""


class Strict(BaseModel):
    """A part of a configuration; it takes no unknown key and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConfigFile(Strict):
    """A whole configuration."""

    @classmethod
    def load(cls, file: Path, **changed: Any) -> Self:
        """Read a YAML file; keys given here, unless None, win over the file.

        Raises:
            ConfigError: It cannot be read, has unknown keys or wrong values.
        """
        given = {key: value for key, value in changed.items() if value is not None}
        try:
            return cls(**{**yaml.safe_load(file.read_text(encoding="utf-8")), **given})
        except ValidationError as error:
            found = "; ".join(
                f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
                for problem in error.errors()
            )
            raise ConfigError(f"{file}: {found}") from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError) as error:
            raise ConfigError(f"{file}: expected a YAML file of keys, found {error}") from None
