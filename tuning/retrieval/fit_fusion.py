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
# few and of other subjects than BANKING77's; "near" are those that a company does not answer.
SHARES = {"companies": 0.8, "near": 0.1, "banking77": 0.4, "development": 0.4, "out_of_scope": 0.2}
# The fit's unit for the weights of dense score, lexical score and prior.
SCALES = (20.0, 4.0, 2.0)
STARTS = ((1.0, 1.0, 1.0, 1.0, 0.0), (4.0, 2.0, 1.0, 0.3, 0.0))


@dataclass(frozen=True, slots=True)
class ScoredQuery:
    """A question's candidates with their scores.

    ``right`` is the article that answers, None if there is none. The other fields have an entry for
    each candidate passage.
    """

    kind: str
    right: str | None
    articles: tuple[str, ...]
    dense: NDArray[np.float32]
    lexical: NDArray[np.float32]
    prior: NDArray[np.float32]


def fit(queries: Sequence[ScoredQuery], *, with_intent: bool) -> "Fusion":
    """Return the weights with the highest likelihood of the right articles.

    Args:
        queries: Questions with their candidates.
        with_intent: Whether the intent's prior counts.
    """
    from knowledge.retrieval.calibration import Fusion

    # Cosines lie close together, so that their weight and the bias are strongly correlated.
    # Subtracting their mean removes that.
    centre = float(np.mean(np.concatenate([query.dense for query in queries])))
    rows = [_Row.from_query(query, centre) for query in queries]
    weights = _weights(queries)
    # An article's best passage may change with the weights, so the best of several starts counts.
    _, values = min(_fit_from(rows, weights, start, with_intent=with_intent) for start in STARTS)
    dense, lexical, prior = (
        abs(value) * scale for value, scale in zip(values[:3], SCALES, strict=True)
    )
    slope, bias = values[3:]
    fusion = (dense, lexical, prior * with_intent, slope, bias - slope * dense * centre)
    return Fusion(*(round(value, 4) for value in fusion))


@dataclass(frozen=True, slots=True)
class _Row:
    """A question's candidates as tensors; ``right`` is -1 if no article answers."""

    features: "torch.Tensor"
    article: "torch.Tensor"
    articles: int
    right: int

    @classmethod
    def from_query(cls, query: ScoredQuery, centre: float) -> "_Row":
        import torch

        names = list(dict.fromkeys(query.articles))
        columns = (query.dense - centre, query.lexical, query.prior)
        features = torch.tensor(np.stack(columns, axis=1) * np.array(SCALES, dtype=np.float32))
        article = torch.tensor([names.index(name) for name in query.articles])
        # An article that is no candidate counts as none.
        right = names.index(query.right) if query.right in names else -1
        return cls(features, article, len(names), right)


def _fit_from(
    rows: Sequence[_Row],
    weights: NDArray[np.float64],
    start: Sequence[float],
    *,
    with_intent: bool,
) -> tuple[float, list[float]]:
    """Return loss and values after a search from one start."""
    import torch

    values = torch.tensor(start, requires_grad=True)
    search = torch.optim.LBFGS([values], max_iter=60, line_search_fn="strong_wolfe")
    mask = torch.tensor([1.0, 1.0, float(with_intent)])

    def loss() -> torch.Tensor:
        search.zero_grad()
        # No score ever speaks against an article, so its weight is not negative.
        by_row = [
            _log_likelihood(row, values[:3].abs() * mask, values[3], values[4]) for row in rows
        ]
        total = -(torch.tensor(weights) * torch.stack(by_row)).sum() + 1e-4 * values.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    search.step(loss)  # type: ignore[no-untyped-call]
    return float(loss().detach()), values.tolist()


def _log_likelihood(
    row: _Row, weights: "torch.Tensor", slope: "torch.Tensor", bias: "torch.Tensor"
) -> "torch.Tensor":
    """Return the log probability of the right answer, as ``Fusion`` computes it."""
    import torch

    lowest = torch.full((row.articles,), -1e9)
    best = lowest.scatter_reduce(0, row.article, row.features @ weights, "amax")
    answers = slope * best.max() + bias
    if row.right < 0:
        return torch.nn.functional.logsigmoid(-answers)
    return torch.nn.functional.logsigmoid(answers) + best[row.right] - best.logsumexp(0)


def _weights(queries: Sequence[ScoredQuery]) -> NDArray[np.float64]:
    kinds = [query.kind for query in queries]
    by_kind = {kind: SHARES[kind] / kinds.count(kind) for kind in set(kinds)}
    weights = np.array([by_kind[kind] for kind in kinds])
    return np.asarray(weights / weights.sum(), dtype=np.float64)
