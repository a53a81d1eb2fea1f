"""What the classifier achieves at the policy's thresholds, by language and kind."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from assistant.intents.risks import CRISES, RISKS
from assistant.policy import Policy
from tuning.risks.rows import LANGUAGES, RiskRow


def measure(
    rows: Sequence[RiskRow], logits: NDArray[np.float64], temperature: float
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return by language and kind how many messages there are and what would be decided.

    Args:
        rows: The messages.
        logits: Of shape (len(rows), len(RISKS)).
        temperature: Divides the logits.
    """
    likely = softmax(logits / temperature, axis=1)
    crisis = likely[:, [RISKS.index(risk) for risk in CRISES]].sum(axis=1) >= Policy.crisis
    harm = ~crisis & (likely[:, RISKS.index("harm")] >= Policy.harm)
    likeliest = likely.argmax(axis=1)
    measures: dict[str, dict[str, dict[str, Any]]] = {}
    for lang in LANGUAGES:
        for kind in RISKS:
            which = np.array([(row.lang, row.kind) == (lang, kind) for row in rows])
            if which.any():
                is_right = likeliest == RISKS.index(kind)
                measures.setdefault(lang, {})[kind] = {
                    "messages": int(which.sum()),
                    "crisis": int((which & crisis).sum()),
                    "harm": int((which & harm).sum()),
                    "likeliest": int((which & is_right).sum()),
                }
    return measures
