"""One thing that was looked at, and how looking at it can fail."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.config import Settings


class Level(StrEnum):
    """How a check ended."""

    FINE = "fine"
    """Nothing needs to be done."""
    WARNING = "warning"
    """The assistant works, though not as well as it could."""
    FAILURE = "failure"
    """The assistant does not work."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What was looked at.
        level: How it ended.
        found: What was found, in plain words.
        remedy: What to do, if it is not fine.
        figures: Numbers of it, for programs.
    """

    name: str
    level: Level
    found: str
    remedy: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)


Checks = Iterator[Check]


def fine(name: str, found: str, **figures: float) -> Check:
    """Return a check that needs nothing done."""
    return Check(name, Level.FINE, found, figures=figures)


def warning(name: str, found: str, remedy: str, **figures: float) -> Check:
    """Return a check of something that works, though not as well as it could."""
    return Check(name, Level.WARNING, found, remedy, figures)


def failure(name: str, found: str, remedy: str, **figures: float) -> Check:
    """Return a check of something that does not work."""
    return Check(name, Level.FAILURE, found, remedy, figures)


def looked_at(name: str, look: "Callable[[Settings], Checks]", settings: "Settings") -> Checks:
    """Yield the checks of one look; one that fails itself ends in a check that says so.

    Args:
        name: What is looked at.
        look: Yields the checks.
        settings: The settings.
    """
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError

    try:
        yield from look(settings)
    except (AssistantError, KnowledgeError) as error:  # they say what to do, and no secret
        yield failure(name, str(error), "Do what it says, then run this command again.")
    except Exception as error:  # whatever is broken here is what is looked for
        # The text of a library's error may hold an address with its password.
        kind = type(error).__name__
        yield failure(name, f"looking at it failed ({kind})", "Put right what failed above first.")


def megabytes(count: float) -> str:
    """Return a number of bytes as people read it."""
    gigabyte = 1 << 30
    return f"{count / gigabyte:.1f} GB" if count >= gigabyte else f"{count / (1 << 20):.0f} MB"
