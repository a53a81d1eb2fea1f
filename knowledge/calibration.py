"""Turns what a passage scored into the probability that it answers."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

CALIBRATION_FILE = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True, slots=True)
class Platt:
    """Logistic regression on a passage's scores (Platt 1999, with several inputs).

    A weighted sum of dense and lexical scores ranks better than reciprocal rank fusion once a few
    examples are there to fit it (Bruch et al. 2023, arXiv 2210.11934).
    """

    dense: float
    lexical: float
    prior: float
    bias: float

    def probability(self, dense: float, lexical: float, prior: float) -> float:
        """Return the probability in [0, 1] that the passage's article answers the query."""
        z = self.dense * dense + self.lexical * lexical + self.prior * prior + self.bias
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fitted weights for each language, with and without the help of the intent."""

    embedder: str
    alone: dict[str, Platt]
    with_intent: dict[str, Platt]

    @classmethod
    def load(cls, path: Path = CALIBRATION_FILE) -> Self:
        """Read what ``python -m tuning.calibrate`` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            embedder=data["embedder"],
            alone={lang: Platt(**weights) for lang, weights in data["alone"].items()},
            with_intent={lang: Platt(**weights) for lang, weights in data["with_intent"].items()},
        )

    def for_query(self, lang: str, *, intent: bool) -> Platt:
        """Return the weights for a query's language; those of English for one without its own."""
        table = self.with_intent if intent else self.alone
        return table.get(lang, table["en"])
