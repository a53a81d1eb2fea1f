"""Resolves the strategy ``auto``: the best one measured, by generator, language and company.

``python -m tuning.evaluate --choose`` writes the file.
"""

import json
from pathlib import Path
from typing import Any, Self

# A file in the state folder takes precedence over the shipped one.
FILE = "strategies.json"
SHIPPED_FILE = Path(__file__).parent.parent / "weights" / FILE
# For a generator without measurements.
UNMEASURED = "few_shot"
ANY = "any"
# The strategies with a generator's words, and those with the articles' words.
WORDED = ("zero_shot", "few_shot", "tuned")
QUOTED = ("extractive",)


class StrategyChoices:
    """Chooses the strategy for a generator, a language and a company."""

    def __init__(self, choices: dict[str, Any]) -> None:
        """Take ``{generator: {language: {company or "any": strategy}}}``."""
        self._choices = choices

    @classmethod
    def load(cls, state: Path | None = None) -> Self:
        """Read the file in the state folder if there is one, otherwise the shipped file.

        Args:
            state: The state folder; None for the shipped file.
        """
        measured = state / FILE if state else None
        file = measured if measured and measured.is_file() else SHIPPED_FILE
        if not file.is_file():
            return cls({})
        return cls(json.loads(file.read_text(encoding="utf-8"))["choices"])

    def choose(self, generator: str, lang: str, company: str) -> str:
        """Return a strategy; for a company without measurements, the best one for any company."""
        measured = self._choices.get(generator, {}).get(lang, {})
        return str(measured.get(company) or measured.get(ANY) or UNMEASURED)
