"""Turns what the candidates scored into probabilities."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

CALIBRATION_FILE = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True, slots=True)
class Fusion:
    """Weights of a passage's scores, fitted so that the result is a probability.

    A weighted sum of dense and lexical scores ranks better than reciprocal rank fusion once a few
    examples are there to fit it (Bruch et al. 2023, arXiv 2210.11934). The candidates' articles
    share a softmax of it, so that two articles that fit equally well get half each. Whether any of
    them answers is a question of its own: a logistic function of the best one's sum (Platt 1999).
    """

    dense: float
    lexical: float
    prior: float
    slope: float
    bias: float

    def probabilities(
        self,
        dense: NDArray[np.float32],
        lexical: NDArray[np.float32],
        prior: NDArray[np.float32],
        articles: Sequence[str],
    ) -> NDArray[np.float64]:
        """Return for each candidate the probability, in [0, 1], that its article answers.

        An article's best passage carries the article's probability, its others less by as much as
        they score less.

        Args:
            dense: Cosines in [-1, 1], of shape (candidates,).
            lexical: Shares in [0, 1], of the same shape.
            prior: What the intent says of each candidate's article, in [0, 1].
            articles: The article of each candidate.
        """
        sums = self.dense * dense + self.lexical * lexical + self.prior * prior
        logits = sums.astype(np.float64)
        highest = logits.max()
        odds = np.exp(logits - highest)
        best: dict[str, float] = {}
        for article, value in zip(articles, odds, strict=True):
            best[article] = max(best.get(article, 0.0), float(value))
        answers = 1.0 / (1.0 + np.exp(-(self.slope * highest + self.bias)))
        return np.asarray(answers * odds / sum(best.values()), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fitted weights for each language, with and without the help of the intent.

    ``own`` tells whether they were fitted on the company's own questions.
    """

    embedder: str
    alone: dict[str, Fusion]
    with_intent: dict[str, Fusion]
    own: bool = False

    @classmethod
    def load(cls, path: Path = CALIBRATION_FILE) -> Self:
        """Read what ``python -m tuning.calibrate`` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            embedder=data["embedder"],
            alone={lang: Fusion(**weights) for lang, weights in data["alone"].items()},
            with_intent={lang: Fusion(**weights) for lang, weights in data["with_intent"].items()},
            own=data.get("own", False),
        )

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Read a knowledge folder's own calibration, or the one for any company."""
        own = folder / "weights" / CALIBRATION_FILE.name
        return cls.load(own if own.is_file() else CALIBRATION_FILE)

    def save(self, path: Path) -> None:
        """Write what ``load`` reads."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def for_query(self, lang: str, *, intent: bool) -> Fusion:
        """Return the weights for a query's language; those of English for one without its own."""
        table = self.with_intent if intent else self.alone
        return table.get(lang, table["en"])
