"""How often the first word is given, and rightly, by language."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from assistant.evidence.verdict import VERDICTS
from tuning.verdicts.rows import LANGUAGES, VerdictRow, by_language

# The probabilities from which on a first word is given, for the report.
THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95)


def measure(
    rows: Sequence[VerdictRow], logits: NDArray[np.float64], temperature: float
) -> dict[str, dict[str, Any]]:
    """Return by language how many questions are told rightly, and at each threshold.

    ``given 0.9`` counts the questions that get a first word, open ones among them; ``wrong 0.9``
    those that get another than they should.

    Args:
        rows: The questions.
        logits: Of shape (len(rows), len(VERDICTS)).
        temperature: Divides the logits.
    """
    likely = softmax(logits / temperature, axis=1)
    right = np.array([VERDICTS.index(row.verdict) for row in rows])
    found: dict[str, dict[str, Any]] = {}
    for lang in LANGUAGES:
        own = by_language(rows, lang)
        if not own:
            continue
        said, of = likely[own], right[own]
        counts = {"questions": len(own), "right": int((said.argmax(axis=1) == of).sum())}
        first = said[:, : VERDICTS.index("open")]
        for threshold in THRESHOLDS:
            given = first.max(axis=1) >= threshold
            counts[f"given {threshold}"] = int(given.sum())
            counts[f"wrong {threshold}"] = int((given & (first.argmax(axis=1) != of)).sum())
        found[lang] = counts
    return found
