"""The company that the assistant speaks for, from ``company.yml``."""

from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.errors import SettingsError


class Company(BaseModel):
    """A company's name and the example questions of its chat page, by language."""

    model_config = ConfigDict(extra="forbid")

    name: dict[str, str]
    examples: dict[str, list[str]] = {}

    @classmethod
    def load(cls, knowledge: Path) -> Self:
        """Read ``company.yml``. Without one, the company has the name of its folder.

        Raises:
            SettingsError: The file is not valid YAML, or has an unknown key or a wrong value.
        """
        file = knowledge / "company.yml"
        if not file.is_file():
            name = knowledge.resolve().name.replace("-", " ").replace("_", " ").title()
            return cls(name={"en": name, "zh": name})
        try:
            return cls.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
        except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file}: expected `name` and `examples`: {error}") from None
