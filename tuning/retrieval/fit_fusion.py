"""The weights under which the right articles are likeliest: what ``tuning.calibrate`` fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

    from knowledge.retrieval.calibration import Fusion

# What share of the likelihood each kind of question has; ours are few and of other subjects.
SHARES = {"companies": 0.8, "near": 0.1, "banking77": 0.4, "ours": 0.4, "out_of_scope": 0.2}
# What a step of the fit means for the weights of dense, lexical and prior.
SCALES = (20.0, 4.0, 2.0)
STARTS = ((1.0, 1.0, 1.0, 1.0, 0.0), (4.0, 2.0, 1.0, 0.3, 0.0))


@dataclass(frozen=True, slots=True)
class ScoredQuery:
    """A question's candidates with their scores; ``right`` is the article that answers, if one."""

    kind: str
    right: str | None
    articles: tuple[str, ...]
    dense: NDArray[np.float32]
    lexical: NDArray[np.float32]
    prior: NDArray[np.float32]


def fit(judged: Sequence[ScoredQuery], *, helped: bool) -> "Fusion":
    """Return the weights under which the right articles are likeliest.

    Args:
        judged: Questions with their candidates.
        helped: Whether the intent's word counts.
    """
    from knowledge.retrieval.calibration import Fusion

    # Cosines lie close together, so that their weight and the bias pull at each other; measured
    # from their mean they do not.
    centre = float(np.mean(np.concatenate([row.dense for row in judged])))
    rows = [_Row.of(row, centre) for row in judged]
    weights = _weights(judged)
    # The best of several starts, since an article's best passage may change as the weights do.
    _, values = min(_fitted(rows, weights, start, helped=helped) for start in STARTS)
    dense, lexical, prior = (
        abs(value) * scale for value, scale in zip(values[:3], SCALES, strict=True)
    )
    slope, bias = values[3:]
    found = (dense, lexical, prior * helped, slope, bias - slope * dense * centre)
    return Fusion(*(round(value, 4) for value in found))


@dataclass(frozen=True, slots=True)
class _Row:
    """A question's candidates as tensors; ``right`` is -1 where no article answers."""

    features: "torch.Tensor"
    article: "torch.Tensor"
    articles: int
    right: int

    @classmethod
    def of(cls, judged: ScoredQuery, centre: float) -> "_Row":
        import torch

        names = list(dict.fromkeys(judged.articles))
        columns = (judged.dense - centre, judged.lexical, judged.prior)
        features = torch.tensor(np.stack(columns, axis=1) * np.array(SCALES, dtype=np.float32))
        article = torch.tensor([names.index(name) for name in judged.articles])
        # An article that is not even a candidate is as if nothing answered.
        right = names.index(judged.right) if judged.right in names else -1
        return cls(features, article, len(names), right)


def _fitted(
    rows: Sequence[_Row],
    weights: NDArray[np.float64],
    start: Sequence[float],
    *,
    helped: bool,
) -> tuple[float, list[float]]:
    """Return the loss and the values that one start leads to."""
    import torch

    values = torch.tensor(start, requires_grad=True)
    search = torch.optim.LBFGS([values], max_iter=60, line_search_fn="strong_wolfe")
    mask = torch.tensor([1.0, 1.0, float(helped)])

    def loss() -> torch.Tensor:
        search.zero_grad()
        # Neither nearness nor the intent ever speaks against an article.
        by_row = [_likelihood(row, values[:3].abs() * mask, values[3], values[4]) for row in rows]
        lost = -(torch.tensor(weights) * torch.stack(by_row)).sum() + 1e-4 * values.square().sum()
        lost.backward()  # type: ignore[no-untyped-call]
        return lost

    search.step(loss)  # type: ignore[no-untyped-call]
    return float(loss().detach()), values.tolist()


def _likelihood(
    row: _Row, weights: "torch.Tensor", slope: "torch.Tensor", bias: "torch.Tensor"
) -> "torch.Tensor":
    """Return the logarithm of the probability of what is right, as ``Fusion`` reckons it."""
    import torch

    lowest = torch.full((row.articles,), -1e9)
    best = lowest.scatter_reduce(0, row.article, row.features @ weights, "amax")
    answers = slope * best.max() + bias
    if row.right < 0:
        return torch.nn.functional.logsigmoid(-answers)
    return torch.nn.functional.logsigmoid(answers) + best[row.right] - best.logsumexp(0)


def _weights(judged: Sequence[ScoredQuery]) -> NDArray[np.float64]:
    kinds = [row.kind for row in judged]
    present = {kind: SHARES[kind] / kinds.count(kind) for kind in set(kinds)}
    weights = np.array([present[kind] for kind in kinds])
    return np.asarray(weights / weights.sum(), dtype=np.float64)
