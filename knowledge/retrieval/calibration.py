"""Turns the scores of a query's candidates into probabilities."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp

CALIBRATION_FILE = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True, slots=True)
class Fusion:
    """Weights of a passage's scores, fitted so that the result is a probability.

    A weighted sum of dense and lexical scores ranks better than reciprocal rank fusion, given a few
    examples to fit it on (Bruch et al. 2023, arXiv 2210.11934). A softmax of the sums over the
    candidates' articles says which article answers, so two articles that fit equally well get half
    each. A logistic function of the best sum says whether any of them answers (Platt 1999).

    Attributes:
        dense: The weight of the cosine.
        lexical: The weight of the lexical score.
        prior: The weight of the intent's probability for the article.
        slope: The logistic function's factor for the best sum.
        bias: The logistic function's constant.
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
        """Return the probability, in [0, 1], that each candidate's article answers the query.

        An article's best passage gets the article's probability, its other passages less in
        proportion to their exponentiated sums.

        Args:
            dense: Cosines in [-1, 1], of shape (candidates,); at least one.
            lexical: Lexical scores in [0, 1], of the same shape.
            prior: The probability in [0, 1] that the intent gives to each candidate's article.
            articles: The id of each candidate's article.

        Returns:
            float64 of shape (candidates,).
        """
        sums = self.dense * dense + self.lexical * lexical + self.prior * prior
        logits = sums.astype(np.float64)
        best: dict[str, float] = {}
        for article, logit in zip(articles, logits, strict=True):
            best[article] = max(best.get(article, -np.inf), float(logit))
        shares = np.exp(logits - logsumexp(list(best.values())))
        answered = expit(self.slope * logits.max() + self.bias)
        return np.asarray(answered * shares, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fitted weights for each language, without and with the intent's probabilities.

    Attributes:
        embedder: The query name of the embedder that they were fitted with.
        alone: The weights for queries without an intent, by language.
        with_intent: The weights for queries with one, by language; empty where the intent adds
            nothing.
        own: Whether they were fitted on the company's own questions.
    """

    embedder: str
    alone: dict[str, Fusion]
    with_intent: dict[str, Fusion]
    own: bool = False

    @classmethod
    def load(cls, path: Path = CALIBRATION_FILE) -> Self:
        """Load what ``python -m tuning.calibrate`` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            embedder=data["embedder"],
            alone={lang: Fusion(**weights) for lang, weights in data["alone"].items()},
            with_intent={lang: Fusion(**weights) for lang, weights in data["with_intent"].items()},
            own=data.get("own", False),
        )

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Load a knowledge folder's own calibration, or the general one where it has none."""
        path = folder / "weights" / CALIBRATION_FILE.name
        return cls.load(path if path.is_file() else CALIBRATION_FILE)

    def save(self, path: Path) -> None:
        """Write what ``load`` loads."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def for_query(self, lang: str, *, intent: bool) -> Fusion:
        """Return the weights for a query's language; English weights for other languages.

        Args:
            lang: The query's language.
            intent: Whether the intent's probabilities are known.
        """
        table = self.with_intent if intent and self.with_intent else self.alone
        return table.get(lang, table["en"])
