"""The company that the assistant speaks for, from ``company.yml``."""

from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.errors import SettingsError


class Company(BaseModel):
    """A company's name, its chat page's example questions and its crisis text, by language.

    ``crisis`` is what somebody in distress or danger is told: whom to call. Without one, the reply
    names the local emergency services.
    """

    model_config = ConfigDict(extra="forbid")

    name: dict[str, str]
    examples: dict[str, list[str]] = {}
    crisis: dict[str, str] = {}

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
            raise SettingsError(
                f"{file}: expected `name`, `examples` and `crisis`: {error}"
            ) from None
