"""Fits the weights that turn a candidate's scores into the probability that its article answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

    from knowledge.retrieval.calibration import Fusion

# Each kind's share of the likelihood. "development" are the questions of retrieval_dev, which are
# few and of other subjects than BANKING77's; "near" are those that a company does not answer;
# "customers" are messages as they are typed, and "unanswered" those that nothing answers.
SHARES = {
    "companies": 0.4,
    "near": 0.1,
    "banking77": 0.4,
    "development": 0.4,
    "customers": 0.8,
    "unanswered": 0.2,
    "out_of_scope": 0.2,
}
# The fit's unit for the weights of dense score, lexical score, prior, nearness and messages.
SCALES = (20.0, 4.0, 2.0, 0.5, 0.5)
# Starting points: five weights, slope and bias.
STARTS = ((1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0), (4.0, 2.0, 1.0, 1.0, 1.0, 0.3, 0.0))


@dataclass(frozen=True, slots=True)
class ScoredQuery:
    """A question's candidates with their scores.

    ``right`` is the article that answers, or several joined by "|"; None if there is none. The
    other fields have an entry for each candidate passage.
    """

    kind: str
    right: str | None
    articles: tuple[str, ...]
    dense: NDArray[np.float32]
    lexical: NDArray[np.float32]
    prior: NDArray[np.float32]
    near: NDArray[np.float32]
    asked: NDArray[np.float32]


def fit(queries: Sequence[ScoredQuery], *, with_intent: bool, with_spans: bool = False) -> "Fusion":
    """Return the weights with the highest likelihood of the right articles.

    Args:
        queries: Questions with their candidates.
        with_intent: Whether the intent's prior counts.
        with_spans: Whether the span embedder's scores count.
    """
    from knowledge.retrieval.calibration import Fusion

    # Cosines lie close together, so that their weights and the bias are strongly correlated.
    # Subtracting their means removes that.
    dense_mean = float(np.mean(np.concatenate([query.dense for query in queries])))
    near_mean = float(np.mean(np.concatenate([query.near for query in queries])))
    rows = _Rows.of(queries, dense_mean, near_mean)
    weights = _weights(queries)
    # An article's best passage may change with the weights, so the best of several starts counts.
    mask = (1.0, 1.0, float(with_intent), float(with_spans), float(with_spans))
    _, values = min(_fit_from(rows, weights, start, mask) for start in STARTS)
    dense, lexical, prior, near, asked = (
        abs(value) * scale * used
        for value, scale, used in zip(values[:5], SCALES, mask, strict=True)
    )
    slope, bias = values[5:]
    bias -= slope * (dense * dense_mean + near * near_mean)
    return Fusion(*(round(value, 4) for value in (dense, lexical, prior, near, asked, slope, bias)))


@dataclass(frozen=True, slots=True)
class _Rows:
    """All questions' candidates as tensors, padded to the most candidates.

    ``features`` has the shape (questions, candidates, scores), ``article`` (questions, candidates):
    the number of the candidate's article, 0 for padding. ``right`` is 0 if no article answers.
    """

    features: "torch.Tensor"
    article: "torch.Tensor"
    right: "torch.Tensor"

    @classmethod
    def of(cls, queries: Sequence[ScoredQuery], dense_mean: float, near_mean: float) -> "_Rows":
        import torch
        from torch.nn.utils.rnn import pad_sequence

        features, articles, right = [], [], []
        for query in queries:
            names = ["", *dict.fromkeys(query.articles)]
            near = query.near - near_mean
            columns = (query.dense - dense_mean, query.lexical, query.prior, near, query.asked)
            scaled = np.stack(columns, axis=1) * np.array(SCALES, np.float32)
            features.append(torch.tensor(scaled))
            articles.append(torch.tensor([names.index(name) for name in query.articles]))
            accepted = [name for name in (query.right or "").split("|") if name in names]
            # An article that is no candidate counts as none; of several, the best found is meant.
            right.append(min(map(names.index, accepted), default=0))
        return cls(
            pad_sequence(features, batch_first=True),
            pad_sequence(articles, batch_first=True),
            torch.tensor(right),
        )


def _fit_from(
    rows: _Rows,
    weights: NDArray[np.float64],
    start: Sequence[float],
    mask: Sequence[float],
) -> tuple[float, list[float]]:
    """Return loss and values after a search from one start."""
    import torch

    values = torch.tensor(start, requires_grad=True)
    search = torch.optim.LBFGS([values], max_iter=60, line_search_fn="strong_wolfe")
    used, shares = torch.tensor(mask), torch.tensor(weights)

    def loss() -> torch.Tensor:
        search.zero_grad()
        # No score ever speaks against an article, so its weight is not negative.
        likely = _log_likelihood(rows, values[:5].abs() * used, values[5], values[6])
        total = -(shares * likely).sum() + 1e-4 * values.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    search.step(loss)  # type: ignore[no-untyped-call]
    return float(loss().detach()), values.tolist()


def _log_likelihood(
    rows: _Rows, weights: "torch.Tensor", slope: "torch.Tensor", bias: "torch.Tensor"
) -> "torch.Tensor":
    """Return the log probabilities of the right answers, as ``Fusion`` computes them."""
    import torch

    scores = rows.features @ weights
    count = int(rows.article.max()) + 1
    lowest = torch.full((len(scores), count), -1e9)
    best = lowest.scatter_reduce(1, rows.article, scores, "amax")
    # Padding is no article.
    best = torch.cat([torch.full((len(scores), 1), -1e9), best[:, 1:]], dim=1)
    answers = slope * best.amax(dim=1) + bias
    logsigmoid = torch.nn.functional.logsigmoid
    shares = best.gather(1, rows.right[:, None])[:, 0] - best.logsumexp(dim=1)
    return torch.where(rows.right > 0, logsigmoid(answers) + shares, logsigmoid(-answers))


def _weights(queries: Sequence[ScoredQuery]) -> NDArray[np.float64]:
    kinds = [query.kind for query in queries]
    by_kind = {kind: SHARES[kind] / kinds.count(kind) for kind in set(kinds)}
    weights = np.array([by_kind[kind] for kind in kinds])
    return np.asarray(weights / weights.sum(), dtype=np.float64)
