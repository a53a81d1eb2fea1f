"""What the strategy ``auto`` means: what was measured best, by generator, language and company.

``python -m tuning.evaluate --choose`` writes the file; nothing here is a matter of taste.
"""

import json
from pathlib import Path
from typing import Any, Self

# Made from the evaluation's results; shipped, and renewed in the state folder.
FILE = "strategies.json"
SHIPPED = Path(__file__).parent.parent / "weights" / FILE
# A generator that nobody has measured here gets a prompt with examples.
UNMEASURED = "few_shot"
ANY = "any"
# Whose words stand: a generator's, or those of the articles.
WORDED = ("zero_shot", "few_shot", "tuned")
QUOTED = ("extractive",)


class StrategyChoices:
    """Names the strategy for a generator, a language and a company."""

    def __init__(self, choices: dict[str, Any]) -> None:
        """Take ``{generator: {language: {company or "any": strategy}}}``."""
        self._choices = choices

    @classmethod
    def load(cls, state: Path | None = None) -> Self:
        """Read the state folder's file, or the one that ships.

        Args:
            state: The state folder; None for what ships.
        """
        own = state / FILE if state else None
        file = own if own and own.is_file() else SHIPPED
        if not file.is_file():
            return cls({})
        return cls(json.loads(file.read_text(encoding="utf-8"))["choices"])

    def choose(self, generator: str, lang: str, company: str) -> str:
        """Return a strategy; a company that was not measured gets what is best for any."""
        measured = self._choices.get(generator, {}).get(lang, {})
        return str(measured.get(company) or measured.get(ANY) or UNMEASURED)
