"""The wording as data: prompt templates for the generator, and fixed sayings."""

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.errors import TemplateError
from assistant.messages import Message, PromptMessage
from assistant.writing.openings import Opening
from knowledge.documents import Hit

FOLDER = Path(__file__).parent.parent / "templates"


class Shot(BaseModel):
    """A few-shot example: passages, a question and the expected answer."""

    model_config = ConfigDict(extra="forbid")

    passages: list[dict[str, str]]
    question: str
    answer: str


class PromptTemplate(BaseModel):
    """The prompt of one task in one language, for serving and for training."""

    model_config = ConfigDict(extra="forbid")

    id: str
    version: int
    task: str
    lang: str
    shots: list[Shot] = []
    system: str
    user: str
    decline: str = ""
    """What a generator trained on this template writes if the passages do not answer."""
    hash: str = ""

    @classmethod
    def load(cls, task: str, lang: str, folder: Path = FOLDER) -> Self:
        """Read ``<task>.<lang>.yaml``.

        Raises:
            TemplateError: The file is missing or is not valid YAML, or a key is unknown or missing.
        """
        return cls.model_validate(_load(cls, folder / f"{task}.{lang}.yaml"))

    def render(
        self, question: str, hits: Sequence[Hit], history: Sequence[Message] = ()
    ) -> list[PromptMessage]:
        """Return the messages of the prompt.

        Args:
            question: The customer's message.
            hits: The hits to answer from, best first.
            history: Earlier messages, oldest first.

        Raises:
            TemplateError: The template uses an undefined value.
        """
        messages = [{"role": "system", "content": _render(self.system, {})}]
        for shot in self.shots:
            messages += [
                {"role": "user", "content": self._user(shot.passages, shot.question)},
                {"role": "assistant", "content": shot.answer.strip()},
            ]
        messages += [{"role": message.role, "content": message.text} for message in history]
        passages = [{"name": hit.passage.name, "text": hit.passage.text} for hit in hits]
        return [*messages, {"role": "user", "content": self._user(passages, question)}]

    def _user(self, passages: list[dict[str, str]], question: str) -> str:
        return _render(self.user, {"passages": passages, "question": question})


class Sayings(BaseModel):
    """The fixed sentences of one language, by name."""

    model_config = ConfigDict(extra="forbid")

    id: str
    version: int
    lang: str
    sayings: dict[str, str]
    openings: list[Opening]
    hash: str = ""

    @classmethod
    def load(cls, lang: str, folder: Path = FOLDER) -> Self:
        """Read ``sayings.<lang>.yaml``.

        Raises:
            TemplateError: The file is missing or is not valid YAML, or a key is unknown or missing.
        """
        return cls.model_validate(_load(cls, folder / f"sayings.{lang}.yaml"))

    @classmethod
    def load_all(cls) -> dict[str, Self]:
        """Read the sayings of English and Chinese."""
        return {lang: cls.load(lang) for lang in ("en", "zh")}

    def say(self, name: str, **values: Any) -> str:
        """Return a saying with its values filled in.

        Raises:
            TemplateError: The saying does not exist, or a value is missing.
        """
        if name not in self.sayings:
            raise TemplateError(f"{self.id} ({self.lang}): expected a saying {name!r}, found none.")
        return _render(self.sayings[name], values).strip()


def _load(model: type[BaseModel], file: Path) -> dict[str, Any]:
    try:
        raw = file.read_text(encoding="utf-8")
        data = yaml.safe_load(raw)
        model.model_validate(data)
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise TemplateError(f"{file}: expected a template: {error}") from None
    return {**data, "hash": hashlib.sha256(raw.encode()).hexdigest()[:12]}


def _render(source: str, values: dict[str, Any]) -> str:
    from jinja2 import UndefinedError

    try:
        return str(_compiled(source).render(**values)).strip()
    except UndefinedError as error:
        raise TemplateError(f"Expected all values of the template, found: {error}.") from None


@functools.cache
def _compiled(source: str) -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    # Values are inserted after compilation, so a passage cannot run template code.
    return SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True).from_string(source)
