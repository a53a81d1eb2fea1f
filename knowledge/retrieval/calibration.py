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
        near: The weight of the span embedder's score.
        asked: The weight of how near the article's known messages are.
        slope: The logistic function's factor for the best sum.
        bias: The logistic function's constant.
    """

    dense: float
    lexical: float
    prior: float
    near: float
    asked: float
    slope: float
    bias: float

    def probabilities(
        self,
        dense: NDArray[np.float32],
        lexical: NDArray[np.float32],
        prior: NDArray[np.float32],
        near: NDArray[np.float32],
        asked: NDArray[np.float32],
        articles: Sequence[str],
    ) -> NDArray[np.float64]:
        """Return the probability, in [0, 1], that each candidate's article answers the query.

        An article's best passage gets the article's probability, its other passages less in
        proportion to their exponentiated sums.

        Args:
            dense: Cosines in [-1, 1], of shape (candidates,); at least one.
            lexical: Lexical scores in [0, 1], of the same shape.
            prior: The probability in [0, 1] that the intent gives to each candidate's article.
            near: The span embedder's scores; zeros without one.
            asked: How much nearer the article's messages are than others'; zeros without any.
            articles: The id of each candidate's article.

        Returns:
            float64 of shape (candidates,).
        """
        sums = self.dense * dense + self.lexical * lexical
        sums = sums + self.prior * prior + self.near * near + self.asked * asked
        logits = sums.astype(np.float64)
        best: dict[str, float] = {}
        for article, logit in zip(articles, logits, strict=True):
            best[article] = max(best.get(article, -np.inf), float(logit))
        shares = np.exp(logits - logsumexp(list(best.values())))
        answered = expit(self.slope * logits.max() + self.bias)
        return np.asarray(answered * shares, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fitted weights for each language and for what is known of a query.

    Attributes:
        embedder: The query name of the embedder that they were fitted with.
        fusions: The weights, by ``key``.
        own: Whether they were fitted on the company's own questions.
    """

    embedder: str
    fusions: dict[str, Fusion]
    own: bool = False

    @classmethod
    def load(cls, path: Path = CALIBRATION_FILE) -> Self:
        """Load what ``python -m tuning.calibrate`` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        fusions = {key: Fusion(**weights) for key, weights in data["fusions"].items()}
        return cls(data["embedder"], fusions, data.get("own", False))

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Load a knowledge folder's own calibration, or the general one where it has none."""
        path = folder / "weights" / CALIBRATION_FILE.name
        return cls.load(path if path.is_file() else CALIBRATION_FILE)

    def save(self, path: Path) -> None:
        """Write what ``load`` loads."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def for_query(self, lang: str, *, intent: bool, spans: bool) -> Fusion:
        """Return the weights for a query's language; English weights for other languages.

        Where nothing was fitted for a kind of query, the weights that ignore the intent count, and
        after those the ones that ignore the span embedder.

        Args:
            lang: The query's language.
            intent: Whether the intent's probabilities are known.
            spans: Whether a span embedder scored the passages.
        """
        names = [
            key(at, intent=known, spans=near)
            for near in (spans, False)
            for at in (lang, "en")
            for known in (intent, False)
        ]
        return next(self.fusions[name] for name in names if name in self.fusions)


def key(lang: str, *, intent: bool, spans: bool) -> str:
    """Return the name of a kind of query in a calibration, such as "en, intent"."""
    return ", ".join([lang, *["intent"] * intent, *["spans"] * spans])
