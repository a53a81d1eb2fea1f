"""What the classifier achieves at the policy's thresholds, by language and kind."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from assistant.intents.risks import RISKS
from assistant.policy import GeneralPolicy
from assistant.routing import Router
from tuning.risks.rows import LANGUAGES, RiskRow

# Messages in all, those with each rule of the table of decisions, and those named rightly.
MEASURES = ("messages", "crisis", "harm", "likeliest")


def measure(
    rows: Sequence[RiskRow], logits: NDArray[np.float64], temperature: float
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return by language and kind how many messages there are and what would be decided.

    Args:
        rows: The messages.
        logits: Of shape (len(rows), len(RISKS)).
        temperature: Divides the logits.
    """
    router = Router(GeneralPolicy())
    counts: dict[tuple[str, str], Counter[str]] = {}
    for row, likely in zip(rows, softmax(logits / temperature, axis=1), strict=True):
        count = counts.setdefault((row.lang, row.kind), Counter())
        route = router.of_risk(dict(zip(RISKS, likely.tolist(), strict=True)))
        count["messages"] += 1
        count["likeliest"] += RISKS[likely.argmax()] == row.kind
        if route:
            count[route.rule] += 1
    return {
        lang: {
            kind: {name: counts[lang, kind][name] for name in MEASURES}
            for kind in RISKS
            if (lang, kind) in counts
        }
        for lang in LANGUAGES
    }
