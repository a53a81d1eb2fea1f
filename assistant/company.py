"""The company that the assistant speaks for, from ``company.yml``."""

import re
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from assistant.errors import SettingsError

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOURS = re.compile(r"(\d\d?):(\d\d)\s*[-–]\s*(\d\d?):(\d\d)")


class People(BaseModel):
    """When people take conversations over.

    Attributes:
        timezone: An IANA name, such as Europe/London.
        hours: For each day of the week that is worked, from when to when: ``08:00-22:00``.
        minutes: How long a customer waits before being told that nobody has been free.
    """

    model_config = ConfigDict(extra="forbid")

    timezone: str
    hours: dict[str, str]
    minutes: int = Field(5, ge=1, le=1440)

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(
                f"expected a time zone such as Europe/London, found {name!r}"
            ) from None
        return name

    @field_validator("hours")
    @classmethod
    def _are_hours(cls, hours: dict[str, str]) -> dict[str, str]:
        for day, said in hours.items():
            if day not in DAYS:
                raise ValueError(f"expected days such as monday, found {day!r}")
            opens, closes = _times(said)
            if opens >= closes:
                raise ValueError(f"expected hours such as 08:00-22:00, found {said!r}")
        return hours

    def is_open(self, now: datetime) -> bool:
        """Return whether people answer at a time."""
        opening = self.opening(now)
        return opening is not None and opening == now

    def opening(self, now: datetime) -> datetime | None:
        """Return when people answer next, in their zone; ``now`` if they do; None if they never do.

        Args:
            now: A time with its zone.
        """
        here = now.astimezone(ZoneInfo(self.timezone))
        for ahead in range(8):
            day = here + timedelta(days=ahead)
            said = self.hours.get(DAYS[day.weekday()])
            if not said:
                continue
            opens, closes = (
                datetime.combine(day.date(), at, ZoneInfo(self.timezone)) for at in _times(said)
            )
            if here < closes:
                return max(here, opens)
        return None

    def closing(self, opened: datetime) -> datetime:
        """Return when people stop answering on a day, in their zone.

        Args:
            opened: A time at which they answer.
        """
        here = opened.astimezone(ZoneInfo(self.timezone))
        said = self.hours[DAYS[here.weekday()]]
        if _until_midnight(said):
            day = here.date() + timedelta(days=1)
            return datetime.combine(day, time(), ZoneInfo(self.timezone))
        return datetime.combine(here.date(), _times(said)[1], ZoneInfo(self.timezone))


def _until_midnight(said: str) -> bool:
    return said.strip().endswith("24:00")


def _times(said: str) -> tuple[time, time]:
    found = _HOURS.fullmatch(said.strip())
    if not found:
        raise ValueError(f"expected hours such as 08:00-22:00, found {said!r}")
    hour, minute, last_hour, last_minute = map(int, found.groups())
    # Midnight, as people write it.
    closes = time.max if last_hour == 24 else time(last_hour, last_minute)  # noqa: PLR2004
    return time(hour, minute), closes


class Look(BaseModel):
    """How the chat page looks.

    Attributes:
        accent: The colour of buttons and links, such as ``#0a6c74``.
        logo: An image in the knowledge folder: SVG, PNG, JPEG or WebP.
    """

    model_config = ConfigDict(extra="forbid")

    accent: str = Field("#1f5f8b", pattern="^#[0-9a-fA-F]{6}$")
    logo: str | None = Field(None, pattern=r"(?i)^[\w-]+(/[\w-]+)*\.(svg|png|jpe?g|webp)$")


class Company(BaseModel):
    """A company's name, its chat page's greeting, examples and look, and its crisis text.

    ``crisis`` is what somebody in distress or danger is told: whom to call. Without one, the reply
    names the local emergency services. ``people`` says when people take conversations over;
    without it, nobody does. Texts are by language.
    """

    model_config = ConfigDict(extra="forbid")

    name: dict[str, str]
    examples: dict[str, list[str]] = {}
    greeting: dict[str, str] = {}
    look: Look = Field(default_factory=lambda: Look.model_validate({}))
    crisis: dict[str, str] = {}
    people: People | None = None

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
            company = cls.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
        except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"{file}: expected `name`, `examples`, `greeting`, `look`, `crisis` and `people`: "
                f"{error}"
            ) from None
        if company.look.logo and not (knowledge / company.look.logo).is_file():
            raise SettingsError(
                f"{file}: expected the logo {company.look.logo}, found no such file."
            )
        return company
