"""Who the assistant speaks for: the folder's ``company.yml``, or plain defaults."""

from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.errors import SettingsError


class Company(BaseModel):
    """A company's name and the questions that its chat page offers, each by language."""

    model_config = ConfigDict(extra="forbid")

    name: dict[str, str]
    examples: dict[str, list[str]] = {}

    @classmethod
    def load(cls, knowledge: Path) -> Self:
        """Read ``company.yml``; without one the company is called as its folder is.

        Raises:
            SettingsError: The file holds an unknown key or a wrong value.
        """
        file = knowledge / "company.yml"
        if not file.is_file():
            name = knowledge.resolve().name.replace("-", " ").replace("_", " ").title()
            return cls(name={"en": name, "zh": name})
        try:
            return cls.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
        except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file}: expected `name` and `examples`: {error}") from None
